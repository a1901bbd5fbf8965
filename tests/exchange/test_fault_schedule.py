"""Seeded schedules: they replay, keep their share, and leave a journal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import ccxt
import pytest
import requests
from exchange.conftest import PAIR

from loopback_exchange import FaultSchedule
from loopback_exchange.faults import FITS, ORDER_REQUESTS, FaultKind, Strike

if TYPE_CHECKING:
    from loopback_exchange import Server

ORDER = "/fapi/v1/order"
QUICK = ("answer_lost", "rate_limited", "server_error", "status_unknown", "cancel_rejected")
N = 4000


def drawn(schedule: FaultSchedule, n: int = N) -> list[tuple[tuple[str, str], int, str, dict]]:
    """Everything that a schedule would strike among the first n requests of each kind."""
    found = []
    for request in ORDER_REQUESTS:
        for number in range(1, n + 1):
            fault = schedule.strike(*request, number)
            if fault is not None:
                found.append((request, number, fault.kind, dict(fault.details)))
    return found


def test_the_same_seed_draws_the_same_faults_and_another_others() -> None:
    first, again, other = (drawn(FaultSchedule(seed, 0.2), 200) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
def test_the_share_of_requests_is_kept(share: float) -> None:
    assert len(drawn(FaultSchedule(3, share))) / (N * 5) == pytest.approx(share, rel=0.06)


def test_every_kind_is_drawn_and_only_where_it_fits() -> None:
    faults = drawn(FaultSchedule(4, 0.2))
    assert {kind for *_, kind, _ in faults} == set(FaultKind)
    assert all(request[0] in FITS[FaultKind(kind)] for request, _, kind, _ in faults)


def test_restarts_and_time_outs_are_rare_in_the_mix() -> None:
    kinds = Counter(kind for *_, kind, _ in drawn(FaultSchedule(5, 0.2)))
    requests_made = N * 5
    assert 1 / 450 < kinds["restart"] / requests_made < 1 / 200
    assert kinds["timeout_before"] + kinds["timeout_after"] < 0.08 * kinds.total()


def test_weights_choose_the_mix() -> None:
    schedule = FaultSchedule(6, 1.0, {"slow": 3, "answer_lost": 1})
    kinds = Counter(kind for *_, kind, _ in drawn(schedule, 500))
    assert kinds["slow"] / kinds.total() == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize(("share", "kinds"), [(1.5, None), (0.2, []), (0.2, {"slow": 0})])
def test_a_schedule_without_sense_is_refused(share: float, kinds: object) -> None:
    with pytest.raises(ValueError, match="it was"):
        FaultSchedule(1, share, kinds)


def trade(client: ccxt.binance, rounds: int) -> list[str]:
    """Place, read, list and cancel; give how each request ended."""
    ended = []

    def note(call: str, *arguments: object) -> None:
        try:
            getattr(client, call)(*arguments)
            ended.append("ok")
        except ccxt.BaseError as error:
            ended.append(type(error).__name__)

    for n in range(rounds):
        name = {"origClientOrderId": f"order-{n}"}
        note("create_order", PAIR, "limit", "buy", 0.1, 59000.0, {"newClientOrderId": f"order-{n}"})
        note("fetch_order", None, PAIR, name)
        note("fetch_open_orders", PAIR)
        note("cancel_order", None, PAIR, name)
    return ended


def without_time(journal: list[Strike]) -> list[tuple]:
    """A journal without the moments."""
    return [strike[1:] for strike in journal]


def test_a_run_replays_exactly(server: Server, client: ccxt.binance) -> None:
    runs = []
    for _ in range(2):
        server.reset()
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        server.faults.follow(FaultSchedule(11, 0.4, QUICK))
        runs.append((trade(client, 12), without_time(server.faults.journal)))
    assert runs[0] == runs[1]
    assert len(runs[0][1]) > 5
    assert set(runs[0][0]) > {"ok"}


def test_the_journal_names_the_order_and_counts_go_on(server: Server, client: ccxt.binance) -> None:
    server.faults.follow(FaultSchedule(1, 1.0, ["rate_limited"]))
    with pytest.raises(ccxt.DDoSProtection):
        client.create_order(PAIR, "limit", "buy", 0.1, 59000.0, {"newClientOrderId": "mine"})
    with pytest.raises(ccxt.DDoSProtection):
        client.cancel_order("17", PAIR)
    client.fetch_ticker(PAIR)
    first, second = server.faults.journal
    assert first[1:] == (1, "POST", ORDER, "rate_limited", "BTCUSDT", "", "mine")
    assert second[1:] == (1, "DELETE", ORDER, "rate_limited", "BTCUSDT", "17", "")
    assert (server.faults.seen, server.faults.hit) == (2, 2)


def test_a_pause_strikes_and_counts_nothing(server: Server, client: ccxt.binance) -> None:
    server.faults.follow(FaultSchedule(1, 1.0, ["rate_limited"]))
    server.faults.pause()
    client.fetch_open_orders(PAIR)
    assert (server.faults.seen, server.faults.hit) == (0, 0)
    server.faults.resume()
    with pytest.raises(ccxt.DDoSProtection):
        client.fetch_open_orders(PAIR)
    server.reset()
    client.fetch_open_orders(PAIR)
    assert server.faults.journal == []


def test_a_planned_fault_goes_before_the_schedule(server: Server, client: ccxt.binance) -> None:
    server.faults.follow(FaultSchedule(1, 1.0, ["rate_limited"]))
    server.control.fault("server_error", "GET", "/fapi/v1/openOrders")
    with pytest.raises(ccxt.ExchangeNotAvailable):
        client.fetch_open_orders(PAIR)
    assert server.faults.journal[0].kind == "server_error"


def test_a_schedule_over_http(server: Server, client: ccxt.binance) -> None:
    control = f"{server.url}/_control/schedule"
    body = {"seed": 1, "share": 1.0, "kinds": {"rate_limited": 2}}
    assert requests.post(control, json=body, timeout=60).status_code == 200
    with pytest.raises(ccxt.DDoSProtection):
        client.fetch_open_orders(PAIR)
    requests.put(control, json={"paused": True}, timeout=60)
    client.fetch_open_orders(PAIR)
    state = requests.get(control, timeout=60).json()
    assert (state["seen"], state["hit"]) == (1, 1)
    assert state["journal"][0]["kind"] == "rate_limited"
    answer = requests.post(control, json={"seed": 1, "share": 2}, timeout=60)
    assert "share lies between 0 and 1" in answer.json()["error"]
