"""Fifty symbols at once: real names, sane contracts, and a quick start."""

from __future__ import annotations

import json
from pathlib import Path

import freqtrade
import pytest
import requests

from loopback_exchange import DEFAULT_SYMBOLS, Market, Server, symbols

MINUTE_MS, DAY_MS = 60_000, 86_400_000
START = 20_400 * DAY_MS


def test_the_eight_of_always_come_first() -> None:
    assert symbols(8) == DEFAULT_SYMBOLS
    assert symbols(1) == ("BTCUSDT",)
    assert len(set(symbols(50))) == 50


@pytest.mark.parametrize("count", [0, 51])
def test_only_so_many_are_known(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 50 known symbols; {count} were"):
        symbols(count)


def test_freqtrade_knows_the_leverage_of_each() -> None:
    tiers = Path(freqtrade.__file__).parent / "exchange" / "binance_leverage_tiers.json"
    known = json.loads(tiers.read_text())
    names = {f"{name.removesuffix('USDT')}/USDT:USDT" for name in symbols(50)}
    assert names <= set(known)


@pytest.fixture(scope="module")
def market() -> Market:
    """Fifty symbols of seed 7."""
    return Market(7, symbols(50))


@pytest.mark.parametrize("name", symbols(50))
def test_a_contract_is_plausible(market: Market, name: str) -> None:
    spec = market.spec(name)
    assert 500 < spec.start_price / float(spec.tick) < 1e6  # a tick is 0.01 to 20 bps
    assert float(spec.step) * spec.start_price < 200  # the smallest order is affordable
    rows = market.days_of(name, START, 2)
    assert (rows["low"] > 0).all()
    assert (rows["high"] > rows["low"]).mean() > 0.6
    turnover = float(rows["quote"].mean())
    assert 0.2 < turnover / spec.minute_notional < 5


def test_fifty_symbols_are_served() -> None:
    with Server(Market(11, symbols(50))) as server, requests.Session() as session:
        info = session.get(f"{server.url}/fapi/v1/exchangeInfo", timeout=60).json()
        for row in info["symbols"]:
            params = {"symbol": row["symbol"], "interval": "1m", "limit": 200}
            got = session.get(f"{server.url}/fapi/v1/klines", params=params, timeout=60).json()
            assert len(got) == 200
    assert len(info["symbols"]) == 50
