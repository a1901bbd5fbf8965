"""A quote for backtests, modelled on the candle that opens: declared, and biased against us.

All that is known is the open of the candle and the candles before it. The model:

* the open is the *far* touch: whoever crosses pays the open;
* our own touch lies a spread behind it, so that a quote fills only when the price comes to
  us through that whole spread, where on a real book it would often have been reached before;
* the spread is ``SPREAD_OF_RANGE`` of the typical range of the last ``WINDOW`` closed
  candles, and at least two ticks: one of spread, one that the price has to go through;
* sizes and levels behind the touch are unknown (0), so the book leans to no side.

A quote that does fill is a spread better than the open. That gain is what a real book may not
give: the backtest reports it as its haircut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bottleneck
import numpy as np

from hydra_ft.execution.ticks import ceil_ticks, floor_ticks, to_price
from hydra_ft.types import Kind, Quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import Bars, FloatArray, IntArray

WINDOW = 48
"""Candles whose median range is the typical one: four hours of 5m."""

SPREAD_OF_RANGE = 0.05
"""Share of the typical range; 20 bps of range give a spread of 1 bps, ten ticks of BTC."""

LEAST_TICKS = 2


@dataclass(frozen=True, slots=True)
class CandleRanges:
    """Typical range of a pair after each closed candle; both arrays of shape (n,).

    ``closed_at`` is the close time (UTC ms), ``range_bps`` the median of high - low over
    the last ``WINDOW`` candles, in bps of the close.
    """

    closed_at: IntArray
    range_bps: FloatArray
    step_ms: int

    def at(self, now: int) -> float:
        """Typical range (bps) of the last candle that had closed by ``now``; 0 if none had."""
        row = int(np.searchsorted(self.closed_at, now, side="right")) - 1
        return float(self.range_bps[row]) if row >= 0 else 0.0


def candle_ranges(bars: Bars) -> CandleRanges:
    """Typical ranges of a pair; the first ``WINDOW`` rows rest on what there is."""
    ranges = 1e4 * (bars.high - bars.low) / bars.close
    window = min(WINDOW, len(bars))
    typical = bottleneck.move_median(ranges, window, min_count=1) if window else ranges
    return CandleRanges(bars.time + bars.step_ms, np.nan_to_num(typical), bars.step_ms)


def candle_quote(
    open_price: float, ranges: CandleRanges, tick_size: float, now: int, *, buys: bool
) -> Quote:
    """Quote at the open of a candle, for an order that buys or sells; see the module.

    ``volatility_bps`` is that of the typical range: range / (2 sqrt(ln 2)) is the standard
    deviation over a candle (Parkinson 1980), and it grows with the square root of time.
    """
    range_bps = ranges.at(now)
    spread = max(LEAST_TICKS * tick_size, SPREAD_OF_RANGE * range_bps / 1e4 * open_price)
    if buys:
        ask = ceil_ticks(open_price, tick_size)
        bid = min(floor_ticks(open_price - spread, tick_size), ask - LEAST_TICKS)
    else:
        bid = floor_ticks(open_price, tick_size)
        ask = max(ceil_ticks(open_price + spread, tick_size), bid + LEAST_TICKS)
    return Quote(
        best_bid=to_price(bid, tick_size),
        best_ask=to_price(ask, tick_size),
        bid_size=0.0,
        ask_size=0.0,
        tick_size=tick_size,
        at=now,
        volatility_bps=range_bps / (2 * math.sqrt(math.log(2) * ranges.step_ms / 1e3)),
    )


@dataclass(slots=True)
class Tally:
    """What became of the parents of one kind; a gain is what a fill is better than the open."""

    begun: int = 0
    at_quote: int = 0
    crossed: int = 0
    abandoned: int = 0
    requotes: int = 0
    gain_bps: float = 0.0
    gain_quote: float = 0.0

    def note_fill(self, open_price: float, gain: float, quantity: float) -> None:
        """Count a fill that is better than the open by ``gain`` (quote currency a unit)."""
        if gain > 0:
            self.at_quote += 1
        else:
            self.crossed += 1
        self.gain_bps += 1e4 * gain / open_price
        self.gain_quote += gain * quantity

    @property
    def fills(self) -> int:
        """Parents that filled."""
        return self.at_quote + self.crossed

    def __str__(self) -> str:
        """One clause of the summary."""
        return (
            f"{self.begun} begun, {self.at_quote} filled at their quote, {self.crossed} at the "
            f"open, {self.abandoned} abandoned, {self.requotes} requotes"
        )


def summary(tallies: Mapping[Kind, Tally], currency: str) -> list[str]:
    """What a backtest says of its chase, up to its last candle."""
    entries, exits = tallies[Kind.ENTRY], tallies[Kind.EXIT]
    fills = entries.fills + exits.fills
    bps, quote = entries.gain_bps + exits.gain_bps, entries.gain_quote + exits.gain_quote
    a_fill = bps / fills if fills else 0.0
    done = f"entries {entries}; exits by signal {exits}"
    sums = f"{a_fill:.2f} bps a fill, {bps:.1f} bps and {quote:.2f} {currency} in all"
    why = (
        f"what {fills} fills are better than the open of their candle. A real book may not give "
        f"it: take it off the result, or add {a_fill / 1e4:.6f} to --fee"
    )
    return [
        f"Chase, on quotes modelled from candles: {done}.",
        f"Haircut of the chase: {sums}, {why}.",
    ]
