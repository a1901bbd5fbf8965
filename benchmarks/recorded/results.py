"""Command line: ``python -m benchmarks.recorded.results [--out PAGE] [--sets NAME ...]``."""

from __future__ import annotations

import argparse
from pathlib import Path
from time import monotonic

from benchmarks.recorded.backtests import measure
from benchmarks.recorded.results_page import render
from benchmarks.recorded.sets import SETS, data_folder, progress, publish


def main() -> None:
    """Backtest every set, and write the page whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    parser.add_argument(
        "--sets", nargs="+", choices=[one.name for one in SETS], help="only these sets: a look"
    )
    parser.add_argument("--coins", nargs="+", default=(), help="only these coins: a look")
    options = parser.parse_args()
    data, begun = data_folder(), monotonic()
    wanted = [one for one in SETS if not options.sets or one.name in options.sets]
    results = [measure(data, one, options.coins) for one in wanted]
    publish(render(results), options.out)
    progress(f"done in {(monotonic() - begun) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
