"""Stage A over the whole recording of a pair: the same bars that a backtest reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.adapter.heads import load_head, load_rules
from hydra_ft.bars.candles import bars_from, timeframe_ms
from hydra_ft.decisions.pipeline import Decisions, HeadRules, decide
from hydra_ft.types import Bars, Feed

if TYPE_CHECKING:
    from hydra_ft.types import FloatArray, IntArray
    from loopback_exchange import Replay

HEADS = Path(__file__).parents[2] / "strategies"
HEAD = "HydraFlow"
LIGHT = (Feed.CANDLES, Feed.FUNDING)
"""The feeds that the sets have: light mode, without open interest and liquidations."""


def rules() -> HeadRules:
    """Return the rules of the head as it ships."""
    return load_rules(HEAD, HEADS)


def most_asked() -> float:
    """Most that the head's sizing lets a trade lose at its stop, of the equity; NaN without it."""
    policy = load_head(HEADS / f"{HEAD}.py").risk
    return policy.sizing.risk_per_trade * policy.sizing.max_conviction if policy else float("nan")


def pair_of(symbol: str) -> str:
    """Return freqtrade's name of a symbol of the exchange."""
    return f"{symbol.removesuffix('USDT')}/USDT:USDT"


def candles(
    market: Replay, symbol: str, step_ms: int, within: tuple[int, int]
) -> tuple[IntArray, dict[str, FloatArray]]:
    """Open times of the candles that open in [begin, end) (UTC ms), and their columns by name."""
    columns = market.klines(symbol, step_ms, *within)
    names = ("open", "high", "low", "close", "volume")
    numbers = {name: np.asarray(columns[name], dtype=np.float64) for name in names}
    return np.asarray(columns["open_time"], dtype=np.int64), numbers


def frames_of(market: Replay, symbol: str, head: HeadRules) -> dict[str, Bars]:
    """Bars of every timeframe of a head as freqtrade downloads them, funding on the market's."""
    first, stop = (minute * 60_000 for minute in market.span(symbol))
    frames = {}
    for timeframe in head.timeframes:
        step = timeframe_ms(timeframe)
        # As downloaded: the first candle may have begun earlier, the newest is left out.
        begin, end = first // step * step, -(-stop // step) * step - step
        time, columns = candles(market, symbol, step, (begin, end))
        prices = (columns["open"], columns["high"], columns["low"], columns["close"])
        frames[timeframe] = bars_from(time, step, prices, columns["volume"])
    frames[head.market] = _with_funding(market, symbol, frames[head.market])
    return frames


def decisions_on(market: Replay, symbol: str) -> Decisions:
    """Stage A over the whole recording of a symbol, in light mode."""
    head = rules()
    return decide(frames_of(market, symbol, head), head, LIGHT)


def _with_funding(market: Replay, symbol: str, bars: Bars) -> Bars:
    settled, rates = market.funding(symbol, int(bars.time[0]), int(bars.time[-1]) + bars.step_ms)
    placed = np.full(len(bars), np.nan)
    placed[np.searchsorted(bars.time, settled, side="right") - 1] = rates
    return replace(bars, funding_rate=placed)
