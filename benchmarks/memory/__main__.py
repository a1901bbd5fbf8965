"""Command line: ``python -m benchmarks.memory [--quick] [--out PAGE]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic

from benchmarks.memory.bench import FULL, QUICK, measure
from benchmarks.memory.page import render


def said(text: str) -> None:
    """Show how far the run is, beside the page."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - that is what it is for


def main() -> None:
    """Measure, and write the page whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pairs: a look, no evidence")
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    options = parser.parse_args()
    begun = monotonic()
    page = render(measure(QUICK if options.quick else FULL, said), monotonic() - begun)
    if options.out is None:
        sys.stdout.write(page)
        return
    fresh = options.out.with_name(options.out.name + ".new")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(options.out)


if __name__ == "__main__":
    main()
