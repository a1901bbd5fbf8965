"""Command line: ``python -m benchmarks.recorded.calibration [--out PAGE]``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.recorded.calibration_page import render
from benchmarks.recorded.market_states import SetState, pair_state, together
from benchmarks.recorded.sets import (
    SETS,
    RecordedSet,
    data_folder,
    open_replay,
    progress,
    publish,
    recorded_folder,
)
from benchmarks.recorded.stage_a import rules
from benchmarks.recorded.takers import measured

if TYPE_CHECKING:
    from collections.abc import Collection


def survey(data: Path, recorded: RecordedSet, coins: Collection[str] = ()) -> SetState:
    """Compute regime, bias and signals over all pairs of a set, or some coins of it."""
    head, pairs, spans = rules(), [], {}
    with tempfile.TemporaryDirectory(prefix="hydra-recorded-") as made:
        market = open_replay(recorded_folder(data, recorded), Path(made) / "links", coins)
        for symbol in market.symbols:
            progress(f"{recorded.name}: {symbol}")
            pairs.append(pair_state(market, symbol, head))
            first, stop = market.span(symbol)
            spans[symbol] = (first * 60_000, stop * 60_000)
    return together(recorded, spans, pairs)


def main() -> None:
    """Survey every set, and write the page whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="file to write; standard output without it")
    parser.add_argument("--coins", nargs="+", default=(), help="only these coins: a look")
    options = parser.parse_args()
    data = data_folder()
    states = [survey(data, one, options.coins) for one in SETS]
    publish(render(states, rules(), measured(data, rules())), options.out)


if __name__ == "__main__":
    main()
