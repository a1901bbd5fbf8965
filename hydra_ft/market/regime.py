"""The regime of the market: UP, DOWN, RANGING or CHOPPY, on closed bars.

Each bar proposes a regime from its scores. A proposal becomes the regime when it is made
on ``confirm_bars`` bars in a row, and the current regime is ``min_age_bars`` old. That has
a memory, so it is defined as a fold over the last ``window_bars`` proposals from a declared
start, CHOPPY: what it says at a bar does not depend on where the data begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Le
from typing_extensions import Doc

from hydra_ft.bars.quality import last_rows
from hydra_ft.bars.tolerance import exceeds
from hydra_ft.features.registry import selected
from hydra_ft.market import scores
from hydra_ft.market.scores import ChopRules
from hydra_ft.types import Feed, Regime

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hydra_ft.types import FloatArray, IntArray

NEEDS = tuple(dict.fromkeys(scores.TREND_NEEDS + scores.RANGE_NEEDS + scores.CHOP_NEEDS))
"""Features that the regime cannot do without; where trades are listed flips are beside them."""
SMOOTHING_BARS = 2
UNKNOWN_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class RegimeRules:
    """Thresholds of the regime, compared strictly; persistence in closed bars.

    A half structure with the averages in a muddle scores 0.45 and a drift without structure
    0.40 (the original called both a trend at 0.25): neither passes. On the earlier recorded
    set 0.5 stands at P25 of the trend score, so that three bars of four were a trend; 0.6 stands
    at P40, and fewer switches are undone (docs/calibration.md).
    """

    chop_above: Annotated[float, Ge(0), Le(1), Doc("a higher chop score is CHOPPY")] = 0.7
    trend_above: Annotated[
        float, Ge(0), Le(1), Doc("a higher trend score with a direction is UP or DOWN")
    ] = 0.6
    range_above: Annotated[float, Ge(0), Le(1), Doc("a higher range score is RANGING")] = 0.6
    confirm_bars: Annotated[
        int, Ge(1), Le(12), Doc("equal proposals in a row that a switch takes")
    ] = 2
    min_age_bars: Annotated[int, Ge(0), Le(24), Doc("bars that a regime lasts at least")] = 2
    window_bars: Annotated[int, Ge(8), Le(48), Doc("proposals that the fold starts from")] = 48
    chop: Annotated[ChopRules, Doc("terms of the chop score")] = field(default=ChopRules())


@dataclass(frozen=True, slots=True)
class RegimeColumns:
    """Regime of each bar, shape (n,); ``confidence`` is NaN where the regime is not known.

    ``regime`` holds the values of ``Regime``, CHOPPY where it is not known.
    """

    regime: IntArray
    confidence: FloatArray
    proposal: IntArray
    trend_score: FloatArray
    chop_score: FloatArray
    range_score: FloatArray


def needs(feeds: Collection[Feed]) -> tuple[str, ...]:
    """Features of the market timeframe that the regime takes in, with these feeds."""
    return (*NEEDS, scores.FLIPS) if Feed.TRADES in feeds else NEEDS


def lookback(rules: RegimeRules) -> int:
    """Earlier bars that the regime of a bar depends on."""
    longest = max(feature.lookback for feature in selected((*NEEDS, scores.FLIPS)))
    return longest + SMOOTHING_BARS + rules.window_bars - 1


def proposals(
    trend: FloatArray,
    direction: FloatArray,
    ranging: FloatArray,
    chop: FloatArray,
    rules: RegimeRules,
) -> tuple[IntArray, FloatArray]:
    """Regime and confidence that the scores of each bar propose, shape (n,) each.

    In this order: chop, trend with a direction, range, else CHOPPY at 0.5. NaN confidence
    where a score is NaN.
    """
    choppy = exceeds(chop, rules.chop_above)
    moving = exceeds(trend, rules.trend_above)
    cases = [
        choppy,
        moving & (direction > 0),
        moving & (direction < 0),
        exceeds(ranging, rules.range_above),
    ]
    states = [Regime.CHOPPY, Regime.UP, Regime.DOWN, Regime.RANGING]
    grown = [0.5 + 0.4 * score for score in (chop, trend, trend, ranging)]
    regime = scores.first_of(cases, [float(state) for state in states], float(Regime.CHOPPY))
    confidence = scores.first_of(cases, grown, UNKNOWN_CONFIDENCE)
    known = np.isfinite(trend + ranging + chop)
    return regime.astype(np.int64), np.where(known, confidence, np.nan)


def persisted(
    proposal: IntArray, confidence: FloatArray, rules: RegimeRules
) -> tuple[IntArray, FloatArray]:
    """Fold the proposals of each window of ``window_bars`` from CHOPPY, shape (n,) each.

    The loop runs over the steps of the window, for all bars at once. While a switch is not
    confirmed the regime keeps the confidence it last had. Votes cast before the regime is
    old enough do not count, and a different proposal starts again at one vote.
    """
    n, width = proposal.shape[0], rules.window_bars
    regime, held = np.full(n, int(Regime.CHOPPY), dtype=np.int64), np.full(n, np.nan)
    if n < width:
        return regime, held
    table = _transitions(rules.confirm_bars, rules.min_age_bars)
    place = np.full(n - width + 1, table.start)
    for step in range(width):
        place += proposal[step : n - width + 1 + step]
        # Places are within the table; the mode only spares numpy a buffer.
        table.following.take(place, out=place, mode="clip")
    state = table.regime[place // len(Regime)]
    rows = np.arange(width - 1, n)
    known = last_rows(~np.isfinite(confidence))[width - 1 :] <= rows - width
    # The regime was last agreed to, or switched to, where it was last proposed.
    proposed = np.array([last_rows(proposal == value)[width - 1 :] for value in Regime])
    row = proposed[state, np.arange(state.size)]
    sure = np.where(row > rows - width, confidence[row], UNKNOWN_CONFIDENCE)
    regime[width - 1 :] = np.where(known, state, int(Regime.CHOPPY))
    held[width - 1 :] = np.where(known, sure, np.nan)
    return regime, held


@dataclass(frozen=True, slots=True)
class _Table:
    """The fold as a table: at a place plus the proposal stands the place that follows.

    A place is ``len(Regime)`` times the number of a combination of regime, age, candidate
    and votes; ``regime`` is by that number.
    """

    start: int
    following: IntArray
    regime: IntArray


@cache
def _transitions(confirm_bars: int, min_age_bars: int) -> _Table:
    """Every step of the fold; an age beyond ``min_age_bars`` counts as that age."""
    shape = (len(Regime), min_age_bars + 1, len(Regime), confirm_bars, len(Regime))
    state, age, candidate, votes, wanted = np.indices(shape)
    age = np.minimum(age + 1, min_age_bars)
    counted = (wanted != state) & (age >= min_age_bars)
    votes = np.where(counted, np.where(wanted == candidate, votes + 1, 1), 0)
    candidate = np.where(counted, wanted, state)
    switch = votes >= confirm_bars
    after = (
        np.where(switch, wanted, state),
        np.where(switch, 0, age),
        candidate,
        np.where(switch, 0, votes),
    )
    following = np.ravel_multi_index(after, shape[:-1]) * len(Regime)
    choppy = int(Regime.CHOPPY)
    start = np.ravel_multi_index((choppy, min_age_bars, choppy, 0), shape[:-1]) * len(Regime)
    return _Table(int(start), following.ravel(), state[..., 0].ravel())


def regime_columns(columns: Mapping[str, FloatArray], rules: RegimeRules) -> RegimeColumns:
    """Regime of each closed bar from the columns in ``NEEDS`` and ``close``, and the flips."""
    trend = scores.trend_score(columns)
    ranging = scores.range_score(columns)
    strength = scores.smoothed(trend.score)
    chop = scores.smoothed(scores.chop_score(columns, rules.chop))
    proposal, confidence = proposals(strength, trend.direction, ranging, chop, rules)
    regime, held = persisted(proposal, confidence, rules)
    return RegimeColumns(regime, held, proposal, strength, chop, ranging)
