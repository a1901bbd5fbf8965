"""The recorder of a bot: one on a database, its end said once, its lock gone with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from adapter.recorded_tape import PAIR

from hydra_ft.adapter.recorded.bot_recorder import BotRecorder
from hydra_ft.adapter.recorded.live_feeds import is_wanted
from hydra_ft.errors import FeedError
from hydra_ft.recorder_settings import RecorderSettings
from hydra_ft.settings import load_settings
from hydra_ft.store.sole import TakenError, sole

if TYPE_CHECKING:
    from pathlib import Path

BINANCE: dict[str, Any] = {"name": "binance"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hydra.sqlite'}"


def test_another_recorder_is_used_and_none_started(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with sole(url, "recorder-binance"):
        bot = BotRecorder(url, BINANCE, [PAIR], RecorderSettings())
        assert not bot.is_ours
        assert bot.state == "another recorder works on the database"
        bot.look([PAIR])
        bot.stop()
        (message,) = caplog.messages
        assert "another recorder is used, none started" in message
        assert "was process" in message
        with pytest.raises(TakenError), sole(url, "recorder-binance"):
            pass


def test_its_end_is_said_once_and_its_lock_goes_with_the_bot(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A whitelist without pairs ends it at once: nothing is asked of any exchange."""
    bot = BotRecorder(url, BINANCE, [], RecorderSettings())
    bot._thread._thread.join(10)  # type: ignore[union-attr]
    for _ in range(3):
        bot.look([PAIR])
    (message,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert "expected to run, it has ended" in message
    assert "pairs: expected 1 to 200 of them, was 0" in message
    assert "which blocks entries" in message
    assert "was 0" in bot.state
    with pytest.raises(TakenError), sole(url, "recorder-binance"):
        pass
    bot.stop()
    with sole(url, "recorder-binance"):
        pass


def test_an_exchange_that_cannot_be_recorded_stops_the_start(url: str) -> None:
    with pytest.raises(FeedError, match=r"exchange\.name: expected one that can be recorded"):
        BotRecorder(url, {"name": "kraken"}, [PAIR], RecorderSettings())


def test_nothing_is_added_to_a_bot_that_neither_reads_nor_records() -> None:
    assert not is_wanted(load_settings(None))
    assert not is_wanted(load_settings({"feeds": ["candles", "funding"]}))
    assert is_wanted(load_settings({"feeds": ["candles", "trades"]}))
    assert is_wanted(load_settings({"recorder": {"in_bot": True}}))
