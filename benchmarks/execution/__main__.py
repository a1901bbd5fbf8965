"""Command line: ``python -m benchmarks.execution [--quick] [--out PAGE]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic

from benchmarks.execution.bench import FULL, QUICK, measure
from benchmarks.execution.page import render
from benchmarks.execution.speed import decision_speeds


def main() -> None:
    """Measure, and write the page whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few parents: a look, no evidence")
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    parser.add_argument("--processes", type=int, default=2, help="processes that execute")
    options = parser.parse_args()
    begun = monotonic()
    # Timed first, while nothing else of this run is at work.
    speeds = decision_speeds()
    result = measure(QUICK if options.quick else FULL, options.processes)
    page = render(result, speeds, monotonic() - begun)
    if options.out is None:
        sys.stdout.write(page)
        return
    fresh = options.out.with_name(options.out.name + ".new")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(options.out)


if __name__ == "__main__":
    main()
