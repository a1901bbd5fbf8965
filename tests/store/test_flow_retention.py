"""Dropping what is old does not keep others from writing."""

from __future__ import annotations

import pytest
from bars.flow_reference import GRID, START, made_trades

from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store import flow_retention
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.flow_retention import DAY_MS, forget_old

BTC = "BTC/USDT:USDT"
MINUTE = 60_000


@pytest.mark.parametrize("at_once", [1, 7, 59, 60, 61])
def test_a_bot_writes_its_orders_while_what_is_old_is_dropped(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """The sweep holds the only lock of an SQLite file for a part of its rows at a time."""
    store, bot = FlowStore(database, "binance"), Database(url)
    store.put(
        [(BTC, flow_of(made_trades(900), GRID, MINUTE, covered=(START, START + 10 * MINUTE)))]
    )
    written = []

    def bot_writes() -> None:
        written.append(Markets(bot, "binance").number(f"P{len(written)}/USDT:USDT"))

    monkeypatch.setattr(flow_retention, "AT_ONCE", at_once)
    now = START + 14 * DAY_MS + 10 * MINUTE
    assert forget_old(database, now, between=bot_writes) == 60
    assert len(written) == 60 // at_once
    assert store.last(BTC, 10_000, 1) is None
    assert store.last(BTC, MINUTE, 100) is not None
    bot.close()
