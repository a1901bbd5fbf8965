"""What became of a parent shows through freqtrade's own REST interface."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2e.commands import sent
from e2e.test_entries import part
from e2e.test_exits import leave
from freqtrade.rpc.api_server import ApiServer

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from e2e.rig import Rig

pytestmark = pytest.mark.e2e
NAME, WORD, KEY = "somebody", "loopback", "a key of no worth, but long enough"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Iterator[Rig]:
    yield rigged(
        api_server={
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": free_port(),
            "username": NAME,
            "password": WORD,
            "jwt_secret_key": KEY,
            "ws_token": KEY,
        }
    )
    ApiServer.shutdown()


def ask(rig: Rig, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
    """Call freqtrade's REST interface, as FreqUI does."""
    port = rig.bot.config["api_server"]["listen_port"]
    url = f"http://127.0.0.1:{port}/api/v1/{path}"
    answer = httpx.request(method, url, json=body, auth=(NAME, WORD), timeout=60)
    return answer.raise_for_status().json()


def summaries(rig: Rig, trade_id: int) -> dict[str, Any]:
    """Give what Hydra noted on a trade, by key."""
    (of_trade,) = ask(rig, f"trades/{trade_id}/custom-data")
    assert of_trade["trade_id"] == trade_id
    return {entry["key"]: entry["value"] for entry in of_trade["custom_data"]}


def test_the_summaries_of_an_entry_and_an_exit_show(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.4))
    rig.move(5)
    rig.step(5, times=2)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    trade_id = rig.trade().id
    (of_open,) = ask(rig, "trades/open/custom-data?key=hydra_entry")
    assert of_open["trade_id"] == trade_id
    leave(rig, Side.LONG)
    rig.move(-5)
    rig.step(5, times=2)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    shown = summaries(rig, trade_id)
    parents = rig.parents()
    for parent, summary in zip(parents, (shown["hydra_entry"], shown["hydra_exit"]), strict=True):
        assert summary["key"] == parent.key
        assert summary["end_reason"] == parent.end_reason == "filled"
        assert summary["requotes"] == parent.requotes == 1
        assert summary["filled"] == pytest.approx(target)
        assert summary["arrival_price"] == parent.arrival_price
        assert summary["total_bps"] == pytest.approx(
            sum(summary[f"{name}_bps"] for name in ("delay", "trading", "fee", "opportunity")),
            abs=1e-5,
        )
        assert summary["maker_share"] == 1.0


def test_an_entry_that_is_cancelled_by_rest_ends_and_shows_what_it_had(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.4))
    rig.step(1, times=2)
    before = sent(rig)
    ask(rig, f"trades/{rig.trade().id}/open-order", "DELETE")
    rig.step(1, times=10)
    assert sent(rig) == before
    summary = summaries(rig, rig.trade().id)["hydra_entry"]
    assert summary["end_reason"] == "cancelled_elsewhere"
    assert (summary["filled"], summary["target"]) == (part(target, 0.4), target)
    rig.check_books()


def test_an_exit_that_is_forced_by_rest_in_mid_chase_takes_over(rig: Rig) -> None:
    rig.hold()
    leave(rig, Side.LONG)
    rig.step(1, times=2)
    trade_id = rig.trade().id
    ask(rig, "forceexit", "POST", {"tradeid": str(trade_id), "ordertype": "market"})
    rig.step(1, times=3)
    assert rig.position() == 0
    assert summaries(rig, trade_id)["hydra_exit"]["end_reason"] == "operator"
    rig.check_books()
