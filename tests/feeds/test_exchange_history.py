"""Open interest that the exchange drops after 30 days is kept for good."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hydra_ft.errors import FeedError
from hydra_ft.feeds.exchange_history import ExchangeHistory
from hydra_ft.feeds.history import History
from hydra_ft.store.database import Database
from hydra_ft.store.flow_coverage import covered
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets
from hydra_ft.types import Feed
from loopback_exchange import Market, Server, freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BTC = "BTC/USDT:USDT"
STEP = 300_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def exchange() -> Iterator[ExchangeHistory]:
    """The embedded exchange, as freqtrade's configuration names it."""
    with Server(Market(seed=7), api_key="loopback") as server:
        section = freqtrade_exchange_config(server.url)
        yield ExchangeHistory("binance", section["ccxt_config"], days=6)


def test_all_that_the_exchange_has_is_kept_once_and_then_only_what_is_new(
    exchange: ExchangeHistory, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    markets = Markets(database, "binance")
    kept = DerivativesStore(database, markets)
    history = History(database, markets, kept)
    now = int(time.time() * 1000)
    ago = now - 2 * DAY
    (first,) = history.archive(exchange, [BTC], ago)
    assert first.values >= 3 * DAY // STEP
    (second,) = history.archive(exchange, [BTC], now)
    assert 2 * DAY // STEP - 2 <= second.values <= 2 * DAY // STEP + 3
    found = kept.open_interest(BTC, 0, now)
    assert set(found.time[1:] - found.time[:-1]) == {STEP}
    assert (found.columns["amount"] > 0).all()
    assert (found.columns["value"] > 0).all()
    with database.transaction() as connection:
        (stretch,) = covered(connection, markets.number(BTC), Feed.OPEN_INTEREST)
    assert (stretch.start, stretch.stop) == (found.time[0], found.time[-1])
    (third,) = history.archive(exchange, [BTC], now)
    assert third.values <= 3
    database.close()


def test_pages_do_not_overlap_and_end_where_they_are_asked_to(exchange: ExchangeHistory) -> None:
    now = int(time.time() * 1000)
    pages = list(exchange.open_interest(BTC, now - 3 * DAY, now - DAY, STEP))
    times = [row[0] for page in pages for row in page]
    assert len(pages) == 2
    assert times == sorted(set(times))
    assert now - 3 * DAY <= times[0] < times[-1] < now - DAY


def test_an_exchange_without_such_a_history_is_named() -> None:
    with pytest.raises(FeedError, match="expected an exchange of ccxt, was 'nowhere'"):
        ExchangeHistory("nowhere")
    with pytest.raises(FeedError, match="kraken: expected a history of open interest"):
        ExchangeHistory("kraken")


def test_no_key_of_the_bot_is_used() -> None:
    given = {"apiKey": "k", "secret": "s", "password": "p", "timeout": 1234}
    client = ExchangeHistory("okx", given)._client
    assert (client.apiKey, client.secret, client.password) == (None, None, None)
    assert client.timeout == 1234


def test_a_pair_that_is_not_traded_there_is_named(exchange: ExchangeHistory) -> None:
    with pytest.raises(FeedError, match="expected open interest of XYZ/USDT:USDT from binance"):
        list(exchange.open_interest("XYZ/USDT:USDT", 0, DAY, STEP))
