"""HydraScalp's stage A on whole frames: at planned bars, alike on a few bars and on all."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from commands import scalper_market as made

from hydra_ft.adapter.frames import to_bars
from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import part
from hydra_ft.bars.flow_coarser import coarser_bars
from hydra_ft.bars.flow_columns import flow_columns, with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.decisions.pipeline import decide, startup_candles
from hydra_ft.types import Bars, Feed, FlowColumns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types.flow import Flow

HEAD = load_rules("HydraScalp", Path(__file__).parents[2] / "strategies")
FEEDS = (Feed.CANDLES, Feed.TRADES)
FIRST = (made.DAY - made.HOUR) // made.MINUTE
"""First minute whose newest hour has the day of flow that regime and bias look back on."""


@cache
def frames() -> Mapping[str, Bars]:
    """Bars of every timeframe of the head, with the flow of the tape."""
    tape = made.tape()
    flow = made.flow(tape)
    hours = made.hours_of(tape)
    fine = replace(candles(flow.sub_bars), flow=flow_columns(flow.sub_bars))
    return {
        "10s": fine,
        "1m": with_flow(to_bars(made.frame(tape, made.MINUTE), "1m"), flow),
        "1h": with_hours(to_bars(hours, "1h"), flow),
        "4h": to_bars(made.four_hours(hours), "4h"),
    }


def with_hours(bars: Bars, flow: Flow) -> Bars:
    """Hours with the flow of those that the tape has."""
    columns = flow_columns(coarser_bars(flow.bars, made.HOUR))
    missing = len(bars) - len(columns)
    found = {}
    for item in fields(FlowColumns):
        unknown = 0.0 if item.name in {"covered", "missing"} else np.nan
        found[item.name] = np.r_[np.full(missing, unknown), getattr(columns, item.name)]
    return replace(bars, flow=FlowColumns(**found))


def cut(now: int) -> dict[str, Bars]:
    """Only the bars that a bot has at a time: as many as its warm-up asks for."""
    size = startup_candles(HEAD)
    found = {}
    for timeframe, bars in frames().items():
        stop = int(np.searchsorted(bars.time + bars.step_ms, now, side="right"))
        found[timeframe] = part(bars, max(0, stop - size), stop)
    return found


def test_it_enters_at_the_planned_minutes_and_no_others() -> None:
    """P3: bars of 10 s to an entry, through alignment, gates, regime and bias."""
    decisions = decide(frames(), HEAD, FEEDS)
    minutes = [(row + 1) // 6 - 1 for row in made.events(2)]
    assert np.flatnonzero(decisions.side).tolist() == [row for row in minutes if row >= FIRST]
    assert decisions.counts()["no_signal"] > 1000


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_a_bot_decides_what_a_backtest_decides(away: int) -> None:
    """P4: the last 20 seconds are counted from the same close in both."""
    whole = decide(frames(), HEAD, FEEDS)
    for row in [row + away for row in np.flatnonzero(whole.side)[::4].tolist()]:
        alone = decide(cut(int(whole.time[row]) + made.MINUTE), HEAD, FEEDS)
        assert alone.verdict(-1) == whole.verdict(row)
        assert alone.side[-1] == whole.side[row]
        np.testing.assert_allclose(alone.stop[-1], whole.stop[row], rtol=1e-12)


@pytest.mark.parametrize("late_bars", [0, 1, 2])
def test_a_minute_whose_last_ten_seconds_are_not_recorded_yet_is_stale(late_bars: int) -> None:
    """Fail closed: an entry is never made of the bars before."""
    row = int(np.flatnonzero(decide(frames(), HEAD, FEEDS).side)[0])
    few = cut(int(frames()["1m"].time[row]) + made.MINUTE)
    few["10s"] = part(few["10s"], 0, len(few["10s"]) - late_bars)
    verdict = decide(few, HEAD, FEEDS).verdict(-1)
    assert verdict.code == ("data_stale:trades" if late_bars else "ok")


def test_without_trades_no_bar_of_ten_seconds_is_read() -> None:
    decisions = decide({k: v for k, v in frames().items() if k != "10s"}, HEAD, (Feed.CANDLES,))
    assert decisions.light
    assert not [name for name in decisions.columns if name.endswith("_10s")]
