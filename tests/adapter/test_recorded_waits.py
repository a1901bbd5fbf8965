"""A bot waits for what is recorded of a closed candle: once, not for long, and not for the dead."""

from __future__ import annotations

import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from adapter.recorded_tape import FIVE, MINUTE, PAIR, START, flat_candles, made_flow, made_trades
from sqlalchemy import event

from hydra_ft.adapter.history import shortfalls
from hydra_ft.adapter.recorded.feed_states import FeedStates
from hydra_ft.adapter.recorded.feeds import RecordedFeeds
from hydra_ft.adapter.recorded.flow_wait import (
    Awaited,
    FlowWait,
    books_of,
    liquidations_of,
    trades_of,
)
from hydra_ft.adapter.recorded.live_feeds import LiveFeeds
from hydra_ft.adapter.start import feeds_in_use
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.errors import HydraError
from hydra_ft.feeds.coinalyze import SOURCE as VENDOR
from hydra_ft.settings import load_settings
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import OWN, Proof, Stretch, cover
from hydra_ft.store.flow_markets import Markets
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hydra_ft.types import Bars

OTHER = "ETH/USDT:USDT"
CLOSE = START + 6 * FIVE
TRADES = made_trades(1 / 24, per_minute=30)
FLOW = HeadRules("Flow", (), (Feed.CANDLES, Feed.FUNDING, Feed.TRADES, Feed.LIQUIDATIONS))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> FlowStore:
    """Both pairs are recorded, but for the last minute of the candle."""
    made = FlowStore(database, "binance")
    flow = made_flow(TRADES, START, CLOSE - MINUTE)
    made.put([(PAIR, flow), (OTHER, flow)])
    return made


class Clock:
    """Sleeps at once, counts what was slept, and lets things happen meanwhile.

    Every answer of the database costs ``cost_s`` of it.
    """

    def __init__(self, store: FlowStore, **arrives: float) -> None:
        self.slept_s = self.now_s = self.cost_s = 0.0
        self._store, self._arrives = store, dict(arrives)

    def waiting(self, *feeds: Awaited, wait_s: float = 5.0) -> FlowWait:
        costly = [replace(one, kept=self._costly(one.kept)) for one in feeds]
        return FlowWait(costly, FIVE, wait_s, self.sleep, lambda: self.now_s)

    def _costly(self, kept: Callable[..., set[str]]) -> Callable[..., set[str]]:
        def asked(*given: Any) -> set[str]:
            self.now_s += self.cost_s
            return kept(*given)

        return asked

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.now_s += seconds
        for pair, at in {"btc": PAIR, "eth": OTHER}.items():
            if self._arrives.get(pair, 99.0) <= self.slept_s:
                del self._arrives[pair]
                self._store.put([(at, made_flow(TRADES, CLOSE - MINUTE, CLOSE))])


def test_it_waits_until_all_pairs_are_there(database: Database, store: FlowStore) -> None:
    clock = Clock(store, btc=0.5, eth=1.2)
    waiting = clock.waiting(trades_of(database, store.markets))
    assert waiting.wait([PAIR, OTHER], CLOSE + 1_000) == []
    assert clock.slept_s == pytest.approx(1.2, abs=0.11)


def test_it_waits_no_longer_than_it_may_and_once_a_candle(
    database: Database, store: FlowStore
) -> None:
    clock = Clock(store, btc=0.5)
    waiting = clock.waiting(trades_of(database, store.markets))
    assert waiting.wait([PAIR, OTHER], CLOSE + 1_000) == [OTHER]
    assert clock.slept_s == pytest.approx(5.0)
    assert waiting.wait([PAIR, OTHER], CLOSE + 60_000) == []
    assert clock.slept_s == pytest.approx(5.0)


def test_it_does_not_wait_for_what_nobody_records(database: Database, store: FlowStore) -> None:
    clock = Clock(store)
    later, waiting = CLOSE + 3 * FIVE, clock.waiting(trades_of(database, store.markets))
    assert waiting.wait([PAIR, "SOL/USDT:USDT"], later) == [PAIR, "SOL/USDT:USDT"]
    assert clock.slept_s == 0


def test_without_a_wait_nothing_is_asked(database: Database, store: FlowStore) -> None:
    clock = Clock(store, btc=0.0)
    clock.cost_s = 1.0
    waiting = clock.waiting(trades_of(database, store.markets), wait_s=0.0)
    assert waiting.wait([PAIR], CLOSE) == [PAIR]
    assert clock.now_s == 0


@pytest.mark.parametrize("cost_s", [0.02, 0.7, 4.0, 9.0])
def test_slow_answers_are_part_of_the_wait(
    database: Database, store: FlowStore, cost_s: float
) -> None:
    """All time counts, not what is slept alone: exits and orders stand behind it."""
    clock = Clock(store)
    clock.cost_s = cost_s
    proven(database, store, CLOSE - MINUTE)
    awaited = (trades_of(database, store.markets), liquidations_of(database, store.markets))
    assert clock.waiting(*awaited).wait([PAIR, OTHER], CLOSE + 1_000) == [PAIR, OTHER]
    assert clock.now_s <= 5.0 + cost_s


def test_a_clock_that_stands_ends_the_wait_too(database: Database, store: FlowStore) -> None:
    slept: list[float] = []
    awaited = trades_of(database, store.markets)
    FlowWait([awaited], FIVE, 5.0, slept.append, lambda: 7.0).wait([PAIR], CLOSE + 1_000)
    assert sum(slept) == pytest.approx(5.0)


def test_all_pairs_are_asked_for_in_one_query(database: Database, store: FlowStore) -> None:
    pairs = [f"P{i}/USDT:USDT" for i in range(200)]
    flow = made_flow(TRADES, CLOSE - 3 * MINUTE, CLOSE - MINUTE)
    store.put([(pair, flow) for pair in (*pairs, PAIR)])
    asked: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    markets = Markets(database, "binance")
    awaited = [of(database, markets) for of in (trades_of, liquidations_of, books_of)]
    clock = Clock(store)
    assert clock.waiting(*awaited, wait_s=1.0).wait(pairs, CLOSE + 1_000) == sorted(pairs)
    # The numbers once, two of each feed as it begins, then those of the trades, every 0.1 s.
    assert 12 <= len(asked) <= 18, asked


def proven(database: Database, store: FlowStore, stop: int, source: str = OWN) -> None:
    """Liquidations and books of the first pair are complete up to a time."""
    number = store.markets.number(PAIR)
    with database.transaction() as connection:
        feeds = (Feed.LIQUIDATIONS, Feed.BOOK)
        cover(connection, [Proof(number, feed, Stretch(START, stop), source) for feed in feeds])


@pytest.mark.parametrize("is_vendor", [False, True])
def test_liquidations_are_waited_for_where_they_are_recorded(
    database: Database, store: FlowStore, is_vendor: bool
) -> None:
    """A vendor's are there an hour later: nothing is waited for."""
    proven(database, store, CLOSE - 1_000, VENDOR if is_vendor else OWN)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 12:
            proven(database, store, CLOSE)

    waiting = FlowWait(
        [liquidations_of(database, store.markets)], FIVE, 5.0, sleep, lambda: 0.1 * len(slept)
    )
    assert waiting.wait([PAIR, OTHER], CLOSE + 1_000) == ([PAIR, OTHER] if is_vendor else [OTHER])
    assert len(slept) == (0 if is_vendor else 12)


def test_silent_liquidations_do_not_keep_a_pair_from_being_waited_for(
    database: Database, store: FlowStore
) -> None:
    clock, feeds = Clock(store, btc=0.5), liquidations_of(database, store.markets)
    waiting = clock.waiting(trades_of(database, store.markets), feeds)
    assert waiting.wait([PAIR], CLOSE + 1_000) == [PAIR]
    assert clock.slept_s == pytest.approx(0.5, abs=0.11)


@pytest.mark.parametrize("feeds", [{Feed.LIQUIDATIONS}, {Feed.TRADES}, {Feed.BOOK}])
def test_a_bot_waits_for_each_recorded_feed_that_is_listed(
    tmp_path: Path, database: Database, store: FlowStore, feeds: set[Feed]
) -> None:
    class Plain:
        def ft_bot_start(self, **_kwargs: Any) -> None:
            """Nothing more of a bot is needed."""

    class Bot(LiveFeeds, Plain):  # type: ignore[misc]
        timeframe = "5m"

    bot: Any = object.__new__(Bot)
    bot.feeds, bot.frames, bot.settings = frozenset(feeds), SimpleNamespace(), load_settings(None)
    exchange = {"name": "binance"}
    bot.config = {"exchange": exchange, "user_data_dir": tmp_path, "dry_run": False}
    proven(database, store, CLOSE - 1_000)
    bot.ft_bot_start()
    bot._wait._sleep = lambda _seconds: None
    assert bot._wait.wait([PAIR, OTHER], CLOSE) == [PAIR, OTHER]
    proven(database, store, CLOSE + FIVE + 1_000)
    store.put([(PAIR, made_flow(TRADES, CLOSE + FIVE - MINUTE, CLOSE + FIVE))])
    assert bot._wait.wait([PAIR, OTHER], CLOSE + FIVE) == [OTHER]
    bot.frames.reading.close()


def beside(database: Database, stop: int, pair: str = PAIR) -> Bars:
    feeds = RecordedFeeds(database, "binance", keeps=False)
    return feeds.beside(pair, flat_candles(stop, 6), (Feed.TRADES, Feed.LIQUIDATIONS))


def test_a_change_of_a_feed_is_one_line_with_age_and_what_is_missing(
    database: Database, store: FlowStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    states = FeedStates()
    for _ in range(2):
        for pair in (PAIR, OTHER):
            states.see(pair, beside(database, CLOSE, pair), CLOSE + 2_000)
        states.tell()
    trades, liquidations = caplog.messages
    assert trades.startswith("trades are not complete, nothing is entered (data_stale:trades): ")
    whole = "last whole bar 302 s old, 80 % of the newest bar, 83.3 % of the bars in use"
    assert trades.endswith(f"{PAIR} ({whole}), {OTHER} ({whole})")
    assert "(none whole, 0 % of the newest bar, 0.0 % of the bars in use)" in liquidations
    store.put([(PAIR, made_flow(TRADES, CLOSE - MINUTE, CLOSE))])
    states.see(PAIR, beside(database, CLOSE), CLOSE + 3_000)
    states.tell()
    assert caplog.messages[2:] == [f"trades are complete: {PAIR}"]
    assert states.states[Feed.TRADES, PAIR].age_s == 3.0


def test_a_test_says_what_is_not_kept_and_what_brings_it(
    database: Database, store: FlowStore
) -> None:
    base = beside(database, CLOSE)
    frames = dict.fromkeys(FLOW.timeframes, replace(base, funding_rate=np.ones(len(base))))
    listed = (Feed.CANDLES, Feed.FUNDING, Feed.TRADES, Feed.LIQUIDATIONS)
    trades, liquidations = shortfalls(PAIR, frames, FLOW, listed)
    assert "trades are complete in 5 of 6 5m candles, from 2026-01-01 00:00 to" in trades
    assert "data_stale:trades" in trades
    assert f"freqtrade download-data --dl-trades --pairs {PAIR}, then hydra data build" in trades
    assert "lists liquidations, but none are kept from 2026-01-01 00:00" in liquidations
    assert f"hydra data fetch --pairs {PAIR}" in liquidations
    assert 'set hydra.feeds to ["candles", "funding", "trades"]' in liquidations
    assert list(shortfalls(PAIR, frames, FLOW, (Feed.CANDLES, Feed.FUNDING))) == []


def test_what_freqtrade_brings_is_used_where_nothing_is_listed() -> None:
    assert feeds_in_use(FLOW, None) == {Feed.CANDLES, Feed.FUNDING}
    assert feeds_in_use(FLOW, (Feed.CANDLES, Feed.TRADES)) == {Feed.CANDLES, Feed.TRADES}


def test_a_feed_that_the_head_cannot_use_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    assert feeds_in_use(FLOW, (Feed.CANDLES, Feed.BOOK)) == {Feed.CANDLES}
    (message,) = caplog.messages
    assert "hydra.feeds: expected feeds that Flow can use (candles, funding, trades" in message
    assert "was also book" in message


@pytest.mark.parametrize("fails", ["recorder", "states"])
def test_what_fails_beside_it_costs_no_candle_its_wait(
    fails: str, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_given: object) -> None:
        raise HydraError("no thread can be begun")

    waited: list[tuple[list[str], int]] = []
    quiet = SimpleNamespace(look=lambda *_: None, tell=lambda: None)
    torn = SimpleNamespace(look=failing, tell=failing)
    bot: Any = object.__new__(LiveFeeds)
    bot.dp = SimpleNamespace(current_whitelist=lambda: [PAIR])
    bot._wait = SimpleNamespace(wait=lambda *given: waited.append(given))
    bot.recorder = torn if fails == "recorder" else quiet
    states = torn if fails == "states" else quiet
    bot.frames = SimpleNamespace(states=states)
    bot._look_at_feeds(CLOSE)
    assert waited == [([PAIR], CLOSE)]
    assert "no thread can be begun" in caplog.text
