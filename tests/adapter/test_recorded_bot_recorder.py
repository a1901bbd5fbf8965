"""The recorder of a bot: one on a database, begun again when it ends, its lock gone with it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
from adapter.recorded_tape import MINUTE, PAIR, START, made_flow, made_trades

from hydra_ft.adapter.recorded import bot_recorder
from hydra_ft.adapter.recorded.bot_recorder import BotRecorder
from hydra_ft.adapter.recorded.live_feeds import LiveFeeds, is_wanted
from hydra_ft.errors import FeedError, StoreError
from hydra_ft.recorder_settings import RecorderSettings
from hydra_ft.settings import load_settings
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.sole import TakenError, sole

if TYPE_CHECKING:
    from pathlib import Path

BINANCE: dict[str, Any] = {"name": "binance"}
OTHER = "SOL/USDT:USDT"
NOW = START + 30 * MINUTE
LOCK = "recorder-binance"


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Idle:
    """A recorder that records nothing: no exchange is asked. ``fails`` ends it at once."""

    fails: Exception | None = None
    refuses: Exception | None = None
    busy_s = 0.0
    made: list[list[str]]

    def __init__(self, _venue: object, pairs: list[str], *_rest: object, **_more: object) -> None:
        self.made.append(pairs)
        self._end = asyncio.Event()

    def stop(self) -> None:
        self._end.set()

    async def follow(self, pairs: tuple[str, ...]) -> bool:
        self.made.append(list(pairs))
        if self.refuses is not None:
            raise self.refuses
        return True

    async def run(self) -> None:
        time.sleep(self.busy_s)  # noqa: ASYNC251 - a loop that answers nobody
        if self.fails is not None:
            raise self.fails
        await self._end.wait()

    def health(self) -> None:
        raise FeedError("idle")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said at least as a warning, whatever level a test before has set."""
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> type[Idle]:
    made = type("Made", (Idle,), {"made": []})
    monkeypatch.setattr(bot_recorder, "Recorder", made)
    return made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hydra.sqlite'}"


def ended(bot: BotRecorder) -> None:
    """Wait until its thread has ended."""
    assert bot._thread is not None
    bot._thread._thread.join(60)


def begun(bot: BotRecorder) -> None:
    """Wait until its recorder has been made."""
    assert bot._thread is not None
    bot._thread.begun()


def is_locked(url: str) -> bool:
    try:
        with sole(url, LOCK):
            return False
    except TakenError:
        return True


def test_another_recorder_is_used_until_it_is_gone(
    url: str, idle: type[Idle], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock, settings = Clock(), RecorderSettings()
    with sole(url, LOCK):
        bot = BotRecorder(url, BINANCE, [PAIR], settings, clock_s=clock)
        assert not bot.is_ours
        assert bot.state == "another recorder works on the database"
        for _ in range(3):
            clock.now_s += settings.report_every_s
            bot.look([PAIR], NOW)
            ended(bot)
            bot.look([PAIR], NOW)
        (message,) = caplog.messages
        assert "another recorder is used, none started" in message
        assert "was process" in message
        # freqtrade's own --db-url names the database of its trades.
        assert message.endswith("or name another database with hydra.db_url")
    bot.look([PAIR], NOW)
    assert not idle.made
    clock.now_s += settings.report_every_s
    bot.look([PAIR, OTHER], NOW)
    begun(bot)
    assert bot.is_ours
    assert idle.made == [[PAIR, OTHER]]
    assert is_locked(url)
    bot.stop()
    assert not is_locked(url)


def test_pairs_that_the_other_recorder_leaves_out_are_told(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database, clock = Database(url), Clock()
    flow = made_flow(made_trades(1 / 48), START, NOW)
    FlowStore(database, "binance").put([(PAIR, flow)])
    with sole(url, LOCK):
        pairs = [PAIR, OTHER]
        bot = BotRecorder(url, BINANCE, pairs, RecorderSettings(), reading=database, clock_s=clock)
        for later in (0, 0, MINUTE, 10 * MINUTE):
            clock.now_s += 60
            bot.look(pairs, NOW + later)
            ended(bot)
            bot.look(pairs, NOW + later)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert [f"(--pairs): {OTHER}. Feeds" in told[0], f": {PAIR}, {OTHER}. Feeds" in told[1]] == [
        True,
        True,
    ]
    assert len(told) == 2
    bot.stop()
    database.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("error", "words"),
    [(StoreError("disk"), "StoreError: disk"), (KeyError("info"), "KeyError: 'info'")],
)
def test_its_end_is_said_once_with_its_reason_and_it_begins_again(
    error: Exception,
    words: str,
    url: str,
    idle: type[Idle],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, idle.fails = Clock(), error
    bot = BotRecorder(url, BINANCE, [PAIR], RecorderSettings(), clock_s=clock)
    ended(bot)
    for _ in range(3):
        bot.look([PAIR], NOW)
    told = [record.message for record in caplog.records if "blocks" in record.message]
    assert len(told) == 1
    assert f"expected to run, it has ended: {words}. It is begun again in 15 s" in told[0]
    assert words in bot.state
    assert not is_locked(url)
    idle.fails = None
    clock.now_s += 14
    bot.look([OTHER], NOW)
    assert idle.made == [[PAIR]]
    clock.now_s += 1
    bot.look([OTHER], NOW)
    begun(bot)
    assert bot.is_ours
    assert idle.made == [[PAIR], [OTHER]]
    bot.stop()


def test_what_keeps_ending_is_begun_again_more_and_more_seldom(
    url: str, idle: type[Idle], caplog: pytest.LogCaptureFixture
) -> None:
    clock, idle.fails = Clock(), StoreError("disk")
    bot = BotRecorder(url, BINANCE, [PAIR], RecorderSettings(), clock_s=clock)
    for _ in range(8):
        ended(bot)
        bot.look([PAIR], NOW)
        clock.now_s = bot._again_at_s
        bot.look([PAIR], NOW)
    pauses = [message.split(" s;")[0].split()[-1] for message in warned(caplog)]
    assert pauses == ["15", "30", "60", "120", "240", "480", "600", "600"]
    bot.stop()


def test_a_whitelist_that_is_empty_at_first_is_recorded_when_it_fills(
    url: str, idle: type[Idle], caplog: pytest.LogCaptureFixture
) -> None:
    bot = BotRecorder(url, BINANCE, [], RecorderSettings())
    bot.look([], NOW)
    assert len(warned(caplog)) == 1
    assert "the whitelist is empty" in bot.state
    assert not is_locked(url)
    bot.look([PAIR], NOW)
    begun(bot)
    assert bot.is_ours
    assert idle.made == [[PAIR]]
    bot.stop()


def test_a_recorder_that_does_not_end_in_time_keeps_its_lock_until_it_has(
    url: str,
    idle: type[Idle],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot_recorder, "_MORE_S", -0.9)
    idle.busy_s = 0.6
    first = BotRecorder(url, BINANCE, [PAIR], RecorderSettings(stop_s=1.0))
    first.stop()
    assert "its last seconds may be lost" in caplog.text
    second = BotRecorder(url, BINANCE, [PAIR], RecorderSettings(stop_s=1.0))
    assert not second.is_ours
    ended(first)
    assert not is_locked(url)


def test_a_lock_that_another_one_took_ends_it(url: str, idle: type[Idle]) -> None:
    """The server had ended our session (PostgreSQL), and another recorder was faster."""
    bot = BotRecorder(url, BINANCE, [PAIR], RecorderSettings())
    assert idle.made
    bot.look([PAIR], NOW)
    assert bot.is_ours
    bot._lost.set()
    bot.look([PAIR], NOW)
    ended(bot)
    assert not bot.is_ours


def test_ledger_and_database_are_closed_before_the_recorder_is_waited_for() -> None:
    done: list[str] = []

    class Plain:
        def ft_bot_cleanup(self) -> None:
            done.append("closed")

    class Bot(LiveFeeds, Plain):  # type: ignore[misc]
        pass

    class Asked:
        def ask_to_end(self) -> None:
            done.append("asked")

        def stop(self) -> None:
            done.append("waited for")

    bot: Any = object.__new__(Bot)
    bot.recorder, bot.frames = Asked(), type("Frames", (), {"reading": None})
    bot.ft_bot_cleanup()
    assert done == ["asked", "closed", "waited for"]


def test_an_exchange_that_cannot_be_recorded_stops_the_start(url: str) -> None:
    with pytest.raises(FeedError, match=r"exchange\.name: expected one that can be recorded"):
        BotRecorder(url, {"name": "kraken"}, [PAIR], RecorderSettings())


def test_nothing_is_added_to_a_bot_that_neither_reads_nor_records() -> None:
    assert not is_wanted(load_settings(None))
    assert not is_wanted(load_settings({"feeds": ["candles", "funding"]}))
    assert is_wanted(load_settings({"feeds": ["candles", "trades"]}))
    assert is_wanted(load_settings({"recorder": {"in_bot": True}}))
