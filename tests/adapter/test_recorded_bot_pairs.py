"""The recorder of a bot follows the whitelist."""

from __future__ import annotations

import logging
from concurrent.futures import wait
from typing import TYPE_CHECKING

import pytest
from adapter.recorded_tape import PAIR
from adapter.test_recorded_bot_recorder import BINANCE, NOW, OTHER, Clock, Idle, begun, warned

from hydra_ft.adapter.recorded import bot_recorder
from hydra_ft.adapter.recorded.bot_recorder import BotRecorder
from hydra_ft.errors import StoreError
from hydra_ft.recorder_settings import RecorderSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> type[Idle]:
    made = type("Made", (Idle,), {"made": []})
    monkeypatch.setattr(bot_recorder, "Recorder", made)
    return made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hydra.sqlite'}"


def looked(bot: BotRecorder, pairs: list[str]) -> None:
    """Look, and once more when the recorder has answered."""
    bot.look(pairs, NOW)
    asking = bot._pairs._asking
    if asking is not None:
        wait([asking], 5)
        bot.look(pairs, NOW)


def test_a_pair_that_joins_the_whitelist_is_recorded_and_one_that_left_for_an_hour_is_not(
    url: str, idle: type[Idle], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    bot = BotRecorder(url, BINANCE, [PAIR], RecorderSettings(), clock_s=clock)
    looked(bot, [PAIR])
    looked(bot, [OTHER])
    assert idle.made == [[PAIR], [OTHER, PAIR]]
    assert f"joined: {OTHER}; let go: none" in caplog.text
    for _ in range(59):
        clock.now_s += 60
        looked(bot, [OTHER])
        looked(bot, [])  # a pairlist that has failed
    assert len(idle.made) == 2
    clock.now_s += 60
    looked(bot, [OTHER])
    assert idle.made[2:] == [[OTHER]]
    assert f"joined: none; let go: {PAIR}" in caplog.text
    looked(bot, [OTHER, PAIR])  # a minute after the last change at the earliest
    assert len(idle.made) == 3
    clock.now_s += 60
    looked(bot, [OTHER, PAIR])
    assert idle.made[3:] == [[OTHER, PAIR]]
    assert len(warned(caplog)) == 0
    bot.stop()


def test_pairs_that_cannot_be_taken_up_are_told_of_and_asked_for_again(
    url: str, idle: type[Idle], caplog: pytest.LogCaptureFixture
) -> None:
    clock, idle.refuses = Clock(), StoreError("disk")
    bot = BotRecorder(url, BINANCE, [PAIR], RecorderSettings(), clock_s=clock)
    begun(bot)
    looked(bot, [PAIR, OTHER])
    assert warned(caplog) == ["Pairs that joined cannot be recorded yet: StoreError: disk"]
    clock.now_s += 60
    idle.refuses = None
    looked(bot, [PAIR, OTHER])
    assert idle.made == [[PAIR], [PAIR, OTHER], [PAIR, OTHER]]
    assert bot._pairs.names == (PAIR, OTHER)
    bot.stop()
