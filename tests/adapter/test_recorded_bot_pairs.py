"""The recorder of a bot follows the whitelist."""

from __future__ import annotations

import logging
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from adapter.recorded_tape import PAIR
from adapter.test_recorded_bot_recorder import (
    BINANCE,
    NOW,
    OTHER,
    Clock,
    Idle,
    begun,
    idle,
    url,
    warned,
)

from hydra_ft.adapter.recorded.bot_pairs import BotPairs
from hydra_ft.adapter.recorded.bot_recorder import BotRecorder
from hydra_ft.errors import StoreError
from hydra_ft.recorder_settings import RecorderSettings

if TYPE_CHECKING:
    import pytest

__all__ = ["idle", "url"]


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


class Follows:
    """Stands for the thread of a recorder that takes each change; how many there were."""

    def __init__(self) -> None:
        self.changes = 0

    def follow(self, _pairs: tuple[str, ...]) -> Future[bool]:
        self.changes += 1
        answer: Future[bool] = Future()
        answer.set_result(True)
        return answer


def after(pairs: BotPairs, lists: list[list[str]]) -> int:
    """Changes after one whitelist a minute."""
    thread = Follows()
    for minute, names in enumerate(lists, 1):
        pairs.look(thread, names, 61.0 * minute)  # type: ignore[arg-type]
        pairs.look(thread, names, 61.0 * minute + 1)  # type: ignore[arg-type]
    return thread.changes


MANY = [f"P{number}" for number in range(250)]


def test_of_too_many_pairs_those_of_open_trades_come_first_and_the_others_are_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pairs = BotPairs(MANY, 0.0, lambda: {"P249"})
    assert (len(pairs.names), set(pairs.names)) == (200, {*MANY[:199], "P249"})
    reordered = [[*MANY[k:], *MANY[:k]] for k in range(1, 100, 7)]
    assert after(pairs, reordered) == 0
    assert "P249" in pairs.names
    (told,) = warned(caplog)
    assert "P199, P200" in told
    assert "another hydra record" in told


def test_the_pair_of_an_open_trade_stays_where_others_join_a_full_recorder() -> None:
    pairs = BotPairs(MANY[:200], 0.0, lambda: {"P199"})
    assert after(pairs, [["NEW1", "NEW2", *MANY[:198], "P199"]]) == 1
    assert {"P199", "NEW1"} <= set(pairs.names)
    assert len(pairs.names) == 200


def test_pairs_that_come_and_go_at_a_full_recorder_take_new_lines_seldom() -> None:
    pairs = BotPairs(MANY[:200], 0.0, frozenset)
    lists = [[*MANY[:199], "A" if minute % 2 else "B"] for minute in range(60)]
    assert 1 <= after(pairs, lists) <= 7
