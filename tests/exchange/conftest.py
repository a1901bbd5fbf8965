"""One server for the whole run, emptied before each test, and real ccxt clients for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from loopback_exchange import Market, Server, ccxt_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIR = "BTC/USDT:USDT"
FUTURES_CODES = ccxt.binance().exceptions["linear"]["exact"]


def client_options(url: str, *, merged: bool = True, **more: Any) -> dict[str, Any]:
    """Options of a ccxt client for a server; ``merged`` adds the futures-only error table."""
    options = {
        "apiKey": "loopback",
        "secret": "loopback",
        "enableRateLimit": False,
        "urls": {"api": ccxt_urls(url)},
        "options": {
            "defaultType": "swap",
            "fetchMarkets": {"types": ["linear"]},
            "fetchMargins": False,
        },
    }
    if merged:
        options["exceptions"] = {"exact": FUTURES_CODES}
    return {**options, **more}


@pytest.fixture(scope="session")
def session_server() -> Iterator[Server]:
    """The server that all tests of a run share."""
    with Server(Market(seed=7), control=True, api_key="loopback") as server:
        yield server


@pytest.fixture
def server(session_server: Server) -> Server:
    """The shared server with nothing in it, BTC's book pinned at 60000.0 / 60000.1."""
    session_server.reset()
    session_server.control.book("BTCUSDT", 60000.0, 60000.1, 2, 2)
    return session_server


@pytest.fixture(scope="session")
def session_client(session_server: Server) -> ccxt.binance:
    """A ccxt client that knows the markets."""
    client = ccxt.binance(client_options(session_server.url))
    client.load_markets()
    return client


@pytest.fixture
def client(server: Server, session_client: ccxt.binance) -> ccxt.binance:
    """A ccxt client of the emptied server."""
    return session_client
