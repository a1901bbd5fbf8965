"""Where the price is to value, in ranges of a bar, and whether it is accepted outside of it.

Value is the area of a volume profile that holds 70 % of the volume. Distances are to the
rolling profile of the last half hour and to that of the previous day (``previous``);
acceptance is told against the latter alone, by side (F-A6). Everything is NaN where trades
are not carried or a profile is not known; of acceptance all bars must be whole too, whereas a
profile may lack a little (``bars.value_columns.MOST_LOST``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches
from hydra_ft.features import rolling
from hydra_ft.features.absorption import absorption_z_100
from hydra_ft.features.order_flow import taken_volumes
from hydra_ft.features.registry import feature
from hydra_ft.features.volatility import atr_14
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, BoolArray, FloatArray

_FEEDS = (Feed.TRADES,)
_DALTON = "Steidlmayer; Dalton, Mind over Markets"
_TODAY = "the half hour before them and their day's first trade"
_YESTERDAY = "all of the day before them and their day's first trade"
ATR_BARS = 112
WIDTH_BARS = 48
ACCEPTANCE_BARS = 12
"""An hour of 5m bars: two half hours, the periods of a market profile."""
LEAST_TIME, LEAST_VOLUME = 0.60, 0.55
MOST_ABSORPTION = 1.0


def _column(bars: Bars, name: str) -> FloatArray:
    if bars.value is None:
        return rolling.empty_like(bars.close)
    found: FloatArray = getattr(bars.value, name)
    return found


def _distance(name: str, level: str, text: str) -> Compute:
    """Declare how far the price is above a level, in ranges of a bar."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.ratio(bars.close - _column(bars, level), atr_14(bars))

    compute.__name__ = compute.__qualname__ = f"{name}_distance_14"
    compute.__doc__ = f"How far the price is above (below: negative) {text}."
    return feature(
        feeds=_FEEDS,
        formula=f"(close - {name}) / atr_14",
        reference=_DALTON,
        lookback=ATR_BARS,
        units="atr",
        panel="value_distance",
        reach=_YESTERDAY if level.startswith("previous") else _TODAY,
    )(compute)


_HALF_HOUR, _DAY = "of the last half hour", "of the day before"
poc_distance_14 = _distance("poc", "poc", f"the price that traded most {_HALF_HOUR}")
value_high_distance_14 = _distance("value_high", "high", f"the high of value {_HALF_HOUR}")
value_low_distance_14 = _distance("value_low", "low", f"the low of value {_HALF_HOUR}")
previous_poc_distance_14 = _distance(
    "previous_poc", "previous_poc", f"the price that traded most {_DAY}"
)
previous_value_high_distance_14 = _distance(
    "previous_value_high", "previous_high", f"the high of value {_DAY}"
)
previous_value_low_distance_14 = _distance(
    "previous_value_low", "previous_low", f"the low of value {_DAY}"
)


@feature(
    feeds=_FEEDS,
    formula="min(|close - node_below|, |node_above - close|) / atr_14",
    reference=_DALTON,
    lookback=ATR_BARS,
    units="atr",
    low=0.0,
    panel="value_distance",
    reach=_TODAY,
)
def node_distance_14(bars: Bars) -> FloatArray:
    """How far the nearest low-volume node is; NaN where the last half hour has none."""
    below = np.abs(bars.close - _column(bars, "node_below"))
    above = np.abs(_column(bars, "node_above") - bars.close)
    return rolling.ratio(np.fmin(below, above), atr_14(bars))


@feature(
    feeds=_FEEDS,
    formula="(high - low of value + a tick) / median of the 48 bars before",
    reference="Hydra V3 structure",
    lookback=WIDTH_BARS,
    units="ratio",
    low=0.0,
    panel="value_width",
    reach=_TODAY,
)
def value_width_ratio_48(bars: Bars) -> FloatArray:
    """Width of value of the last half hour as a multiple of its own usual."""
    width = _column(bars, "width")
    usual = rolling.percentile(width, WIDTH_BARS, 0.5)
    return rolling.ratio(width, rolling.shifted(usual, 1))


def _time_share(where: str) -> Compute:
    """Declare the share of time that the price was on one side of value, or inside."""

    def compute(bars: Bars) -> FloatArray:
        return rolling.mean(_column(bars, f"time_{where}"), ACCEPTANCE_BARS)

    compute.__name__ = compute.__qualname__ = f"time_{where}_12"
    compute.__doc__ = f"Share of the time of 12 bars in which the price was {where} value."
    return feature(
        feeds=_FEEDS,
        formula=f"mean(time {where} the previous value area as share of the bar, 12)",
        reference="F-A6",
        lookback=ACCEPTANCE_BARS - 1,
        units="ratio",
        low=0.0,
        high=1.0 + 1e-9,
        panel="value_time",
        reach=_YESTERDAY,
    )(compute)


time_inside_12 = _time_share("inside")
time_above_12 = _time_share("above")
time_below_12 = _time_share("below")


def _volume_share(where: str) -> Compute:
    """Declare the share of the volume that traded on one side of value."""

    def compute(bars: Bars) -> FloatArray:
        beyond = rolling.total(_column(bars, f"volume_{where}"), ACCEPTANCE_BARS)
        bought, sold = taken_volumes(bars)
        both = rolling.total(bought + sold, ACCEPTANCE_BARS)
        return np.where((both == 0) & (beyond == 0), 0.0, rolling.ratio(beyond, both))

    compute.__name__ = compute.__qualname__ = f"volume_{where}_12"
    compute.__doc__ = f"Share of the volume of 12 bars that traded {where} value; 0 without trades."
    return feature(
        feeds=_FEEDS,
        formula=f"sum(volume {where} the previous value area, 12) / sum(volume, 12)",
        reference="F-A6",
        lookback=ACCEPTANCE_BARS - 1,
        units="ratio",
        low=0.0,
        high=1.0 + 1e-9,
        panel="value_volume",
        reach=_YESTERDAY,
    )(compute)


volume_above_12 = _volume_share("above")
volume_below_12 = _volume_share("below")


def accepted(
    time_share: FloatArray, volume_share: FloatArray, returns: FloatArray, absorption_z: FloatArray
) -> FloatArray:
    """1 where a price beyond value is accepted there, else 0, shape (n,); NaN where one is.

    At least 60 % of the time and 55 % of the volume, no return into value, and no absorption
    above z = 1, which would say that somebody holds against it.
    """
    claim = reaches(time_share, LEAST_TIME) & reaches(volume_share, LEAST_VOLUME)
    claim &= (returns == 0) & ~exceeds(absorption_z, MOST_ABSORPTION)
    unknown = np.isnan(time_share + volume_share + returns + absorption_z)
    return np.where(unknown, np.nan, claim)


def _is_settled(level: FloatArray) -> BoolArray:
    """Whether all 12 bars were held against this one level, shape (n,); it moves at midnight.

    An hour of which a part was beyond another level says nothing of this one.
    """
    highest, lowest = (
        extreme(level, ACCEPTANCE_BARS) for extreme in (rolling.highest, rolling.lowest)
    )
    return np.equal(highest, lowest)


def _accepted(where: str, time: Compute, volume: Compute, edge: str, sign: int) -> Compute:
    """Declare whether the price is accepted on one side of value."""

    def compute(bars: Bars) -> FloatArray:
        returns = rolling.total(_column(bars, f"returns_{where}"), ACCEPTANCE_BARS)
        found = accepted(time(bars), volume(bars), returns, absorption_z_100(bars))
        level = _column(bars, edge)
        beyond = (sign * (bars.close - level) > 0) & _is_settled(level)
        return np.where(np.isnan(found), np.nan, found * beyond)

    compute.__name__ = compute.__qualname__ = f"accepted_{where}_12"
    compute.__doc__ = f"1 where the price is accepted {where} the previous value area, else 0."
    return feature(
        feeds=_FEEDS,
        formula=f"time_{where}_12 >= 0.6 and volume_{where}_12 >= 0.55 and no return into value in "
        f"12 bars and close {where} value and absorption_z_100 <= 1; 0 in a day's first 11 bars",
        reference="F-A6; Dalton, Mind over Markets",
        lookback=101,
        units="flag",
        low=0.0,
        high=1.0,
        panel="acceptance",
        reach=_YESTERDAY,
    )(compute)


accepted_above_12 = _accepted("above", time_above_12, volume_above_12, "previous_high", 1)
accepted_below_12 = _accepted("below", time_below_12, volume_below_12, "previous_low", -1)


def rejected(time_share: FloatArray, volume_share: FloatArray, returns: FloatArray) -> FloatArray:
    """1 where a price beyond value had its chance and was not accepted, else 0, shape (n,).

    It had it where it came back into value within the hour, or stayed beyond for 60 % of the
    time without 55 % of the volume. NaN where one of them is.
    """
    stayed = reaches(time_share, LEAST_TIME) & falls_below(volume_share, LEAST_VOLUME)
    unknown = np.isnan(time_share + volume_share + returns)
    return np.where(unknown, np.nan, (returns > 0) | stayed)


def _rejected(where: str, time: Compute, volume: Compute, edge: str, sign: int) -> Compute:
    """Declare whether a price on one side of value failed to be accepted there."""

    def compute(bars: Bars) -> FloatArray:
        returns = rolling.total(_column(bars, f"returns_{where}"), ACCEPTANCE_BARS)
        found = rejected(time(bars), volume(bars), returns)
        level = _column(bars, edge)
        beyond = (sign * (bars.close - level) > 0) & _is_settled(level)
        return found * np.where(np.isnan(level), np.nan, beyond)

    compute.__name__ = compute.__qualname__ = f"rejected_{where}_12"
    compute.__doc__ = f"1 where the price is {where} the previous value area again, or in vain."
    return feature(
        feeds=_FEEDS,
        formula=f"close {where} value, and within 12 bars a return into value, or "
        f"time_{where}_12 >= 0.6 and volume_{where}_12 < 0.55; 0 in a day's first 11 bars",
        reference="F-A6; Hydra V3 stage 7, failed acceptance",
        lookback=ACCEPTANCE_BARS - 1,
        units="flag",
        low=0.0,
        high=1.0,
        panel="acceptance",
        reach=_YESTERDAY,
    )(compute)


rejected_above_12 = _rejected("above", time_above_12, volume_above_12, "previous_high", 1)
rejected_below_12 = _rejected("below", time_below_12, volume_below_12, "previous_low", -1)
