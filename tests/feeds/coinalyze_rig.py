"""A stand-in for Coinalyze, a client of it, and a time that passes only in their sleep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feeds.coinalyze_server import KEY, Coinalyze

from hydra_ft.feeds import coinalyze
from hydra_ft.feeds.coinalyze import shared_budget
from hydra_ft.feeds.http_json import Clock

if TYPE_CHECKING:
    from feeds.coinalyze_server import Coinalyze

    from hydra_ft.store.database import Database

BTC, ETH, INVERSE = "BTC/USDT:USDT", "ETH/USDT:USDT", "BTC/USD:BTC"
SYMBOL = "BTCUSDT_PERP.A"
MINUTE = 60_000
NOW = 1_790_640_030_000
"""Half a minute past a full one."""


@dataclass
class Hours:
    """A time that passes only while somebody sleeps."""

    at: int = NOW

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += int(seconds * 1000) + 1


def client_of(
    vendor: Coinalyze, database: Database, hours: Hours, key: str = KEY
) -> coinalyze.Coinalyze:
    clock = Clock(hours.now, hours.sleep)
    return coinalyze.Coinalyze(key, shared_budget(database, KEY), url=vendor.url, clock=clock)
