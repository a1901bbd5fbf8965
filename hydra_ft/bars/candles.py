"""Closed bars: checked construction, coarser bars, and alignment between timeframes."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from hydra_ft.errors import DataError
from hydra_ft.types import Bars, FloatArray, IntArray

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PRICES = ("open", "high", "low", "close")
LIQUIDATED = ("long_liquidated", "short_liquidated")
_MAY_BE_NAN = ("funding_rate", "open_interest", "reference", *LIQUIDATED)
GROUPS = ("flow", "value", "footprint", "book", "forced")
"""Fields of bars that are groups of columns."""
_ROWS = tuple(f.name for f in fields(Bars) if f.name != "step_ms")
_PLAIN = tuple(name for name in _ROWS if name not in GROUPS)


def timeframe_ms(timeframe: str) -> int:
    """Length of a timeframe such as ``5m``, ``4h`` or ``1d``, in milliseconds.

    Raises DataError for anything that is not a positive count and one of s, m, h, d.
    """
    count, unit = timeframe[:-1], timeframe[-1:]
    if not count.isdigit() or int(count) == 0 or unit not in _UNIT_MS:
        expected = "a positive count and one of s, m, h, d"
        raise DataError(f"timeframe: expected {expected}, was {timeframe!r}")
    return int(count) * _UNIT_MS[unit]


def bars_from(
    time: IntArray,
    step_ms: int,
    prices: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    volume: FloatArray,
    funding_rate: FloatArray | None = None,
    open_interest: FloatArray | None = None,
    liquidated: tuple[FloatArray, FloatArray] | None = None,
) -> Bars:
    """Bars from arrays of shape (n,), checked; ``prices`` is (open, high, low, close).

    ``liquidated`` is the quote notional of (longs, shorts) liquidated within each bar.
    Raises DataError when lengths differ, times do not strictly increase, a price is not a
    positive number, high and low do not enclose open and close, or volume or what was
    liquidated is negative.
    """
    opened, high, low, close = (np.asarray(values, dtype=np.float64) for values in prices)
    longs, shorts = liquidated or (None, None)
    bars = Bars(
        time=np.asarray(time, dtype=np.int64),
        step_ms=step_ms,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=np.asarray(volume, dtype=np.float64),
        funding_rate=_optional(funding_rate),
        open_interest=_optional(open_interest),
        long_liquidated=_optional(longs),
        short_liquidated=_optional(shorts),
    )
    check(bars)
    return bars


def _optional(values: FloatArray | None) -> FloatArray | None:
    return None if values is None else np.asarray(values, dtype=np.float64)


def check(bars: Bars) -> None:
    """Raise DataError, saying what and where, unless the bars are well formed."""
    _check_lengths(bars)
    if bars.step_ms <= 0:
        raise DataError(f"step_ms: expected a positive length, was {bars.step_ms}")
    stuck = bars.time[1:] <= bars.time[:-1]
    if stuck.any():
        row = int(stuck.argmax()) + 1
        raise DataError(f"time: expected strictly increasing, row {row} was {bars.time[row]}")
    _check_prices(bars)
    _check_liquidated(bars)


def _check_lengths(bars: Bars) -> None:
    n = len(bars)
    for name in (*PRICES, "volume", *_MAY_BE_NAN):
        values = getattr(bars, name)
        if values is not None and values.shape != (n,):
            raise DataError(f"{name}: expected shape ({n},) like time, was {values.shape}")
    for name, values in grouped(bars).items():
        if values.shape != (n,):
            raise DataError(f"{name}: expected shape ({n},) like time, was {values.shape}")


def _are_sound(bars: Bars) -> bool:
    """Whether all candles are as they must be: one question where nothing is wrong."""
    within = (bars.low <= np.minimum(bars.open, bars.close)) & (
        np.maximum(bars.open, bars.close) <= bars.high
    )
    # NaN compares False, and nothing enclosed by finite positive numbers is anything else.
    known = (bars.low > 0) & (bars.high < np.inf) & (bars.volume >= 0)
    return bool((within & known).all())


def _check_prices(bars: Bars) -> None:
    if _are_sound(bars):
        return
    faults = {
        "a price is not a positive number": ~np.all(
            [np.isfinite(p) & (p > 0) for p in (bars.open, bars.high, bars.low, bars.close)], axis=0
        ),
        "high is below open, close or low": bars.high
        < np.maximum(np.maximum(bars.open, bars.close), bars.low),
        "low is above open or close": bars.low > np.minimum(bars.open, bars.close),
        "volume is negative or not a number": ~(bars.volume >= 0),
    }
    for text, faulty in faults.items():
        rows = np.flatnonzero(faulty)
        if rows.size:
            raise DataError(f"candles: {text} at row {rows[0]}, time {bars.time[rows[0]]}")


def _check_liquidated(bars: Bars) -> None:
    sides = [getattr(bars, name) for name in LIQUIDATED]
    if (sides[0] is None) != (sides[1] is None):
        raise DataError(f"liquidations: expected both of {LIQUIDATED} or none, was one")
    for name, values in zip(LIQUIDATED, sides, strict=True):
        if values is None:
            continue
        rows = np.flatnonzero(~(np.isnan(values) | ((values >= 0) & np.isfinite(values))))
        if rows.size:
            expected = "0 or more, or NaN where the feed has a gap"
            raise DataError(f"{name}: expected {expected}, row {rows[0]} was {values[rows[0]]}")


def close_time(bars: Bars) -> IntArray:
    """Time at which each bar closed, shape (n,), in milliseconds; usable from then on."""
    return bars.time + bars.step_ms


def part(bars: Bars, start: int | None, stop: int | None) -> Bars:
    """Rows ``start`` to ``stop`` (as in slicing) of all arrays, as views."""
    held = {name: getattr(bars, name) for name in _ROWS}
    cut = {name: values[start:stop] for name, values in held.items() if values is not None}
    return Bars(step_ms=bars.step_ms, **cut)


def same(left: Bars, right: Bars) -> bool:
    """Whether two frames hold the same bars, to the last digit; NaN equals NaN."""
    if left is right:
        return True
    if len(left) != len(right) or left.step_ms != right.step_ms:
        return False
    if not _same_groups(left, right):
        return False
    for name in _PLAIN:
        one, other = getattr(left, name), getattr(right, name)
        if (one is None) != (other is None):
            return False
        if one is not None and not _alike(one, other):
            return False
    return True


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal values, NaN equal to NaN; as a rule the same bits, which is told in less time."""
    if one is other:
        return True
    is_float = one.dtype == other.dtype == np.float64
    if is_float and np.array_equal(one.view(np.int64), other.view(np.int64)):
        return True
    return np.array_equal(one, other, equal_nan=is_float)


def _same_groups(left: Bars, right: Bars) -> bool:
    """Whether two frames carry the same groups of columns, with the same values."""
    one, other = grouped(left), grouped(right)
    return one.keys() == other.keys() and all(
        _alike(values, other[name]) for name, values in one.items()
    )


def grouped(bars: Bars) -> dict[str, FloatArray]:
    """Columns of the groups that the bars carry, by names such as ``flow.buy_volume``."""
    groups = {name: getattr(bars, name) for name in GROUPS}
    return {
        f"{name}.{f.name}": getattr(group, f.name)
        for name, group in groups.items()
        if group is not None
        for f in fields(group)
    }


def align(coarse_close: IntArray, base_close: IntArray) -> IntArray:
    """For each base bar the last coarse bar that had closed by its close, else -1.

    Shapes (m,) and (n,) -> (n,). The same rule as freqtrade's ``merge_informative_pair``.
    """
    found = np.searchsorted(coarse_close, base_close, side="right") - 1
    return found.astype(np.int64)


def taken(values: FloatArray, rows: IntArray) -> FloatArray:
    """``values[rows]`` as floats, NaN where the row is -1."""
    if values.shape[0] == 0:
        return np.full(rows.shape, np.nan)
    found = np.asarray(values, dtype=np.float64).take(rows)
    found[rows < 0] = np.nan
    return found


def resample(bars: Bars, step_ms: int) -> Bars:
    """Sum bars to coarser ones of ``step_ms``, on multiples of it since the epoch.

    Open is the first, close the last, volume the sum; funding the last rate settled within
    (NaN where none), open interest the last known, liquidations the sums (NaN where any
    part is), the reference the last known. A first or last bar that is not complete is left
    out: it would never have been seen in that state. Groups of columns (``GROUPS``) are not
    carried over: attach them to the coarser bars anew.
    """
    if step_ms % bars.step_ms:
        raise DataError(f"step_ms: expected a multiple of {bars.step_ms}, was {step_ms}")
    bucket = bars.time // step_ms
    first = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]][: len(bars)])
    stop = np.r_[first[1:], len(bars)] if first.size else first
    whole = _whole(bars, first, stop, step_ms)
    starts, ends = first[whole], stop[whole]
    if not starts.size:
        return replace(part(bars, 0, 0), step_ms=step_ms)
    scope = part(bars, int(starts[0]), int(ends[-1]))
    offsets, last = starts - starts[0], ends - starts[0] - 1
    return Bars(
        time=bucket[starts] * step_ms,
        step_ms=step_ms,
        open=scope.open[offsets],
        high=np.maximum.reduceat(scope.high, offsets),
        low=np.minimum.reduceat(scope.low, offsets),
        close=scope.close[last],
        volume=np.add.reduceat(scope.volume, offsets),
        funding_rate=_last_known(scope.funding_rate, offsets, last),
        open_interest=_last_known(scope.open_interest, offsets, last),
        long_liquidated=_summed(scope.long_liquidated, offsets),
        short_liquidated=_summed(scope.short_liquidated, offsets),
        reference=_last_known(scope.reference, offsets, last),
    )


def _whole(bars: Bars, first: IntArray, stop: IntArray, step_ms: int) -> IntArray:
    """Bucket numbers without an incomplete first or last one; holes inside are kept."""
    numbers = np.arange(first.size)
    if not first.size:
        return numbers
    begins_late = bars.time[0] % step_ms != 0
    ends_early = (bars.time[stop[-1] - 1] + bars.step_ms) % step_ms != 0
    return numbers[int(begins_late) : first.size - int(ends_early)]


def _summed(values: FloatArray | None, first: IntArray) -> FloatArray | None:
    return None if values is None else np.add.reduceat(values, first)


def _last_known(values: FloatArray | None, first: IntArray, last: IntArray) -> FloatArray | None:
    if values is None:
        return None
    rows = np.where(np.isfinite(values), np.arange(values.size), -1)
    known = np.maximum.accumulate(rows)[last]
    return np.where(known >= first, values[known], np.nan)
