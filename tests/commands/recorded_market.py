"""The recorded market in HYDRA_TEST_DATA, replayed; it stays where it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import bars_from, timeframe_ms
from hydra_ft.decisions.pipeline import Decisions, HeadRules, decide
from hydra_ft.types import Bars, Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback_exchange import Replay

HOME = os.environ.get("HYDRA_TEST_DATA", "")
SET = Path(HOME) / "ohlcv" / "binance_2025mar" / "binance"
HEADS = Path(__file__).parents[2] / "strategies"
LIGHT = (Feed.CANDLES, Feed.FUNDING)
MARKS = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


def rules() -> HeadRules:
    return load_rules("HydraFlow", HEADS)


def pair_of(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}/USDT:USDT"


def decisions_on(market: Replay, symbol: str) -> Decisions:
    """Stage A over the whole recording of a symbol, in light mode."""
    first, stop = (minute * 60_000 for minute in market.span(symbol))
    frames = {}
    for timeframe in rules().timeframes:
        step = timeframe_ms(timeframe)
        # As downloaded: the first candle may have begun earlier, the newest is left out.
        begin, end = first // step * step, -(-stop // step) * step - step
        columns = market.klines(symbol, step, begin, end)
        prices = tuple(columns[name] for name in ("open", "high", "low", "close"))
        frames[timeframe] = bars_from(
            columns["open_time"],
            step,
            (prices[0], prices[1], prices[2], prices[3]),
            columns["volume"],
        )
    frames["1h"] = _with_funding(market, symbol, frames["1h"])
    return decide(frames, rules(), LIGHT)


def _with_funding(market: Replay, symbol: str, bars: Bars) -> Bars:
    settled, rates = market.funding(symbol, int(bars.time[0]), int(bars.time[-1]) + bars.step_ms)
    placed = np.full(len(bars), np.nan)
    placed[np.searchsorted(bars.time, settled, side="right") - 1] = rates
    return replace(bars, funding_rate=placed)


def entries(decisions: Decisions, bars: int) -> Iterator[int]:
    """Rows at which an entry begins that stands for so many bars."""
    enters = decisions.code == 0
    for row in np.flatnonzero(enters):
        if not enters[row - 1] and enters[row : row + bars].sum() == bars:
            yield int(row)
