"""The modelled quote: what it is made of, that it looks back only, and what it reports."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, random_bars
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.execution.candle_quote import (
    LEAST_TICKS,
    SPREAD_OF_RANGE,
    WINDOW,
    CandleRanges,
    Tally,
    candle_quote,
    candle_ranges,
    summary,
)
from hydra_ft.types import Kind

if TYPE_CHECKING:
    from hydra_ft.types import Bars

STEP_MS = 5 * MINUTE
BARS = random_bars(200, STEP_MS)
FLAT = CandleRanges(np.array([0]), np.array([20.0]), STEP_MS)
"""Candles of 20 bps, closed at time 0."""


def cut(bars: Bars, n: int) -> Bars:
    """The first n bars."""
    arrays = {item.name: getattr(bars, item.name) for item in fields(bars)}
    return replace(bars, **{name: a[:n] for name, a in arrays.items() if isinstance(a, np.ndarray)})


def test_the_open_is_the_far_touch_and_our_own_lies_a_share_of_the_range_behind() -> None:
    buying = candle_quote(50_000.0, FLAT, 0.1, 0, buys=True)
    assert (buying.best_bid, buying.best_ask) == (49_995.0, 50_000.0)
    selling = candle_quote(50_000.0, FLAT, 0.1, 0, buys=False)
    assert (selling.best_bid, selling.best_ask) == (50_000.0, 50_005.0)
    assert buying.spread_bps == pytest.approx(SPREAD_OF_RANGE * 20, rel=1e-3)


def test_nothing_is_known_of_sizes_nor_of_what_lies_behind_the_touch() -> None:
    quote = candle_quote(50_000.0, FLAT, 0.1, 0, buys=True)
    assert (quote.imbalance, quote.bid_size, quote.next_bid, quote.next_ask) == (0, 0, 0, 0)


@given(
    open_ticks=st.integers(10, 10_000_000),
    range_bps=st.floats(0, 2_000),
    buys=st.booleans(),
)
def test_a_quote_has_two_ticks_at_least_and_never_crosses(
    open_ticks: int, range_bps: float, *, buys: bool
) -> None:
    ranges = CandleRanges(np.array([0]), np.array([range_bps]), STEP_MS)
    quote = candle_quote(open_ticks * 0.1, ranges, 0.1, 0, buys=buys)
    apart = round(quote.best_ask / 0.1) - round(quote.best_bid / 0.1)
    assert apart >= LEAST_TICKS
    touch = quote.best_ask if buys else quote.best_bid
    assert touch == pytest.approx(open_ticks * 0.1)


@pytest.mark.parametrize("n", [1, 2, WINDOW, 120, 200])
def test_what_comes_later_changes_no_quote(n: int) -> None:
    whole, known = candle_ranges(BARS), candle_ranges(cut(BARS, n))
    now = int(BARS.time[n - 1]) + STEP_MS
    for moment in (now, now + MINUTE, now + STEP_MS - 1):
        assert whole.at(moment) == known.at(moment) > 0


def test_a_candle_counts_only_when_it_has_closed() -> None:
    quiet = BARS
    ranges = candle_ranges(quiet)
    closes = int(quiet.time[100]) + STEP_MS
    assert ranges.at(closes) == ranges.range_bps[100]
    assert ranges.at(closes - 1) == ranges.range_bps[99]
    assert ranges.at(int(quiet.time[0])) == 0.0


def test_the_typical_range_is_the_median_of_the_last_candles() -> None:
    expected = np.median(1e4 * ((BARS.high - BARS.low) / BARS.close)[120 - WINDOW + 1 : 121])
    assert candle_ranges(BARS).range_bps[120] == pytest.approx(expected)


def test_without_candles_the_spread_is_two_ticks() -> None:
    none = candle_ranges(cut(BARS, 0))
    quote = candle_quote(100.0, none, 0.01, 0, buys=True)
    assert (quote.best_bid, quote.best_ask, quote.volatility_bps) == (99.98, 100.0, 0.0)


def test_the_volatility_is_parkinsons_of_one_second() -> None:
    quote = candle_quote(100.0, FLAT, 0.01, 0, buys=True)
    a_candle = quote.volatility_bps * math.sqrt(STEP_MS / 1e3)
    assert a_candle == pytest.approx(20 / (2 * math.sqrt(math.log(2))))


def test_the_haircut_is_what_fills_are_better_than_the_open() -> None:
    entries, exits = Tally(begun=3, abandoned=1), Tally(begun=1)
    entries.note_fill(100.0, 0.01, 5.0)
    entries.note_fill(100.0, 0.0, 5.0)
    exits.note_fill(200.0, 0.04, 2.0)
    assert (entries.at_quote, entries.crossed, exits.fills) == (1, 1, 1)
    done, haircut = summary({Kind.ENTRY: entries, Kind.EXIT: exits}, "USDT")
    assert "entries 3 begun, 1 filled at their quote, 1 at the open, 1 abandoned" in done
    assert "1.00 bps a fill, 3.0 bps and 0.13 USDT in all, what 3 fills" in haircut
    assert "add 0.000100 to --fee" in haircut


def test_a_backtest_without_fills_has_no_haircut() -> None:
    _, haircut = summary({Kind.ENTRY: Tally(), Kind.EXIT: Tally()}, "USDT")
    assert "0.00 bps a fill, 0.0 bps and 0.00 USDT in all, what 0 fills" in haircut
