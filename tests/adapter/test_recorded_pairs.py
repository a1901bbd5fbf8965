"""A bot keeps nothing of pairs that it trades no longer."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from adapter.recorded_tape import HOUR, START, flat_candles, made_flow, made_trades
from freqtrade.enums import RunMode

from hydra_ft.adapter.decisions.memories import Memories
from hydra_ft.adapter.decisions.stage_b import NoStageB
from hydra_ft.adapter.heads import load_rules
from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.head_frames import HeadFrames
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.bars.candles import same
from hydra_ft.settings import load_settings
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.types import Feed

if TYPE_CHECKING:
    import pytest

RULES = load_rules("HydraFlow", Path(__file__).parents[2] / "strategies")
FEEDS = frozenset((Feed.TRADES, Feed.LIQUIDATIONS))
PAIRS = [f"P{i}/USDT:USDT" for i in range(4)]
END = START + 3 * HOUR


def test_pairs_that_left_the_whitelist_are_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that comes back is read anew; an empty list, a pairlist that failed, changes nothing."""
    caplog.set_level(logging.INFO)
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    flow = made_flow(made_trades(3 / 24, per_minute=5), START, END)
    FlowStore(database, "binance").put([(pair, flow) for pair in PAIRS])
    config = {"runmode": RunMode.DRY_RUN, "user_data_dir": tmp_path}
    # Plain as a bot without recorded feeds of its own is: it lets go all the same.
    bot: Any = object.__new__(HydraStrategy)
    bot.config, bot.stage_b, bot.look_at_risk = config, NoStageB(), lambda _now: None
    bot.frames = frames = HeadFrames(RULES, FEEDS, config, load_settings(None))
    live = frames.live = RecordedFeeds(database, "binance", keeps=True)
    bot._memories, now = Memories(), datetime.now(UTC)
    bars = flat_candles(END, 20)
    for listed in [[pair] for pair in (*PAIRS, PAIRS[0])]:
        bot.dp = SimpleNamespace(current_whitelist=lambda listed=listed: listed)
        seen = live.beside(listed[0], bars, FEEDS)
        frames.states.see(listed[0], seen, END)
        bot._memories.of(listed[0])
        frames._held._read[listed[0], "1h"] = ([], bars)
        frames.states.tell()
        bot.bot_loop_start(now)
        assert {pair for pair, _ in frames._held._read} == set(listed)
        assert {key[0] for key in live._kept} == set(live._minutes) == set(listed)
        assert {pair for _feed, pair in frames.states.states} == set(bot._memories) == set(listed)
    assert same(seen, RecordedFeeds(database, "binance", keeps=False).beside(PAIRS[0], bars, FEEDS))
    bot.dp = SimpleNamespace(current_whitelist=list)
    bot.bot_loop_start(now)
    assert set(bot._memories) == {PAIRS[0]}
    assert set(live._minutes) == {PAIRS[0]}
    assert all(pair in caplog.text for pair in PAIRS)
    database.close()


def test_what_a_pair_lacked_is_not_told_once_it_has_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    frames = HeadFrames(RULES, FEEDS, {}, load_settings(None))
    bars = flat_candles(END, 3)
    seen = replace(bars, long_liquidated=bars.close, short_liquidated=bars.close)
    for pair in PAIRS[:2]:
        frames.states.see(pair, seen, END)
    frames.keep(PAIRS[1:])
    frames.states.tell()
    assert PAIRS[1] in caplog.text
    assert PAIRS[0] not in caplog.text
