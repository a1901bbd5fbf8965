"""The gate of each feed: stale by age, by what it lacks, and never by another feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import HOUR, MINUTE, random_frames
from decisions.heads import FULL, HEAD, LIGHT, evaluated

from hydra_ft.bars.candles import close_time
from hydra_ft.decisions import gates
from hydra_ft.decisions.pipeline import decide
from hydra_ft.decisions.reasons import CODES
from hydra_ft.market.bias import LIQUIDATION
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.decisions.evaluation import Evaluation
    from hydra_ft.types import Bars

FRAMES = random_frames(16, seed=4)
LAST = len(FRAMES["5m"]) - 1
FED = (*FULL, Feed.LIQUIDATIONS)
FLOW = replace(HEAD, feeds=FED)
FEEDS = pytest.mark.parametrize(
    ("feed", "feature", "fresh"),
    [
        (Feed.FUNDING, "funding_z_168_1h", gates.funding_fresh),
        (Feed.OPEN_INTEREST, "open_interest_change_24_1h", gates.open_interest_fresh),
        (Feed.LIQUIDATIONS, f"{LIQUIDATION}_5m", gates.liquidations_fresh),
    ],
)


def changed(timeframe: str, **arrays: object) -> dict[str, Bars]:
    return {**FRAMES, timeframe: replace(FRAMES[timeframe], **arrays)}


def state_of(frames: dict[str, Bars] = FRAMES) -> Evaluation:
    return evaluated(frames, FLOW, FED)


def unknown(state: Evaluation, key: str, row: int) -> Evaluation:
    """The state with one value of a feature not known."""
    column = state.features[key].copy()
    column[row] = np.nan
    return replace(state, features={**state.features, key: column})


@FEEDS
def test_a_fresh_feed_whose_feature_is_lost_blocks_that_bar(
    feed: Feed, feature: str, fresh: object
) -> None:
    """A feed can be young and still have a hole within the lookback of a feature."""
    state = state_of()
    gate = fresh(unknown(state, feature, LAST - 7))  # type: ignore[operator]
    assert fresh(state).allowed[-60:].all()  # type: ignore[operator]
    assert list(np.flatnonzero(~gate.allowed[-60:])) == [59 - 7]
    assert CODES[gate.code[LAST - 7]] == f"data_stale:{feed}"


@FEEDS
def test_a_lost_feature_of_another_feed_is_not_this_feeds_reason(
    feed: Feed, feature: str, fresh: object
) -> None:
    others = {
        Feed.FUNDING: gates.open_interest_fresh,
        Feed.OPEN_INTEREST: gates.liquidations_fresh,
        Feed.LIQUIDATIONS: gates.funding_fresh,
    }
    assert others[feed](unknown(state_of(), feature, LAST)).allowed[-60:].all()


def test_every_feature_of_a_feed_counts_whichever_is_looked_at_last() -> None:
    """Three features come from funding: a hole in any of them blocks."""
    state = state_of()
    found = [f for f in state.frames["1h"].features if Feed.FUNDING in f.feeds]
    assert len(found) >= 3
    for feature in found:
        gate = gates.funding_fresh(unknown(state, f"{feature.name}_1h", LAST))
        assert not gate.allowed[-1], feature.name


def test_a_feature_is_lost_from_its_first_full_bar_and_warming_up_before() -> None:
    """The bar on which the lookback is full is the feed's, the one before is the warm-up's."""
    held = np.full(len(FRAMES["1h"]), np.nan)
    held[60:] = 1e5
    state = state_of(changed("1h", open_interest=held))
    lookback = max(f.lookback for f in state.frames["1h"].features if Feed.OPEN_INTEREST in f.feeds)
    column = np.full(len(FRAMES["5m"]), np.nan)
    key = "open_interest_change_24_1h"
    state = replace(state, features={**state.features, key: column})
    allowed = gates.open_interest_fresh(state).allowed
    rows = state.frames["1h"].rows
    assert lookback < 60
    assert not allowed[rows >= lookback].any()
    whole = replace(state_of(), features={**state_of().features, key: column})
    np.testing.assert_array_equal(
        gates.open_interest_fresh(whole).allowed[rows >= 0], (rows < lookback)[rows >= 0]
    )


def test_open_interest_of_exactly_two_periods_is_still_fresh() -> None:
    held = FRAMES["1h"].open_interest
    assert held is not None
    held = held.copy()
    held[-6:] = np.nan
    state = state_of(changed("1h", open_interest=held))
    age = close_time(FRAMES["5m"]) - close_time(FRAMES["1h"])[-7]
    key = "open_interest_change_24_1h"
    known = replace(state, features={**state.features, key: np.zeros(LAST + 1)})
    allowed = gates.open_interest_fresh(known).allowed
    assert allowed[age == 2 * HOUR].all()
    assert not allowed[age == 2 * HOUR + 5 * MINUTE].any()


def test_a_bar_that_the_recorder_did_not_cover_is_stale_at_once() -> None:
    base = FRAMES["5m"]
    assert base.long_liquidated is not None
    for name in ("long_liquidated", "short_liquidated"):
        values = getattr(base, name).copy()
        values[-1] = np.nan
        gate = gates.liquidations_fresh(state_of(changed("5m", **{name: values})))
        assert gate.allowed[-60:-1].all()
        assert not gate.allowed[-1]
        assert CODES[gate.code[-1]] == "data_stale:liquidations"


def test_bars_without_liquidations_are_nothing_to_wait_for() -> None:
    none = np.zeros(LAST + 1)
    state = state_of(changed("5m", long_liquidated=none, short_liquidated=none))
    assert gates.liquidations_fresh(state).allowed[-60:].all()


@pytest.mark.parametrize("name", ["long_liquidated", "short_liquidated"])
def test_liquidations_that_nobody_recorded_block(name: str) -> None:
    gate = gates.liquidations_fresh(state_of(changed("5m", **{name: None})))
    assert gate.allowed.shape == (LAST + 1,)
    assert not gate.allowed.any()
    assert {CODES[code] for code in gate.code} == {"data_stale:liquidations"}


def test_liquidations_are_asked_for_where_they_are_listed_and_only_there() -> None:
    frames = changed("5m", long_liquidated=None, short_liquidated=None)
    counts = decide(frames, FLOW, FED).counts()
    assert counts["data_stale:liquidations"] > 0.9 * len(FRAMES["5m"])
    assert {code.partition(":")[0] for code in counts} == {"data_stale"}
    assert "data_stale:liquidations" not in decide(frames, FLOW, LIGHT).counts()


def settled_every(hours: int) -> np.ndarray:
    return np.where(FRAMES["1h"].time % (hours * HOUR) == 0, 0.0001, np.nan)


@pytest.mark.parametrize(("hours", "times"), [(8, 2), (4, 4), (1, 16)])
def test_a_pair_that_settles_more_often_is_blocked_more_often(hours: int, times: int) -> None:
    """F-A2: not every pair settles every 8 h; blocked by the pair's own records."""
    state = state_of(changed("1h", funding_rate=settled_every(hours)))
    closed = close_time(FRAMES["5m"])
    ends = closed[~gates.clock(state).allowed]
    last = ends[ends > closed[-1] - 16 * HOUR]
    assert set(last % (hours * HOUR)) == {0, hours * HOUR - 5 * MINUTE}
    assert last.size == 2 * times


def test_a_missing_settlement_does_not_stretch_the_clock() -> None:
    """Records 16 h apart are a hole in the records; the usual 8 h stand."""
    state = state_of(changed("1h", funding_rate=settled_every(16)))
    closed = close_time(FRAMES["5m"])
    ends = closed[~gates.clock(state).allowed]
    assert {0, 8 * HOUR} <= set(ends[-100:] % (16 * HOUR))


def test_without_the_funding_feed_the_clock_keeps_the_usual_interval() -> None:
    state = evaluated(FRAMES, HEAD, (Feed.CANDLES,))
    closed = close_time(FRAMES["5m"])
    expected = gates.outside_settlement(closed, np.full(closed.shape, 8 * HOUR), HEAD.clock)
    np.testing.assert_array_equal(gates.clock(state).allowed, expected)
    hourly = replace(HEAD, clock=replace(HEAD.clock, usual_interval_h=1))
    assert (~gates.clock(evaluated(FRAMES, hourly, (Feed.CANDLES,))).allowed).mean() > 0.16
