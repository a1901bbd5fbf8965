"""What freqtrade shows of Hydra: the chart of a pair, and results by tag and exit reason."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig
from e2e.telegram_server import CHAT, LONGEST_TEXT, TOKEN, TelegramServer
from e2e.test_exits import leave
from e2e.test_messages import chat, ended  # noqa: F401 - fixtures
from e2e.test_rest import KEY, NAME, WORD, ask, free_port
from freqtrade.persistence import Trade
from freqtrade.rpc.api_server import ApiServer
from freqtrade.rpc.telegram import Telegram

from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Bias, Regime, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.e2e
COMMANDS = ("/entries", "/exits", "/mix_tags", "/performance")


@pytest.fixture
def rig(
    rigged: Callable[..., Rig],
    chat: TelegramServer,  # noqa: F811
    ended: list[Telegram],  # noqa: F811
) -> Iterator[Rig]:
    """Build a bot with freqtrade's REST interface and a Telegram that only answers."""
    rig = rigged(
        head="TaggedHead",
        api_server={
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": free_port(),
            "username": NAME,
            "password": WORD,
            "jwt_secret_key": KEY,
            "ws_token": KEY,
        },
        telegram={
            "enabled": True,
            "token": TOKEN,
            "chat_id": str(CHAT),
            "allow_custom_messages": False,
            "notification_settings": dict.fromkeys(QUIET, "off"),
        },
    )
    chat.wait(lambda: "getUpdates" in chat.calls)
    yield rig
    (telegram,) = [m for m in rig.bot.rpc.registered_modules if isinstance(m, Telegram)]
    rig.bot.rpc.registered_modules.remove(telegram)
    asyncio.run_coroutine_threadsafe(telegram._cleanup_telegram(), telegram._loop).result(60)
    ended.append(telegram)
    ApiServer.shutdown()


QUIET = (
    "status",
    "warning",
    "startup",
    "entry",
    "entry_fill",
    "entry_cancel",
    "exit",
    "exit_fill",
    "exit_cancel",
)


def trade(rig: Rig, side: Side, reason: str) -> str:
    """Open a trade and have it end for a reason; return its enter tag."""
    rig.hold(side)
    tag = rig.trade().enter_tag
    if reason in EXIT_TAGS:
        leave(rig, side)
        rig.fill(rig.quantity())
    else:
        PLAN.enter.clear()
        rig.move(side.sign * rig.bid * {"roi": 0.015, "stop_loss": -0.03}[reason])
        rig.until(lambda: not rig.position() or rig.working_orders(), limit=30)
        if rig.position():
            rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.position() == 0
    assert rig.closed()[-1].exit_reason == reason
    return tag


def answer(chat: TelegramServer, command: str, messages: int = 1) -> list[str]:  # noqa: F811
    """Give what the bot answers to a command, after what came before."""
    before = len(chat.sent)
    chat.write(command)
    return chat.texts(before + messages)[before:]


def test_the_chart_of_a_pair_holds_every_column_that_is_drawn(rig: Rig) -> None:
    """FreqUI asks for the columns of the plot configuration, and for no others."""
    rig.step(5)
    config = ask(rig, "plot_config")
    assert set(config) == {"main_plot", "subplots"}
    drawn = [key for lines in (config["main_plot"], *config["subplots"].values()) for key in lines]
    whole = ask(rig, f"pair_candles?pair={BTC}&timeframe=1m")
    assert set(drawn) <= set(whole["columns"])
    states = {column for column in whole["columns"] if column.startswith("hydra_")}
    assert states - set(drawn) == {"hydra_max_hold_s"}
    body = {"pair": BTC, "timeframe": "1m", "columns": drawn, "limit": 200}
    asked = ask(rig, "pair_candles", "POST", body)
    assert set(drawn) <= set(asked["columns"])
    assert asked["length"] == 200
    assert asked["annotations"]


def test_the_chart_of_a_pair_shows_regimes_stops_and_targets(rig: Rig) -> None:
    rig.hold(Side.LONG)
    PLAN.enter.clear()
    rig.step(5, times=30)
    shown = ask(rig, f"pair_candles?pair={BTC}&timeframe=1m")
    rows = [dict(zip(shown["columns"], row, strict=True)) for row in shown["data"]]
    boxes = [one for one in shown["annotations"] if one["type"] == "area"]
    known = [row for row in rows if row["hydra_regime_confidence"] is not None]
    assert known
    assert {box["label"] for box in boxes} == {Regime(row["hydra_regime"]).name for row in known}
    entered = next(row for row in rows if row["hydra_entry"])
    lines = [one for one in shown["annotations"] if one["type"] == "line"]
    assert [line["label"] for line in lines] == ["stop 1.0%", "target 2.0%"]
    assert [line["y_start"] / entered["close"] for line in lines] == pytest.approx([0.99, 1.02])
    assert {line["start"] for line in lines} == {entered["date"]}
    assert all(entered["date"] < line["end"] <= rows[-1]["date"] for line in lines)


def test_results_are_broken_down_by_tag_and_by_reason(
    rig: Rig,
    chat: TelegramServer,  # noqa: F811
) -> None:
    ends = [
        (Side.LONG, "bias_flip"),
        (Side.SHORT, "regime_turn"),
        (Side.LONG, "roi"),
        (Side.SHORT, "stop_loss"),
    ]
    tags = [trade(rig, side, reason) for side, reason in ends]
    for (side, _), tag in zip(ends, tags, strict=True):
        signal, regime, bias = tag.split("|")
        assert signal == ("trend_pullback" if side is Side.LONG else "adx_expansion")
        assert regime in Regime.__members__
        assert bias in Bias.__members__
    reasons = [reason for _, reason in ends]
    mixed = [f"{tag} {reason}" for tag, reason in zip(tags, reasons, strict=True)]
    counts = {row["enter_tag"]: row["count"] for row in ask(rig, "entries")}
    assert counts == {tag: tags.count(tag) for tag in tags}
    assert {row["exit_reason"]: row["count"] for row in ask(rig, "exits")} == dict.fromkeys(
        reasons, 1
    )
    assert {row["mix_tag"] for row in ask(rig, "mix_tags")} == set(mixed)
    (performance,) = ask(rig, "performance")
    assert (performance["pair"], performance["count"]) == (BTC, 4)
    expected = dict(zip(COMMANDS, (tags, reasons, mixed, [BTC]), strict=True))
    for command, names in expected.items():
        (text,) = answer(chat, command)
        assert all(name in text for name in names), text
    assert chat.refused == []


def test_all_tags_that_hydra_can_make_fit_into_messages(
    rig: Rig,
    chat: TelegramServer,  # noqa: F811
) -> None:
    """A long list comes in several messages; each is one that Telegram takes."""
    states = product(SIGNALS, Regime.__members__, Bias.__members__)
    tags = ["|".join((*state, "light")) for state in states]
    reasons = (*EXIT_TAGS[1:], "roi", "stop_loss")
    closed = [ended_trade(tag, reason) for tag, reason in product(tags, reasons)]
    Trade.session.add_all(closed)
    Trade.commit()
    before = len(chat.sent)
    chat.write("/mix_tags")
    chat.wait(lambda: sum(one.text.count("light") for one in chat.sent) >= len(closed), 30)
    texts = chat.texts(before + 2)[before:]
    assert len(texts) > 2
    assert max(len(text) for text in texts) <= LONGEST_TEXT
    for tag, reason in product(tags, reasons):
        assert any(f"{tag} {reason}" in text for text in texts)
    assert chat.refused == []


def ended_trade(tag: str, reason: str) -> Trade:
    """A trade that ended, as far as freqtrade's tables of results look at it."""
    return Trade(
        pair=BTC,
        exchange="binance",
        is_open=False,
        enter_tag=tag,
        exit_reason=reason,
        stake_amount=100.0,
        amount=0.01,
        open_rate=100.0,
        fee_open=0.0,
        fee_close=0.0,
        close_profit=0.01,
        close_profit_abs=1.0,
    )
