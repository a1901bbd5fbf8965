"""Short frames and live windows: what a running bot meets."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from bars.synthetic import HOUR, random_frames
from decisions.heads import BARE, FULL, HEAD, LIGHT, evaluated

from hydra_ft.bars.candles import part, taken
from hydra_ft.decisions.evaluation import Evaluation, Memory, observe
from hydra_ft.decisions.pipeline import Decisions, decide, judge, startup_candles
from hydra_ft.features.registry import Feature
from hydra_ft.market.regime import RegimeRules
from hydra_ft.types import Bars, Feed, Side

FRAMES = random_frames(40, seed=12, volatility=0.0009)


def cut(n: int) -> dict[str, Bars]:
    return {timeframe: part(bars, 0, n) for timeframe, bars in FRAMES.items()}


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 11, 12, 30, 60])
@pytest.mark.parametrize("feeds", [BARE, LIGHT, FULL])
def test_short_and_empty_frames_block_and_never_raise(n: int, feeds: tuple[Feed, ...]) -> None:
    found = decide(cut(n), HEAD, feeds)
    assert len(found) == n
    assert "ok" not in found.counts()


@pytest.mark.parametrize("missing", ["5m", "1h", "4h"])
def test_a_missing_frame_is_warm_up(missing: str) -> None:
    frames = {tf: bars for tf, bars in FRAMES.items() if tf != missing}
    found = decide(frames, HEAD, BARE)
    assert set(found.counts()) <= {"warmup"}
    assert len(found) == (0 if missing == "5m" else len(FRAMES["5m"]))


def test_no_frames_at_all_decide_nothing() -> None:
    assert len(decide({}, HEAD, FULL)) == 0


def test_a_listed_feed_that_is_none_blocks_every_bar() -> None:
    bare = {**FRAMES, "1h": replace(FRAMES["1h"], funding_rate=None, open_interest=None)}
    assert set(decide(bare, HEAD, LIGHT).counts()) == {"data_stale:funding"}
    only = decide(bare, HEAD, (Feed.CANDLES, Feed.OPEN_INTEREST))
    assert set(only.counts()) == {"data_stale:open_interest"}
    assert decide(bare, HEAD, BARE).counts()["ok"] > 0


FIELDS = ("code", "side", "signal", "regime", "bias", "exit_long_tag", "exit_short_tag")


def live_window(row: int, extra: int) -> dict[str, Bars]:
    """What a live bot holds at the close of a base bar: startup + extra bars of each frame."""
    size = startup_candles(HEAD) + extra
    now = int(FRAMES["5m"].time[row]) + FRAMES["5m"].step_ms
    frames = {}
    for timeframe, bars in FRAMES.items():
        stop = int(np.searchsorted(bars.time + bars.step_ms, now, side="right"))
        frames[timeframe] = part(bars, max(0, stop - size), stop)
    return frames


@pytest.mark.parametrize("feeds", [LIGHT, FULL])
@pytest.mark.parametrize("extra", [0, 7])
def test_live_windows_decide_as_the_whole_backtest_does(
    feeds: tuple[Feed, ...], extra: int
) -> None:
    """P4."""
    whole = decide(FRAMES, HEAD, feeds)
    entries = np.flatnonzero(whole.code == 0)
    spread = np.linspace(400, len(whole) - 1, 40).astype(int)
    for row in [*entries[:: max(1, entries.size // 20)], *spread]:
        found = decide(live_window(int(row), extra), HEAD, feeds)
        for field in FIELDS:
            assert getattr(found, field)[-1] == getattr(whole, field)[row], (field, row)
        np.testing.assert_array_equal(found.failing[-1], whole.failing[row])
        for field in ("confidence", "stop", "target", "bias_score", "trend"):
            left, right = getattr(found, field)[-1], getattr(whole, field)[row]
            assert left == pytest.approx(right, rel=1e-9, abs=1e-12, nan_ok=True), field


@pytest.mark.parametrize("feeds", [LIGHT, FULL])
def test_a_memory_of_coarse_bars_changes_no_decision(feeds: tuple[Feed, ...]) -> None:
    """Through hours that end, a candle that is corrected, and thresholds that change."""
    memory = Memory()
    for step, row in enumerate(range(6000, 6040)):
        window = live_window(row, 40)
        if step == 20:
            window["1h"] = replace(window["1h"], close=window["1h"].close * 1.001)
            window["1h"] = replace(window["1h"], high=window["1h"].high * 1.002)
        rules = HEAD if step < 30 else replace(HEAD, regime=RegimeRules(trend_above=0.3))
        found = judge(observe(window, rules, feeds, memory), rules, memory)
        fresh = decide(window, rules, feeds)
        for field in fields(Decisions):
            left, right = getattr(found, field.name), getattr(fresh, field.name)
            if isinstance(left, np.ndarray):
                np.testing.assert_array_equal(left, right, err_msg=f"{step} {field.name}")


def test_a_memory_computes_the_coarse_bars_once_while_they_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int]] = []
    computed = Feature.__call__
    monkeypatch.setattr(
        Feature,
        "__call__",
        lambda made, bars: asked.append((made.name, bars.step_ms)) or computed(made, bars),
    )
    memory = Memory()
    for row in range(6000, 6024):
        observe(live_window(row, 40), HEAD, LIGHT, memory)
    assert {asked.count(each) for each in asked if each[1] == HOUR} <= {2, 3}
    assert {asked.count(each) for each in asked if each[1] == 4 * HOUR} <= {1, 2}
    assert {step for _, step in asked} >= {HOUR, 4 * HOUR}


def test_no_decision_sees_the_future() -> None:
    cut_at = int(FRAMES["5m"].time[9000])
    early = {tf: part(b, 0, int((b.time + b.step_ms <= cut_at).sum())) for tf, b in FRAMES.items()}
    found = decide(early, HEAD, FULL)
    whole = decide(FRAMES, HEAD, FULL)
    n = len(found)
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(found, field), getattr(whole, field)[:n])
    for key, column in found.columns.items():
        np.testing.assert_allclose(column, whole.columns[key][:n], rtol=1e-9, equal_nan=True)


def test_decide_leaves_its_frames_untouched() -> None:
    copies = {tf: bars.close.copy() for tf, bars in FRAMES.items()}
    decide(FRAMES, HEAD, FULL)
    for timeframe, close in copies.items():
        np.testing.assert_array_equal(FRAMES[timeframe].close, close)


def test_evaluation_is_reused_and_holds_all_frames() -> None:
    state = evaluated(FRAMES, HEAD, LIGHT)
    assert isinstance(state, Evaluation)
    assert set(state.frames) == {"5m", "1h", "4h"}
    assert state.close[0] - FRAMES["5m"].time[0] == HOUR // 12
    assert {side.sign for side in Side} == {1, -1}


def test_columns_before_the_first_coarse_bar_are_unknown() -> None:
    """Aligned a frame at a time, they are what each would be alone."""
    late = {**FRAMES, "1h": part(FRAMES["1h"], 30, None)}
    seen = observe(late, HEAD, FULL)
    frame = seen.frames["1h"]
    assert (frame.rows[: 30 * 12 - 1] == -1).all()
    for name, values in seen.native.items():
        held = seen.columns[f"{name}_1h"]
        np.testing.assert_array_equal(held, taken(values, frame.rows), err_msg=name)
        assert np.isnan(held[: 30 * 12 - 1]).all()
    assert np.isfinite(seen.columns["close_1h"][-1])
