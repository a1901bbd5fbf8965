"""How wide the bins of a recorded footprint are, and what a user may set of a recorder."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ccxt.base.errors import BadSymbol

from hydra_ft.errors import FeedError, PolicyError
from hydra_ft.feeds.recorder_markets import bins_of, markets_of, prices_of
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_setup import policy_of
from hydra_ft.recorder_settings import RecorderSettings

MARKET = {"precision": {"price": 0.1, "amount": 0.001}}


class Tickers:
    """What is used of a client; a stand-in, since no real one has a pair without a price."""

    def __init__(self, **last: float | None) -> None:
        self.markets, self._last = dict.fromkeys(last), last

    async def fetch_tickers(self, pairs: list[str]) -> dict[str, Any]:
        assert pairs
        return {pair: {"last": self._last[pair]} for pair in pairs}


@pytest.mark.parametrize(
    ("price", "kept_size", "bins"),
    [
        (60_000.0, 0.0, 50),
        (100_000.0, 0.0, 100),
        (10.0, 0.0, 1),
        # What is kept goes on while it is about right,
        (100_000.0, 5.0, 50),
        (60_000.0, 10.0, 100),
        # not when the price has left it behind, nor single ticks of before.
        (6_000.0, 5.0, 5),
        (60_000.0, 0.1, 50),
        (None, 5.0, 50),
        (None, 0.0, 1),
    ],
)
def test_a_bin_is_about_a_basis_point(price: float | None, kept_size: float, bins: int) -> None:
    assert bins_of(MARKET, price, kept_size) == bins


def test_a_tick_that_has_changed_keeps_the_width_of_the_bins() -> None:
    finer = {"precision": {"price": 0.01}}
    assert bins_of(finer, 60_000.0, 5.0) == 500
    assert bins_of({"precision": {}}, 60_000.0) == 1


def test_a_pair_without_a_price_or_a_market_is_left_out() -> None:
    client = Tickers(A=2.0, B=None)
    assert asyncio.run(prices_of(client, ["A", "B", "C"])) == {"A": 2.0}
    assert asyncio.run(prices_of(client, ["C"])) == {}


class Listed:
    """What a client says of its pairs."""

    id = "binance"

    def __init__(self, **markets: dict[str, Any]) -> None:
        self._markets = markets

    def market(self, pair: str) -> dict[str, Any]:
        if pair not in self._markets:
            raise BadSymbol(pair)
        return {"symbol": pair, **self._markets[pair]}


def test_a_pair_that_cannot_be_recorded_is_left_out_and_the_others_are_not() -> None:
    """GONE is not listed any more: with it in the whitelist nothing was recorded at all."""
    client = Listed(A=MARKET, INVERSE={**MARKET, "inverse": True}, STEPLESS={"precision": {}})
    pairs = ["A", "GONE", "INVERSE", "STEPLESS"]
    markets, left_out = markets_of(client, pairs, with_grid=True)
    assert list(markets) == ["A"]
    told = ("binance has", "inverse", "a tick and a lot")
    assert all(word in why for word, why in zip(told, left_out, strict=True))
    assert list(markets_of(client, pairs, with_grid=False)[0]) == ["A", "STEPLESS"]


def test_where_no_pair_is_left_it_says_why_of_each() -> None:
    with pytest.raises(FeedError, match=r"'GONE'; .*'LOST'"):
        markets_of(Listed(), ["GONE", "LOST"], with_grid=True)


def test_the_defaults_of_the_settings_are_those_of_the_recorder() -> None:
    assert policy_of(RecorderSettings()) == RecorderPolicy()


def test_every_number_that_is_set_arrives() -> None:
    chosen = RecorderSettings(
        grace_s=0.5, quiet_s=2, silence_s=9, refresh_s=700, refetch_per_minute=9, flush_s=3,
        stop_s=4, book_every_s=6, book_levels=7,
    )  # fmt: skip
    expected = RecorderPolicy(
        grace_ms=500, quiet_s=2, silence_s=9, refresh_every_s=700, refetch_per_minute=9,
        write_every_s=3, stop_s=4, book_every_s=6, book_levels=7,
    )  # fmt: skip
    assert policy_of(chosen) == expected


def test_a_recorder_without_a_feed_is_refused() -> None:
    with pytest.raises(PolicyError, match="expected feeds to name trades"):
        RecorderSettings(feeds=())
