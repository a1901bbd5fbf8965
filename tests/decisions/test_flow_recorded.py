"""HydraFlow with trades on a recorded tape: codes are sane, and what flow adds is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from bars.freqtrade_flow import trades_of
from bars.test_flow_recorded import BITFLYER
from decisions.test_recorded import NEEDS_DATA

from hydra_ft.adapter.heads import load_rules
from hydra_ft.bars.candles import part, timeframe_ms
from hydra_ft.bars.flow_columns import flow_columns, with_flow
from hydra_ft.bars.flow_tables import candles
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.pipeline import decide
from hydra_ft.types import Bars, Feed, Regime

pytestmark = NEEDS_DATA

RULES = load_rules("HydraFlow", Path(__file__).parents[2] / "strategies")
STRETCH = 5
"""The tape is five days long, and the regime needs ten of hours: each second becomes five."""


def stretched() -> dict[str, Bars]:
    trades = trades_of(BITFLYER.frame())
    trades = replace(trades, time=trades.time[0] + STRETCH * (trades.time - trades.time[0]))
    frames = {}
    for timeframe in RULES.timeframes:
        flow = flow_of(trades, BITFLYER.grid, timeframe_ms(timeframe), contiguous_ids=False)
        bars = candles(flow.bars)
        beside = (
            with_flow(bars, flow)
            if timeframe == RULES.base
            else replace(bars, flow=flow_columns(flow.bars))
        )
        # The first and the last bar are partly uncovered.
        frames[timeframe] = part(beside, 1, -1)
    return frames


def test_a_tape_is_decided_with_its_flow_and_without_and_both_trade() -> None:
    """F5, P3: every bar has a code, all states come up, and both exits by flow ask, seldom."""
    frames = stretched()
    deaf, heard = (
        decide(frames, RULES, feeds) for feeds in ((Feed.CANDLES,), (Feed.CANDLES, Feed.TRADES))
    )
    for found in (deaf, heard):
        assert sum(found.counts().values()) == len(found)
        assert found.counts()["ok"] > 100
        assert not found.errors
        known = np.isfinite(found.regime_confidence)
        assert set(found.regime[known]) == {int(state) for state in Regime}
    assert "data_stale:trades" not in heard.counts()
    assert (heard.numbers["chop_score"] != deaf.numbers["chop_score"]).any()
    assert (
        np.nanmin(heard.numbers["flow_part"]) < -0.9 < 0.9 < np.nanmax(heard.numbers["flow_part"])
    )
    for tag in ("value_rejected", "flow_reversal"):
        asked = [
            (tags == EXIT_TAGS.index(tag)).sum()
            for tags in (heard.exit_long_tag, heard.exit_short_tag)
        ]
        assert 0 < sum(asked) < 0.01 * len(heard), tag
        assert not (deaf.exit_long_tag == EXIT_TAGS.index(tag)).any()
