"""A parent sends at most two messages with the shipped configuration: placed, and done."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ccxt
import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig
from e2e.telegram_server import CHAT, TOKEN, TelegramServer
from e2e.test_entries import part
from e2e.test_exits import leave
from freqtrade.rpc.telegram import Telegram
from telegram.ext import Application
from waiting import HANG_S, wait_until

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.e2e
SHIPPED = Path(__file__).parents[2] / "config.json.example"
GREETINGS = ("*Exchange:*", "Searching for USDT pairs")
"""How what freqtrade says at its start begins, in Markdown."""


@pytest.fixture(scope="module")
def ended() -> Iterator[list[Telegram]]:
    """Wait once for all threads: freqtrade looks every 10 s whether its Telegram has stopped."""
    stopped: list[Telegram] = []
    yield stopped
    for telegram in stopped:
        telegram._thread.join(HANG_S)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[TelegramServer]:
    with TelegramServer() as server:

        def app(self: Telegram) -> Application:
            # Freqtrade's own line, with another address; nothing else of it is changed.
            token = self._config["telegram"]["token"]
            return Application.builder().token(token).base_url(server.base_url).build()

        monkeypatch.setattr(Telegram, "_init_telegram_app", app)
        yield server


@pytest.fixture
def rig(rigged: Callable[..., Rig], chat: TelegramServer, ended: list[Telegram]) -> Iterator[Rig]:
    """Build a bot with the Telegram section of the shipped configuration, switched on."""
    section: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))["telegram"]
    rig = rigged(telegram=section | {"enabled": True, "token": TOKEN, "chat_id": str(CHAT)})
    chat.wait(lambda: "getUpdates" in chat.calls)
    # They are sent side by side, and may take longer than any silence that one would wait for.
    chat.texts(len(GREETINGS))
    assert all(one.source.startswith(GREETINGS) for one in chat.sent), chat.sent
    chat.sent.clear()
    yield rig
    (telegram,) = [m for m in rig.bot.rpc.registered_modules if isinstance(m, Telegram)]
    rig.bot.rpc.registered_modules.remove(telegram)
    asyncio.run_coroutine_threadsafe(telegram._cleanup_telegram(), telegram._loop).result(HANG_S)
    ended.append(telegram)


def refuse(rig: Rig, times: int) -> None:
    """Let the exchange refuse the next orders by one of its rules."""
    api = rig.bot.exchange._api
    create, left = api.create_order, [None] * times

    def refused(*args: object, **kwargs: object) -> object:
        if not left:
            return create(*args, **kwargs)
        left.pop()
        raise ccxt.InvalidOrder("refused by the exchange")

    api.create_order = refused


def about(texts: list[str], what: str) -> str:
    """Give the one message of these that speaks of something; freqtrade sends side by side."""
    (text,) = [text for text in texts if what in text]
    return text


def requote(rig: Rig, by: float, times: int) -> None:
    for _ in range(times):
        rig.move(by)
        rig.step(5, times=2)


def test_an_entry_and_an_exit_say_two_things_each_however_often_they_requote(
    rig: Rig, chat: TelegramServer
) -> None:
    target = rig.enter()
    requote(rig, 5, times=5)
    rig.fill(part(target, 0.4))
    requote(rig, 5, times=1)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    leave(rig, Side.LONG)
    for _ in range(2):
        rig.fill(part(target, 0.2))
        requote(rig, -3, times=1)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    entry, leaving = rig.parents()
    assert (entry.requotes, leaving.requotes) == (6, 2)
    texts = chat.texts(4)
    assert len(texts) == 4
    about(texts, f"{BTC} long entry: working {target:g} at ")
    assert "6 requotes" in about(texts, f"{BTC} long entry: filled, {target:g} of {target:g} at ")
    about(texts, f"{BTC} long exit: working {target:g} at ")
    about(texts, f"{BTC} long exit: filled, {target:g} of {target:g} at ")
    assert chat.refused == []


def test_an_entry_that_never_fills_says_that_it_was_given_up(
    rig: Rig, chat: TelegramServer
) -> None:
    rig.enter(Side.SHORT)
    requote(rig, -5, times=3)
    PLAN.enter.clear()
    rig.step(30, times=5)
    assert rig.parents()[0].end_reason == "deadline"
    texts = chat.texts(2)
    assert len(texts) == 2
    about(texts, "short entry: working")
    about(texts, "short entry: deadline, nothing filled, 3 requotes")


def test_a_part_that_is_stopped_out_says_four_things(rig: Rig, chat: TelegramServer) -> None:
    """Reasons with an underscore in them arrive: Telegram takes it for Markdown."""
    target = rig.enter()
    rig.fill(part(target, 0.5))
    PLAN.enter.clear()
    rig.move(-0.03 * rig.bid)
    rig.step(1, times=3)
    assert rig.position() == 0
    texts = chat.texts(4)
    assert len(texts) == 4
    about(texts, "long entry: working")
    about(texts, f"long entry: stop loss, {part(target, 0.5):g} of {target:g}")
    assert "(stop loss)" in about(texts, "long exit: working")
    about(texts, "long exit: filled")
    assert chat.refused == []


def test_an_entry_whose_requote_is_refused_says_no_more(rig: Rig, chat: TelegramServer) -> None:
    rig.enter()
    refuse(rig, times=2)
    requote(rig, 5, times=1)
    rig.until(rig.working_orders, limit=30)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    texts = chat.texts(2)
    assert len(texts) == 2
    about(texts, "long entry: working")
    about(texts, "long entry: filled")


def test_entries_that_are_refused_for_good_are_told_once_by_the_breaker(
    rig: Rig, chat: TelegramServer
) -> None:
    """Nothing was placed, so the parents have nothing to say; each new bar tries again."""
    refuse(rig, times=100)
    PLAN.enter[BTC] = Side.LONG
    rig.until(lambda: rig.parents() and not rig.parents()[0].is_open, seconds=5, limit=60)
    assert rig.parents()[0].end_reason == "rejected"
    assert chat.texts(0) == []
    rig.step(5, times=36)
    (told,) = chat.texts(1)
    assert "no entries" in told
    assert len(rig.parents()) > 1
    assert rig.server.requests[("POST", "/fapi/v1/order")] == 0


def test_the_bot_answers_in_the_chat(rig: Rig, chat: TelegramServer) -> None:
    """The shipped configuration silences freqtrade's notes on orders, not freqtrade."""
    rig.enter()
    rig.step(1)
    chat.texts(1)
    chat.write("/count")
    assert "current" in chat.texts(2)[1]


def test_an_exit_that_is_forced_from_the_chat_ends_the_chased_one(
    rig: Rig, chat: TelegramServer
) -> None:
    """The command runs in Telegram's own thread, beside the loop; freqtrade answers nothing."""
    rig.hold()
    leave(rig, Side.LONG)
    rig.step(1, times=2)
    chat.texts(3)
    chat.write(f"/forceexit {rig.trade().id}")
    wait_until(lambda: not rig.position())
    rig.step(1, times=4)
    assert rig.position() == 0
    rig.check_books()
    assert [parent.end_reason for parent in rig.parents()] == ["filled", "filled"]
    texts = chat.texts(4)
    assert len(texts) == 4
    about(texts, "long exit: filled")
