"""Command line: ``python -m benchmarks.features [--quick] [--out PAGE]``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import monotonic


def said(text: str) -> None:
    """Show how far the run is, beside the page."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - that is what it is for


def main() -> None:
    """Measure, and write the page whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of all: a look, no evidence")
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    options = parser.parse_args()
    # CPU time counts every thread: let there be one. Read when numpy is first imported.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    from benchmarks.features.bench import FULL, QUICK, measure  # noqa: PLC0415 - see above
    from benchmarks.features.page import render  # noqa: PLC0415
    from hydra_ft.warmup import keep_compiled  # noqa: PLC0415

    keep_compiled(None, said)
    begun = monotonic()
    result = measure(QUICK if options.quick else FULL, said)
    page = render(result, monotonic() - begun)
    if options.out is None:
        sys.stdout.write(page)
        return
    fresh = options.out.with_name(options.out.name + ".new")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(options.out)


if __name__ == "__main__":
    main()
