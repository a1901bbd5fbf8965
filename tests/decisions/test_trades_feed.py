"""The gates of trades and of the book, and the frame that is finer than the base."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from decisions.flow_frames import fine_frames, flow_frames, torn
from decisions.heads import FULL, HEAD, evaluated

from hydra_ft.bars.candles import part
from hydra_ft.decisions import gates
from hydra_ft.decisions.evaluation import marks
from hydra_ft.decisions.pipeline import decide
from hydra_ft.decisions.reasons import CODES
from hydra_ft.decisions.rules import needed_features, startup_candles, usual_feeds
from hydra_ft.errors import DeclarationError
from hydra_ft.signals import trend_pullback
from hydra_ft.types import Bars, BookColumns, Feed
from hydra_ft.types.flow_columns import FlowColumns

if TYPE_CHECKING:
    from hydra_ft.decisions.evaluation import Evaluation
    from hydra_ft.types import BoolArray

FRAMES = flow_frames(16, seed=4)
LAST = len(FRAMES["5m"]) - 1
TRADED = (*FULL, Feed.TRADES)
FLOW = replace(HEAD, feeds=TRADED)
PULSE = replace(
    trend_pullback,
    name="pulse",
    needs=("close_10s", "scalp_all_50_10s"),
    uses=("scalp_narrow_range_30_10s",),
    feeds=(Feed.TRADES,),
    detect=trend_pullback.detect,
)
FINE = replace(
    HEAD,
    base="1m",
    fine="10s",
    signals=(PULSE,),
    feeds=(Feed.CANDLES, Feed.FUNDING, Feed.TRADES),
)
FAST = fine_frames(8, seed=3)


def state_of(frames: dict[str, Bars] = FRAMES) -> Evaluation:
    return evaluated(frames, FLOW, TRADED)


def allowed(frames: dict[str, Bars]) -> BoolArray:
    return gates.trades_fresh(state_of(frames)).allowed


def fast(frames: dict[str, Bars]) -> BoolArray:
    return gates.trades_fresh(evaluated(frames, FINE, FINE.feeds)).allowed


@pytest.mark.parametrize("hole", [{"missing": 1}, {"missing": 0, "covered": 0.99}])
def test_a_base_bar_that_lacks_a_trade_or_a_second_is_stale_at_once(hole: dict[str, int]) -> None:
    assert allowed(FRAMES)[-60:].all()
    frames = {**FRAMES, "5m": torn(FRAMES["5m"], LAST, **hole)}  # type: ignore[arg-type]
    gate = gates.trades_fresh(state_of(frames))
    assert gate.allowed[-60:-1].all()
    assert not gate.allowed[-1]
    assert CODES[gate.code[-1]] == "data_stale:trades"


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_the_newest_coarser_bar_must_be_whole_where_flow_is_read_on_it(timeframe: str) -> None:
    """Whatever its columns say: a bar that lacks a trade is not asked. Nobody reads 4h flow."""
    flow = FRAMES[timeframe].flow
    assert flow is not None
    missing = flow.missing.copy()
    missing[-2] = 1.0
    lacking = replace(FRAMES[timeframe], flow=replace(flow, missing=missing))
    found = allowed({**FRAMES, timeframe: lacking})
    rows = evaluated(FRAMES, FLOW, TRADED).frames[timeframe].rows
    expected = (rows == len(flow) - 2) if timeframe == "1h" else np.zeros(len(rows), dtype=bool)
    np.testing.assert_array_equal(~found, expected)
    none = {**FRAMES, timeframe: replace(FRAMES[timeframe], flow=None)}
    assert allowed(none)[-60:].any() == (timeframe == "4h")


def test_trades_that_nobody_recorded_block_wherever_they_are_listed() -> None:
    frames = {**FRAMES, "5m": replace(FRAMES["5m"], flow=None)}
    assert not allowed(frames).any()
    assert "data_stale:trades" in decide(frames, FLOW, TRADED).counts()
    assert "data_stale:trades" not in decide(frames, FLOW, FULL).counts()


def test_a_feed_that_is_not_carried_is_the_reason_of_every_bar() -> None:
    head = replace(HEAD, feeds=(*FULL, Feed.BOOK))
    found = decide({**FRAMES, "5m": replace(FRAMES["5m"], book=None)}, head, head.feeds)
    assert set(found.counts()) <= {"data_stale:book", *(f"data_stale:{feed}" for feed in FULL)}
    assert found.counts()["data_stale:book"] > 0


def test_a_book_that_was_not_sampled_over_the_whole_bar_is_stale() -> None:
    known = {f.name: np.ones(LAST + 1) for f in fields(BookColumns)}
    known["covered"][-3] = 0.97
    frames = {**FRAMES, "5m": replace(FRAMES["5m"], book=BookColumns(**known))}
    head = replace(HEAD, feeds=(*FULL, Feed.BOOK))
    gate = gates.book_fresh(evaluated(frames, head, head.feeds))
    assert list(np.flatnonzero(~gate.allowed)) == [LAST - 2]
    assert CODES[gate.code[-3]] == "data_stale:book"


def test_what_freqtrade_brings_is_used_where_nothing_is_listed() -> None:
    head = replace(HEAD, feeds=tuple(Feed))
    assert usual_feeds(head) == FULL
    assert usual_feeds(FINE) == (Feed.CANDLES, Feed.FUNDING)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"fine": "1m"}, "below base"),
        ({"fine": "7s"}, "do not nest"),
        ({"fine": "5m"}, "do not nest"),
        ({"fine": "10x"}, "timeframe"),
        ({"feeds": (Feed.CANDLES,)}, "with trades among the feeds"),
        ({"signals": (replace(PULSE, feeds=(Feed.CANDLES,)),)}, "made of trades"),
        ({"fine": ""}, "close_10s"),
    ],
)
def test_a_fine_frame_that_cannot_be_is_refused(change: dict[str, object], text: str) -> None:
    with pytest.raises(DeclarationError, match=text):
        replace(FINE, **change)


def test_the_fine_frame_is_read_where_trades_are_listed_and_only_there() -> None:
    names = {tf: [f.name for f in made] for tf, made in needed_features(FINE, FINE.feeds).items()}
    assert names["10s"] == ["scalp_all_50", "scalp_narrow_range_30"]
    assert "10s" not in needed_features(FINE, (Feed.CANDLES,))
    assert "10s" not in FINE.timeframes
    assert FINE.frames == ("1m", "1h", "4h", "10s")


def test_fine_bars_are_no_candles_of_warm_up() -> None:
    """1-05: freqtrade counts candles; 50 bars of 10 s are nine minutes, the regime needs hours."""
    assert startup_candles(FINE) == startup_candles(replace(FINE, signals=()))
    assert "10s" in needed_features(FINE, FINE.feeds)


def test_a_minute_sees_the_ten_seconds_that_closed_with_it() -> None:
    state = evaluated(FAST, FINE, FINE.feeds)
    np.testing.assert_array_equal(state.columns["close_10s"], FAST["10s"].close[5::6])
    assert fast(FAST)[-60:].all()


def test_a_fine_frame_that_is_absent_or_behind_blocks() -> None:
    without = {timeframe: bars for timeframe, bars in FAST.items() if timeframe != "10s"}
    assert not fast(without).any()
    late = {**FAST, "10s": part(FAST["10s"], 0, -1)}
    assert list(np.flatnonzero(~fast(late)[-60:])) == [59]


def test_a_hole_in_the_fine_bars_blocks_while_a_window_holds_it() -> None:
    """Their prices and volumes look the same with a hole, so no feature can tell."""
    row = len(FAST["10s"]) - 120
    frames = {**FAST, "10s": torn(FAST["10s"], row)}
    stopped = np.flatnonzero(~fast(frames))
    first, last = row // 6, (row + 50) // 6
    rows = np.arange(len(FAST["1m"])) * 6 + 5
    expected = np.flatnonzero((rows >= row) & (rows <= row + 50))
    np.testing.assert_array_equal(stopped, expected)
    assert first <= stopped[0] <= stopped[-1] <= last


def test_ten_seconds_without_a_trade_are_no_stale_candles() -> None:
    """Freqtrade's filled candles are, the empty sub-bars of a quiet market are not."""
    fine = FAST["10s"]
    still = {name: getattr(fine, name).copy() for name in ("open", "high", "low", "close")}
    volume = fine.volume.copy()
    for values in still.values():
        values[-1] = fine.close[-2]
    volume[-1] = 0.0
    frames = {**FAST, "10s": replace(fine, **still, volume=volume)}
    state = evaluated(frames, FINE, FINE.feeds)
    assert gates.candles_fresh(state).allowed[-60:].all()
    assert gates.trades_fresh(state).allowed[-60:].all()


def test_a_fine_frame_that_has_just_begun_warms_up() -> None:
    frames = {**FAST, "10s": part(FAST["10s"], -30, None)}
    state = evaluated(frames, FINE, FINE.feeds)
    assert gates.trades_fresh(state).allowed.all()
    assert not gates.warm(state).allowed.any()


def test_of_fine_bars_no_more_is_held_than_gates_look_at() -> None:
    """A worker of hyperopt holds them for all pairs: 8 bytes a bar for each of four columns."""
    time = np.arange(1_000) * 10_000
    price, flow = np.ones(1_000), {f.name: np.ones(1_000) * 2 for f in fields(FlowColumns)}
    bars = Bars(time, 10_000, price, price, price, price, price, flow=FlowColumns(**flow))
    held = marks(bars)
    assert len(pickle.dumps(held)) < 4.2 * 8 * 1_000 < len(pickle.dumps(bars)) / 2
    assert held.time is bars.time
    assert held.flow is not None
    assert held.flow.covered is flow["covered"]
    assert held.flow.missing is flow["missing"]
    assert np.isnan(held.close).all()
    assert marks(replace(bars, flow=None)).flow is None
