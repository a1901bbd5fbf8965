"""How long a hole in the trades blocks, and what goes on meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decisions.flow_frames import flow_frames, torn
from decisions.heads import FULL, HEAD

from hydra_ft.decisions.pipeline import decide
from hydra_ft.types import Bars, Feed

FRAMES = flow_frames(20, seed=5)
TRADED = (*FULL, Feed.TRADES)
FLOW = replace(HEAD, feeds=TRADED)
WHOLE = decide(FRAMES, FLOW, TRADED)
HOURS = len(FRAMES["1h"])
PER_HOUR = 12


def holed(*hours: int) -> dict[str, Bars]:
    """The frames with a hole in the first five minutes of these hours (counted from the last)."""
    base, coarse = FRAMES["5m"], FRAMES["1h"]
    for hour in hours:
        base = torn(base, (HOURS - hour) * PER_HOUR)
        coarse = torn(coarse, HOURS - hour)
    return {**FRAMES, "5m": base, "1h": coarse}


def stopped(frames: dict[str, Bars]) -> list[int]:
    """Base bars that trades stop, counted from the last hole's hour on; others are as before."""
    found = decide(frames, FLOW, TRADED)
    stale = np.array([found.verdict(row).code == "data_stale:trades" for row in range(len(found))])
    return list(np.flatnonzero(stale))


def test_a_hole_blocks_its_bar_and_then_the_hours_that_look_back_on_it() -> None:
    """The hour with the hole closes 12 bars on; the fourth hour after it knows all its trades."""
    begun = (HOURS - 40) * PER_HOUR
    expected = [begun, *range(begun + PER_HOUR - 1, begun + 5 * PER_HOUR - 1)]
    assert stopped(holed(40)) == expected


def test_two_holes_a_day_block_until_the_first_is_a_day_old() -> None:
    """A twentieth of 24 hours is one hour, and the newest must be known."""
    begun, again = ((HOURS - hour) * PER_HOUR for hour in (40, 30))
    found = stopped(holed(40, 30))
    day = range(again + PER_HOUR - 1, begun + 25 * PER_HOUR - 1)
    assert set(day) <= set(found)
    assert max(found) == day[-1]
    assert not set(range(begun + 5 * PER_HOUR - 1, again)) & set(found)


def test_the_regime_goes_on_without_flips_while_they_are_not_known() -> None:
    """Else a hole of an hour would take the regime, and the exits by it, away for two days."""
    found = decide(holed(40, 39), FLOW, TRADED)
    late = slice((HOURS - 40) * PER_HOUR, None)
    assert np.isfinite(WHOLE.regime_confidence[late]).all()
    assert np.isfinite(found.regime_confidence[late]).all()
    assert np.isnan(found.numbers["flips"][late]).any()
    assert not (found.code[late][np.isnan(found.numbers["flips"][late])] == 0).any()


def test_a_head_without_trades_sees_no_holes() -> None:
    bare, torn_bare = (decide(frames, FLOW, FULL) for frames in (FRAMES, holed(40, 39, 3)))
    np.testing.assert_array_equal(bare.code, torn_bare.code)
    assert "flips" not in bare.numbers
    assert bare.light


@pytest.mark.parametrize("timeframe", ["5m", "1h"])
def test_numbers_say_how_whole_a_bar_is(timeframe: str) -> None:
    frames = {**FRAMES, timeframe: torn(FRAMES[timeframe], -1, missing=3, covered=0.9)}
    numbers = decide(frames, FLOW, TRADED).numbers
    expected = (0.9, 3.0) if timeframe == "5m" else (1.0, 0.0)
    assert (numbers["trades_covered"][-1], numbers["trades_missing"][-1]) == expected
