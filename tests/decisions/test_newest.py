"""A bot decides its newest bars alone, as all bars together would be decided."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from decisions.flow_frames import flow_frames, torn

from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import align, close_time, part
from hydra_ft.decisions import newest
from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.newest import MOST_NEW, NewestFirst, context_bars
from hydra_ft.decisions.pipeline import Decisions, HeadRules, decide, judge, startup_candles
from hydra_ft.decisions.rules import needed_features
from hydra_ft.decisions.select import Choice
from hydra_ft.features.drift import longest_lookback
from hydra_ft.market.regime import lookback
from hydra_ft.types import Bars, Feed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RULES = load_rules("HydraFlow", Path(__file__).parents[2] / "strategies")
PLAIN = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
SIZE = startup_candles(RULES) + 30
FIRST = 5000


def liquidated(bars: Bars) -> Bars:
    """Liquidations that come in bursts, of one side and then the other."""
    random = np.random.default_rng(3)
    burst = np.where(random.random(len(bars)) < 0.03, 4e6, 1e3) * random.random(len(bars))
    longs = random.random(len(bars)) < 0.5
    return replace(bars, long_liquidated=burst * longs, short_liquidated=burst * ~longs)


FRAMES = flow_frames(32, seed=12)
FRAMES = {**FRAMES, "5m": torn(liquidated(FRAMES["5m"]), FIRST + 20)}


def window(row: int, size: int = SIZE) -> dict[str, Bars]:
    """What a bot holds at the close of a base bar."""
    now = int(FRAMES["5m"].time[row]) + FRAMES["5m"].step_ms
    stops = {
        timeframe: int(np.searchsorted(bars.time + bars.step_ms, now, side="right"))
        for timeframe, bars in FRAMES.items()
    }
    return {tf: part(FRAMES[tf], max(0, stop - size), stop) for tf, stop in stops.items()}


def rows_of(found: Decisions, rows: slice) -> Iterator[tuple[str, Any]]:
    """All that was decided on some rows, by name."""
    for item in fields(Decisions):
        value = getattr(found, item.name)
        if isinstance(value, Choice):
            for part_of in fields(Choice):
                yield f"candidate.{part_of.name}", getattr(value, part_of.name)[rows]
        elif item.name in ("columns", "numbers"):
            for name, values in value.items():
                yield f"{item.name}.{name}", values[rows]
        elif isinstance(value, np.ndarray):
            yield item.name, value[rows]


def assert_alike(left: Decisions, right: Decisions, rows: slice, step: int) -> None:
    """To the last bit, types included."""
    one, other = dict(rows_of(left, rows)), dict(rows_of(right, rows))
    assert one.keys() == other.keys()
    assert len(one) > 60
    for name, values in one.items():
        assert values.dtype == other[name].dtype, name
        np.testing.assert_array_equal(values, other[name], err_msg=f"{step} {name}")
    assert (left.light, left.errors) == (right.light, right.errors)


class Counted:
    """How many bars each decision looked at."""

    def __init__(self) -> None:
        self.bars: list[int] = []

    def __call__(self, seen: Any, *arguments: Any) -> Decisions:
        self.bars.append(len(seen.base))
        return judge(seen, *arguments)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    made = Counted()
    monkeypatch.setattr(newest, "judge", made)
    return made


@pytest.mark.parametrize("feeds", [PLAIN, RULES.feeds])
def test_the_newest_bars_are_decided_as_all_of_them_would_be(
    feeds: tuple[Feed, ...], counted: Counted
) -> None:
    """P4, through hours that end, a hole in the trades, and candles that were missed."""
    memory, row = NewestFirst(), FIRST
    stood = None
    for step, more in enumerate([*[1] * 26, *[2] * 6, 5, 1, MOST_NEW, 1, MOST_NEW + 1, 1]):
        row += more
        frames = window(row)
        found = memory.judge(observe(frames, RULES, feeds, memory), RULES)
        fresh = decide(frames, RULES, feeds)
        assert_alike(found, fresh, slice(-more, None), step)
        assert_alike(found, fresh, slice(startup_candles(RULES), None), step)
        np.testing.assert_array_equal(found.time, fresh.time)
        assert {len(values) for _, values in rows_of(found, slice(None))} == {SIZE}
        if stood is not None and counted.bars[-1] < SIZE:
            np.testing.assert_array_equal(found.code[:-more], stood.code[more:])
        stood = found
    context = context_bars(RULES, feeds)
    assert counted.bars.count(1 + context) > 20
    assert 2 + context in counted.bars
    assert counted.bars.count(SIZE) == 2


def bar_by_bar(bars: int, coarse: int, late: int = -1) -> Iterator[int]:
    """Decide so many base bars one after the other, as all together; the row of each.

    ``coarse`` bars are held of 1h and 4h; one of 1h is not there at the row that is ``late``.
    """
    memory = NewestFirst()
    for row in range(FIRST, FIRST + bars):
        frames = {**window(row, coarse), "5m": window(row)["5m"]}
        if row == late:
            frames["1h"] = part(frames["1h"], 0, -1)
        found = memory.judge(observe(frames, RULES, PLAIN, memory), RULES)
        # The front of the base frame warms up: it stands as it was when more was before it.
        assert_alike(found, decide(frames, RULES, PLAIN), slice(150, None), row)
        yield row


def test_a_coarse_bar_that_is_added_leaves_those_before_as_they_were(counted: Counted) -> None:
    """All are decided again after so many, which lets the sight try."""
    added = {window(row)["1h"].time[-1] for row in range(FIRST, FIRST + 120)}
    assert len(added) > newest.MOST_MOVES
    assert len(list(bar_by_bar(120, 600))) == 120
    assert counted.bars.count(SIZE) == 2


@pytest.mark.parametrize(("coarse", "regime_is_known"), [(240, False), (260, False), (290, True)])
def test_bars_are_decided_again_where_coarse_ones_hardly_suffice(
    coarse: int,
    regime_is_known: bool,
    counted: Counted,
) -> None:
    """For the features, and for the regime, which looks back further than any of them."""
    features = needed_features(RULES, PLAIN)["1h"]
    known = [
        int(align(close_time(window(row, coarse)["1h"]), close_time(window(row)["5m"]))[0])
        for row in range(FIRST, FIRST + 30)
    ]
    assert (min(known) >= lookback(RULES.regime)) == regime_is_known
    if coarse == 260:
        assert longest_lookback(features) <= min(known) <= max(known) < lookback(RULES.regime)
    assert len(list(bar_by_bar(30, coarse))) == 30
    assert (counted.bars.count(SIZE) < 3) == regime_is_known


def test_bars_are_decided_again_where_a_coarse_bar_has_come_late(counted: Counted) -> None:
    """The bar that was decided without it is another one now."""
    ends = [row for row in range(FIRST + 1, FIRST + 30) if ends_an_hour(row)]
    for row in bar_by_bar(30, 600, ends[1]):
        if row in (ends[0], ends[1]):
            assert counted.bars[-1] < SIZE
        if row == ends[1] + 1:
            assert counted.bars[-1] == SIZE


def ends_an_hour(row: int) -> bool:
    return bool(window(row)["1h"].time[-1] != window(row - 1)["1h"].time[-1])


def test_entries_of_every_kind_are_met_bar_by_bar() -> None:
    """Around all entries and exits of the days, with what liquidations remember."""
    whole = decide(FRAMES, RULES, RULES.feeds)
    assert context_bars(RULES, RULES.feeds) > context_bars(RULES, PLAIN) > 0
    fired = np.flatnonzero((whole.candidate.signal >= 0) | whole.exit_long | whole.exit_short)
    fired = fired[fired > SIZE + 3]
    assert len(np.unique(whole.candidate.signal[fired])) > 3
    for row in fired[:: max(1, len(fired) // 16)].tolist():
        memory = NewestFirst()
        for at in range(row - 2, row + 1):
            frames = window(at)
            found = memory.judge(observe(frames, RULES, RULES.feeds, memory), RULES)
            assert_alike(found, decide(frames, RULES, RULES.feeds), slice(-1, None), at)


def changed(step: int, frames: dict[str, Bars], rules: HeadRules) -> tuple[Any, HeadRules, Any]:
    """What is another from a step on: a coarse bar, a threshold, the feeds, the times."""
    feeds = PLAIN
    if step == 1:
        bars = frames["4h"]
        frames = {**frames, "4h": replace(bars, high=bars.high * 1.001)}
    if step == 2:
        rules = replace(rules, vetoes=replace(rules.vetoes, min_confidence=0.6))
    if step == 3:
        feeds = (Feed.CANDLES,)
    if step == 4:
        base = frames["5m"]
        kept = np.delete(np.arange(len(base)), -6)
        frames = {**frames, "5m": Bars(base.time[kept], base.step_ms, **columns(base, kept))}
    if step == 5:
        frames = window(FIRST + 9, SIZE + 50)
    return frames, rules, feeds


def columns(bars: Bars, rows: np.ndarray) -> Mapping[str, Any]:
    names = ("open", "high", "low", "close", "volume")
    return {name: getattr(bars, name)[rows] for name in names}


@pytest.mark.parametrize("step", range(6))
def test_all_bars_are_decided_again_where_anything_else_has_changed(
    step: int, counted: Counted
) -> None:
    memory = NewestFirst()
    at = next(row for row in range(FIRST, FIRST + 12) if window(row)["1h"].time[-1] != 0)
    memory.judge(observe(window(at), RULES, PLAIN, memory), RULES)
    frames, rules, feeds = changed(step, window(at + 1), RULES)
    found = memory.judge(observe(frames, rules, feeds, memory), rules)
    assert_alike(found, decide(frames, rules, feeds), slice(-1, None), step)
    if step:
        assert counted.bars[-1] == len(frames["5m"])
        assert_alike(found, decide(frames, rules, feeds), slice(None), step)
    else:
        assert counted.bars[-1] == 1 + context_bars(RULES, PLAIN)


def test_a_signal_that_could_not_be_computed_lets_nothing_stand(counted: Counted) -> None:
    def fails(*_: object) -> None:
        raise ValueError

    rules = replace(
        RULES,
        signals=(replace(RULES.signals[1], detect=fails), *RULES.signals[2:]),  # type: ignore[arg-type]
    )
    memory = NewestFirst()
    for row in range(FIRST, FIRST + 3):
        found = memory.judge(observe(window(row), rules, PLAIN, memory), rules)
        assert found.errors
    assert set(counted.bars) == {SIZE}


def test_the_same_bars_again_and_none_at_all_are_decided_whole(counted: Counted) -> None:
    memory = NewestFirst()
    for frames in (window(FIRST), window(FIRST), {}, window(FIRST), window(FIRST - 1)):
        found = memory.judge(observe(frames, RULES, PLAIN, memory), RULES)
        fresh = decide(frames, RULES, PLAIN)
        if len(fresh):
            assert_alike(found, fresh, slice(None), 0)
        assert len(found) == len(fresh)
    assert counted.bars == [SIZE, SIZE, 0, SIZE, SIZE]
