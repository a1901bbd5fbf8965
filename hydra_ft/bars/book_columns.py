"""The book beside the bars: what came and went, how lopsided it stood, what was swept.

The samples are a second apart as a rule, so what came and went between two of them is not
seen: the order flow is that of the net change, smaller in size than the one that counts every
event (``features.book.order_flow_events``), and a level that was swept and filled again within
the second was no sweep. Levels are held against each other by price.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars import book_kernels as sums
from hydra_ft.bars.coverage import begun, covered_shares, sampled
from hydra_ft.bars.micro_tables import micro_offsets, period_table
from hydra_ft.bars.sweep_kernels import DEPTH_LEVELS, FOUND, LATEST_S, REFILL, SWEPT, side_sweeps
from hydra_ft.types.flow_columns import BookColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.bars.micro_tables import Tables
    from hydra_ft.bars.microprice import MicropriceTable
    from hydra_ft.types import Bars, BookSamples, FloatArray, IntArray
    from hydra_ft.types.flow import FlowBars

LONGEST_MS: Final = 3_000
"""How far samples may lie apart where nobody kept when the feed stood."""
SWEEP_MS: Final = int(1e3 * LATEST_S)
"""How long before a bar a sweep may lie that shows in it."""
TABLE_MS: Final = 3_600_000
"""Length of the periods of which one makes the table of the microprice for the next."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The bars' times, the first sample of each (-1 where it is not covered), and the last."""

    time: IntArray
    step_ms: int
    first: IntArray
    last: IntArray


def book_columns(
    bars: Bars,
    samples: BookSamples,
    *,
    tick: float,
    covered: Sequence[tuple[int, int]] | None = None,
    trades: FlowBars | None = None,
    table_ms: int = TABLE_MS,
) -> BookColumns:
    """Columns of the book for the bars, shape (n,) each; NaN where a bar is not covered whole.

    ``covered`` are the stretches (UTC ms, stop exclusive) in which the feed stood: a book of
    which no sample came then had not changed. Without them samples more than 3 s apart leave
    a gap. ``trades`` are flow bars of at most the bars' length (10 s or 1 s) of the same time:
    without them sweeps are not known. ``tick`` is the tick size. A bar also needs the sample
    before it, and the microprice the samples of all of the hour (UTC) before its own.
    """
    stretches = sampled(samples.time, LONGEST_MS) if covered is None else covered

    def tables(start: int) -> MicropriceTable | None:
        return period_table(samples, stretches, start, table_ms, tick)

    return columns_by_tables(bars, samples, stretches, tables, trades=trades, table_ms=table_ms)


def columns_by_tables(
    bars: Bars,
    samples: BookSamples,
    covered: Sequence[tuple[int, int]],
    tables: Tables,
    *,
    trades: FlowBars | None = None,
    table_ms: int = TABLE_MS,
    reach_ms: int | None = None,
) -> BookColumns:
    """Columns as ``book_columns`` tells, with tables of the microprice that are at hand.

    The samples need not hold the hours of which these are. ``reach_ms`` is how far back the
    sample before a bar may lie: with it no column depends on older ones, and what is computed
    of a part of the past is the same as what is computed of all of it.
    """
    samples = _contiguous(samples)
    rows = _placed(bars, samples.time, covered, 0, reach_ms)
    known = rows.first >= 0
    named = _means(rows, samples) | _closing(rows, samples)
    named["micro_offset_bps_close"] = micro_offsets(samples, rows.last, tables, table_ms)
    named |= _swept(bars, samples, covered, trades, reach_ms)
    return BookColumns(
        **{name: np.where(known, values, np.nan) for name, values in named.items()},
        covered=covered_shares(covered, bars.time, bars.step_ms),
    )


def _contiguous(samples: BookSamples) -> BookSamples:
    arrays = {f.name: np.ascontiguousarray(getattr(samples, f.name)) for f in fields(samples)}
    return type(samples)(**arrays)


def _placed(
    bars: Bars,
    time: IntArray,
    stretches: Sequence[tuple[int, int]],
    back_ms: int,
    reach_ms: int | None,
) -> _Rows:
    """Find the samples of each bar, and of what is looked back on from its open.

    The sample before them must lie in the same covered stretch, and not beyond the reach.
    """
    begin = bars.time - back_ms
    since = begun(stretches, begin, bars.time + bars.step_ms)
    first = np.searchsorted(time, begin)
    last = np.searchsorted(time, bars.time + bars.step_ms) - 1
    before = np.where(first > 0, time[np.maximum(first - 1, 0)] if time.size else -1, -1)
    if reach_ms is not None:
        since = np.where(since >= 0, np.maximum(since, begin - reach_ms), since)
    known = (since >= 0) & (first > 0) & (before >= since)
    return _Rows(bars.time, bars.step_ms, np.where(known, first, -1), np.where(known, last, -1))


def _means(rows: _Rows, samples: BookSamples) -> dict[str, FloatArray]:
    """Sums and means over the time of each bar."""
    found = np.zeros((rows.time.size, sums.COLUMNS))
    sums.book_sums(
        samples.time, samples.bid, samples.bid_quantity, samples.ask, samples.ask_quantity,
        rows.time, rows.first, rows.step_ms, min(DEPTH_LEVELS, samples.bid.shape[1]), found,
    )  # fmt: skip
    mean = found / np.where(found[:, sums.WEIGHT :] > 0, found[:, sums.WEIGHT :], np.nan)
    return {
        "order_flow": found[:, sums.FLOW],
        "deep_flow": found[:, sums.DEEP],
        "touch": mean[:, sums.TOUCH],
        "queue_imbalance": np.clip(mean[:, sums.QUEUE], -1, 1),
        "depth_imbalance": np.clip(mean[:, sums.SLOPE], -1, 1),
        "depth": mean[:, sums.DEPTH],
        "spread_bps": mean[:, sums.SPREAD],
    }


def _closing(rows: _Rows, samples: BookSamples) -> dict[str, FloatArray]:
    """The last state of each bar: balance of the best queues, and the mid that they weigh."""
    if not len(samples):
        unknown = np.full(rows.time.shape, np.nan)
        return {"queue_imbalance_close": unknown, "weighted_offset_bps_close": unknown}
    bid, bid_size, ask, ask_size = (
        side[rows.last, 0]
        for side in (samples.bid, samples.bid_quantity, samples.ask, samples.ask_quantity)
    )
    balance = (bid_size - ask_size) / (bid_size + ask_size)
    # (a q_b + b q_a) / (q_a + q_b) less the mid is half the spread times the balance.
    return {
        "queue_imbalance_close": balance,
        "weighted_offset_bps_close": 1e4 * balance * (ask - bid) / (ask + bid),
    }


def _swept(
    bars: Bars,
    samples: BookSamples,
    stretches: Sequence[tuple[int, int]],
    trades: FlowBars | None,
    reach_ms: int | None,
) -> dict[str, FloatArray]:
    """Levels swept and how they came back, per side.

    NaN where trades or book are not whole from ten seconds before the bar on.
    """
    names = ("bid_swept", "bid_refill_per_s", "ask_swept", "ask_refill_per_s")
    if trades is None or not (len(trades) and len(samples) and len(bars)):
        return dict.fromkeys(names, np.full(len(bars), np.nan))
    back_ms = SWEEP_MS
    known = _placed(bars, samples.time, stretches, back_ms, reach_ms).first >= 0
    step_ms = trades.step_ms
    begin = (bars.time - back_ms) // step_ms * step_ms - step_ms
    end = bars.time + bars.step_ms
    there = np.concatenate(([0], np.cumsum(trades.whole)))
    counted = there[np.searchsorted(trades.time, end)] - there[np.searchsorted(trades.time, begin)]
    known &= counted * step_ms == end - begin
    found = [*_per_bar(bars, samples, trades, -1), *_per_bar(bars, samples, trades, 1)]
    return {n: np.where(known, values, np.nan) for n, values in zip(names, found, strict=True)}


def sweeps(samples: BookSamples, trades: FlowBars, sign: int) -> FloatArray:
    """Levels of a side swept at each sample, and the refill a second, shape (n, 2).

    ``sign`` is 1 for asks, -1 for bids. A sweep is when 4 of the best 5 prices of a sample hold
    less than a tenth in the next one, trades went through them, and took at least half of what
    is gone. The refill is the growth of the notional up to what was the tenth price, since the
    sweep, as a share of what the sweep had left of it; NaN where none is 0.5 to 10 s ago.
    """
    since = np.concatenate((samples.time[:1], samples.time[:-1]))
    first = np.searchsorted(trades.time, since - trades.step_ms, side="right")
    last = np.searchsorted(trades.time, samples.time, side="right")
    price, size = (
        (samples.ask, samples.ask_quantity) if sign > 0 else (samples.bid, samples.bid_quantity)
    )
    extreme, volume = (
        (trades.high, trades.buy_volume) if sign > 0 else (trades.low, trades.sell_volume)
    )
    found = np.empty((len(samples), FOUND))
    side_sweeps(samples.time, price, size, sign, first, last, extreme, volume, found)
    return found


def _per_bar(
    bars: Bars, samples: BookSamples, trades: FlowBars, sign: int
) -> tuple[FloatArray, FloatArray]:
    """Levels swept in each bar, and the mean refill of its samples, 0 without a sweep."""
    found = sweeps(samples, trades, sign)
    of = np.searchsorted(bars.time, samples.time, side="right") - 1
    inside = (of >= 0) & (samples.time < bars.time[np.maximum(of, 0)] + bars.step_ms)
    of, found = of[inside], found[inside]
    known = ~np.isnan(found[:, REFILL])
    rates = np.where(known, found[:, REFILL], 0.0)
    levels, count, rate = (
        np.bincount(of, values, minlength=len(bars)).astype(np.float64)
        for values in (found[:, SWEPT], known, rates)
    )
    return levels, rate / np.maximum(count, 1)
