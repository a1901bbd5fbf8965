"""What survives a restart of the exchange: orders, fills, balances, positions, client ids."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import ccxt
import pytest
import requests
import time_machine
from exchange.conftest import PAIR, client_options

from loopback_exchange import LoopbackError, Market, Server

if TYPE_CHECKING:
    from pathlib import Path

START_S = 20_500 * 86_400 + 60


def test_the_account_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "exchange.sqlite"
    server = Server(Market(7), store=file)
    with server:
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        client = ccxt.binance(client_options(server.url))
        client.set_leverage(5, PAIR)
        client.set_margin_mode("isolated", PAIR, {"leverage": 5})
        client.create_order(PAIR, "market", "buy", 0.5)
        resting = client.create_order(PAIR, "limit", "sell", 0.5, 61000.0, {"clientOrderId": "tp"})
        server.control.fill("BTCUSDT", int(resting["id"]), 0.2)
        before = server.control.state()
        at = server.exchange.ledger.matched_ms
    with server:
        assert server.control.state() == before
        assert server.exchange.ledger.matched_ms >= at
        found = client.fetch_order(None, PAIR, {"origClientOrderId": "tp"})
        assert (found["id"], found["filled"]) == (resting["id"], 0.2)
        server.control.print("BTCUSDT", 62000.0, 1, "buy")
        assert client.fetch_order(resting["id"], PAIR)["status"] == "closed"
        with pytest.raises(ccxt.MarginModeAlreadySet):
            client.set_margin_mode("isolated", PAIR, {"leverage": 5})
        again = client.create_order(PAIR, "limit", "buy", 0.1, 59000.0)
        assert int(again["id"]) == int(resting["id"]) + 1


def test_the_queue_before_an_order_survives_a_restart(tmp_path: Path) -> None:
    server = Server(Market(7), store=tmp_path / "exchange.sqlite")
    with server:
        server.control.book("BTCUSDT", 60000.0, 60000.1, 2, 2)
        client = ccxt.binance(client_options(server.url))
        order = client.create_order(PAIR, "limit", "buy", 1, 60000.0)
        server.control.print("BTCUSDT", 60000.0, 1.5, "sell")
    with server:
        server.control.print("BTCUSDT", 60000.0, 0.6, "sell")
        assert client.fetch_order(order["id"], PAIR)["filled"] == pytest.approx(0.1)


def test_trades_while_the_exchange_was_down_fill_resting_orders(tmp_path: Path) -> None:
    with time_machine.travel(START_S, tick=False) as clock:
        server = Server(Market(7), store=tmp_path / "exchange.sqlite")
        with server:
            client = ccxt.binance(client_options(server.url))
            bid = client.fetch_order_book(PAIR, 5)["bids"][0][0]
            order = client.create_order(PAIR, "limit", "buy", 0.01, bid)
        clock.shift(86_400)
        with server:
            assert client.fetch_order(order["id"], PAIR)["status"] == "closed"


def test_a_kill_after_the_answer_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "exchange.sqlite"
    process, url = run_exchange("--port", "0", "--state", str(file), "--control")
    client = ccxt.binance(client_options(url))
    try:
        bid = client.fetch_order_book(PAIR, 5)["bids"][0][0]
        order = client.create_order(PAIR, "limit", "buy", 0.01, round(bid * 0.95, 1))
    finally:
        process.kill()
        process.wait(60)
    with Server(Market(7), store=file) as server:
        client = ccxt.binance(client_options(server.url))
        assert client.fetch_order(order["id"], PAIR)["clientOrderId"] == order["clientOrderId"]


def test_a_state_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are not the books of an exchange" * 50)
    with pytest.raises(LoopbackError, match=r"notes\.txt.*no exchange state"):
        Server(Market(7), store=file)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_stops_cleanly(number: signal.Signals) -> None:
    process, url = run_exchange("--port", "0", "--symbols", "BTCUSDT", "AVAXUSDT")
    try:
        info = requests.get(f"{url}/fapi/v1/exchangeInfo", timeout=60).json()
        assert [row["symbol"] for row in info["symbols"]] == ["BTCUSDT", "AVAXUSDT"]
        assert requests.get(f"{url}/_control/state", timeout=60).status_code == 404
        process.send_signal(number)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_command_names_a_port_that_is_taken() -> None:
    with Server(Market(7)) as server:
        command = [sys.executable, "-m", "loopback_exchange", "--port", str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"Expected port {server.port} on 127.0.0.1 to be free" in done.stderr
    assert "Traceback" not in done.stderr


def run_exchange(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Run the command; give the process and the address that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loopback_exchange", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_amounts_are_kept_as_exact_text(tmp_path: Path) -> None:
    server = Server(Market(7), store=tmp_path / "exchange.sqlite")
    with server:
        server.control.book("BTCUSDT", 60000.0, 60000.1)
        client = ccxt.binance(client_options(server.url))
        client.create_order(PAIR, "market", "buy", 0.333)
        [(_, body)] = server.exchange.store.all("fill")
        assert json.loads(json.dumps(body))["quote"] == "19980.0333"
