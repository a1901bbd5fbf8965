"""The four criteria of the scalper, each a flag, on bars of 10 seconds (system B, sound form).

Quiet and narrow now, in a market that is lively and does not fall. Against the original:
the percentiles are those of the bars before the one in question, so that the test can fail
(F-B3); a criterion that is still warming up is unknown, and an unknown one never passes
(F-B4), as is one of bars of which trades are missing; Wilder's mean has no seed at all (F-B2).
On other bars the same rules bear other names.

That a value lies at or below the 5 % percentile of others is said by its rank among them, the
share at which their interpolated percentile reaches it: so the 5 % may be moved without
computing anything anew. 5 % lies between the two lowest of 20 bars, and between the second and
third lowest of 30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.rank_kernels import ranks_before
from hydra_ft.bars.tolerance import exceeds, reaches
from hydra_ft.features import rolling
from hydra_ft.features.averages import change_50
from hydra_ft.features.registry import feature, shared
from hydra_ft.features.torn import torn
from hydra_ft.features.volatility import atr_20, true_range
from hydra_ft.features.vwap import typical
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.features.registry import Compute
    from hydra_ft.types import Bars, BoolArray, FloatArray

_CANDLES = (Feed.CANDLES,)
_REFERENCE = "Bybit 10-second scalper"
NATIVE_STEP_MS = 10_000
SHARE = 0.05
VOLUME_WINDOW, RANGE_WINDOW, RANGES_WINDOW = 20, 30, 20
RANGE_NOISE = 4.0
MIN_NATR = 0.006
MIN_GROWTH = -0.001


@feature(
    feeds=_CANDLES,
    formula="atr_20 / ((high + low + close) / 3)",
    reference=_REFERENCE,
    lookback=RANGES_WINDOW,
    units="ratio",
    low=0.0,
    panel="volatility_ratio",
)
@shared
def natr_mean_20(bars: Bars) -> FloatArray:
    """Arithmetic mean of 20 true ranges as a share of the price."""
    return atr_20(bars) / typical(bars) + rolling.total(torn(bars), RANGES_WINDOW + 1)


@feature(
    feeds=_CANDLES,
    formula="wilder_mean(true_range, 20) / ((high + low + close) / 3), cut to the last 160 bars",
    reference=f"{_REFERENCE}, its later form, there seeded with 0 (F-B2)",
    lookback=rolling.WILDER_PERIODS * RANGES_WINDOW,
    units="ratio",
    low=0.0,
    panel="volatility_ratio",
)
def natr_wilder_20(bars: Bars) -> FloatArray:
    """Wilder's mean of the true ranges as a share of the price, without a seed."""
    return rolling.wilder(true_range(bars) + torn(bars), RANGES_WINDOW) / typical(bars)


def rank_before(values: FloatArray, window: int, noise: FloatArray | float = 0.0) -> FloatArray:
    """Rank of each value among the ``window`` values before it, shape (n,), as a share.

    The least share at which their linearly interpolated percentile (Hyndman and Fan's type 7)
    reaches the value within a relative 1e-9: 0 where none of them is lower, ``window`` /
    (``window`` - 1) where all are. NaN where one of them is not known. ``noise``, one number
    or one a value, is a difference that is none either: that of two floats that mean the same.
    """
    ranks = rolling.empty_like(values)
    noises = np.broadcast_to(np.asarray(noise, np.float64), values.shape)
    ranks_before(
        np.ascontiguousarray(values, np.float64), np.ascontiguousarray(noises), window, ranks
    )
    return ranks


def _ranked(formula: str, window: int, *, age: int = 0) -> Callable[[Compute], Compute]:
    return feature(
        feeds=_CANDLES,
        formula=formula,
        reference=_REFERENCE,
        lookback=window + age,
        units="share",
        low=0.0,
        high=window / (window - 1),
        panel="scalper_rank",
    )


@_ranked("share at which percentile(volume[-1 .. -20]) reaches volume", VOLUME_WINDOW)
@shared
def volume_rank_20(bars: Bars) -> FloatArray:
    """How many of the 20 bars before were quieter; all of them where nothing was traded."""
    rank = rank_before(bars.volume + torn(bars), VOLUME_WINDOW)
    nothing = (bars.volume <= 0) & np.isfinite(rank)
    return np.where(nothing, VOLUME_WINDOW / (VOLUME_WINDOW - 1), rank)


@_ranked("share at which percentile((high - low)[-1 .. -30]) reaches high - low", RANGE_WINDOW)
@shared
def range_rank_30(bars: Bars) -> FloatArray:
    """How many of the 30 bars before were narrower."""
    # Each price is a float next to the decimal that is meant: a range is off by up to an ulp.
    noise = RANGE_NOISE * np.spacing(bars.high)
    return rank_before(bars.high - bars.low + torn(bars), RANGE_WINDOW, noise)


@_ranked("volume_rank_20[-1]", VOLUME_WINDOW, age=1)
def prior_volume_rank_20(bars: Bars) -> FloatArray:
    """``volume_rank_20`` of the bar before."""
    return rolling.shifted(volume_rank_20(bars), 1)


@_ranked("range_rank_30[-1]", RANGE_WINDOW, age=1)
def prior_range_rank_30(bars: Bars) -> FloatArray:
    """``range_rank_30`` of the bar before."""
    return rolling.shifted(range_rank_30(bars), 1)


@feature(
    feeds=_CANDLES,
    formula="natr_mean_20[-1]",
    reference=_REFERENCE,
    lookback=RANGES_WINDOW + 1,
    units="ratio",
    low=0.0,
    panel="volatility_ratio",
)
def prior_natr_mean_20(bars: Bars) -> FloatArray:
    """``natr_mean_20`` of the bar before."""
    return rolling.shifted(natr_mean_20(bars), 1)


@feature(
    feeds=_CANDLES,
    formula="change_50[-1]",
    reference=_REFERENCE,
    lookback=51,
    units="ratio",
    low=-1.0,
    panel="change",
)
def prior_change_50(bars: Bars) -> FloatArray:
    """``change_50`` of the bar before."""
    return rolling.shifted(change_50(bars), 1)


def _criterion(formula: str, lookback: int) -> Callable[[Compute], Compute]:
    return feature(
        feeds=_CANDLES,
        formula=formula,
        reference=_REFERENCE,
        lookback=lookback,
        units="flag",
        low=0.0,
        high=1.0,
        panel="scalper",
    )


def _flag(claim: BoolArray, needed: FloatArray) -> FloatArray:
    """1 where the claim holds, 0 where not, NaN where what it needs is not known."""
    return np.where(np.isnan(needed), np.nan, claim)


@_criterion("0 < volume <= percentile(volume[-1 .. -20], 5 %)", VOLUME_WINDOW)
@shared
def scalp_low_volume_20(bars: Bars) -> FloatArray:
    """1 where less was traded than in all but the quietest of the 20 bars before, yet something."""
    rank = volume_rank_20(bars)
    return _flag(~exceeds(rank, SHARE), rank)


@_criterion("high - low <= percentile((high - low)[-1 .. -30], 5 %)", RANGE_WINDOW)
@shared
def scalp_narrow_range_30(bars: Bars) -> FloatArray:
    """1 where the bar is narrower than all but the narrowest of the 30 bars before."""
    rank = range_rank_30(bars)
    return _flag(~exceeds(rank, SHARE), rank)


@_criterion("natr_mean_20 > 0.6 %", RANGES_WINDOW)
@shared
def scalp_high_natr_20(bars: Bars) -> FloatArray:
    """1 where the bars are wide on average."""
    natr = natr_mean_20(bars)
    return _flag(exceeds(natr, MIN_NATR), natr)


@_criterion("change_50 >= -0.1 %", 50)
@shared
def scalp_growth_50(bars: Bars) -> FloatArray:
    """1 where the price did not fall over 50 bars."""
    change = change_50(bars)
    return _flag(reaches(change, MIN_GROWTH), change)


RULES: Mapping[str, Compute] = {
    "low_vol": scalp_low_volume_20,
    "narrow_rng": scalp_narrow_range_30,
    "high_natr": scalp_high_natr_20,
    "growth_filter": scalp_growth_50,
}
"""The criteria by the names that they bear on bars of 10 seconds."""


@_criterion("all four criteria", 50)
def scalp_all_50(bars: Bars) -> FloatArray:
    """1 where all four criteria of the scalper hold at once."""
    found: FloatArray = np.minimum.reduce([criterion(bars) for criterion in RULES.values()])
    return found


def rule_names(step_ms: int) -> dict[str, Compute]:
    """The criteria by name: as they are on 10 s, with the length of the bar behind on others.

    So the fallback on 1m bars has ``low_vol_1m``: it is another rule, and must not be
    counted as the same.
    """
    if step_ms == NATIVE_STEP_MS:
        return dict(RULES)
    length = f"{step_ms // 60_000}m" if step_ms % 60_000 == 0 else f"{step_ms / 1000:g}s"
    return {f"{name}_{length}": criterion for name, criterion in RULES.items()}


def hit_rates(bars: Bars) -> dict[str, float]:
    """Share of the bars, out of warm-up, at which each criterion held, and all (``signal``).

    NaN where no bar is out of warm-up. F-B5: lively bars with a narrow one among them are
    rare by construction, so the rates are for showing beside what the rule earns.
    """
    flags = {name: criterion(bars) for name, criterion in rule_names(bars.step_ms).items()}
    flags["signal"] = scalp_all_50(bars)
    return rates(flags)


def rates(flags: Mapping[str, FloatArray]) -> dict[str, float]:
    """Share of ones among the known flags of each name, NaN where none is known."""
    return {name: _rate(values) for name, values in flags.items()}


def _rate(flags: FloatArray) -> float:
    known = flags[~np.isnan(flags)]
    return float(known.mean()) if known.size else float("nan")
