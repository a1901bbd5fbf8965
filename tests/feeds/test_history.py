"""What Coinalyze tells of the past is kept once, when it is final, and proven or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from feeds.coinalyze_rig import BTC, ETH, INVERSE, MINUTE, NOW, SYMBOL
from feeds.coinalyze_server import market

from hydra_ft.feeds.coinalyze import SOURCE
from hydra_ft.feeds.history import History, vendor_markets
from hydra_ft.store.flow_coverage import Stretch, covered
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from feeds.coinalyze_rig import Hours
    from feeds.coinalyze_server import Coinalyze

    from hydra_ft.feeds import coinalyze
    from hydra_ft.store.database import Database


@dataclass
class Rig:
    """A database with a history to fill."""

    database: Database
    vendor: Coinalyze
    client: coinalyze.Coinalyze

    def __post_init__(self) -> None:
        self.markets = Markets(self.database, "binance")
        self.kept = DerivativesStore(self.database, self.markets)
        self.history = History(self.database, self.markets, self.kept)
        self.wanted, self.unknown = vendor_markets(
            self.client.markets("binance"), [BTC, ETH, INVERSE, "XYZ/USDT:USDT"]
        )

    def covered(self, pair: str, feed: Feed = Feed.LIQUIDATIONS) -> list[Stretch]:
        with self.database.transaction() as connection:
            return covered(connection, self.markets.number(pair), feed, source=SOURCE)

    def froms(self) -> list[int]:
        return [
            int(query["from"]) * 1000 for path, query, _ in self.vendor.asked if "history" in path
        ]


@pytest.fixture
def rig(database: Database, vendor: Coinalyze, client: coinalyze.Coinalyze) -> Rig:
    return Rig(database, vendor, client)


END = NOW // MINUTE * MINUTE - MINUTE
"""End of the last minute that is final: it has been over for a minute."""


def test_liquidations_are_fetched_once_and_only_when_they_are_final(rig: Rig, hours: Hours) -> None:
    """F-A7: l is what longs lost, whatever side the orders had."""
    first, late = END - 700 * MINUTE, END + 10_000
    rig.vendor.liquidated[SYMBOL] = [(first, 100.0, 0.0), (END - 1, 3.0, 4.0), (late, 9.0, 9.0)]
    assert rig.unknown == ["XYZ/USDT:USDT"]
    told = list(rig.history.liquidations(rig.client, rig.wanted, hours.now()))
    assert [(one.pair, one.values) for one in told] == [(BTC, 2), (ETH, 0), (INVERSE, 0)]
    found = rig.kept.liquidation_minutes(BTC, 0, NOW, source=SOURCE)
    assert found.time.tolist() == [first, END - MINUTE]
    assert found.columns["long_notional"].tolist() == [100.0, 3.0]
    assert found.columns["short_notional"].tolist() == [0.0, 4.0]

    hours.at += 5 * MINUTE
    again = list(rig.history.liquidations(rig.client, rig.wanted[:1], hours.now()))
    assert [one.values for one in again] == [2]  # the last minutes once more, and the new one
    assert rig.froms() == [END - 2_000 * MINUTE, END - 10 * MINUTE]
    found = rig.kept.liquidation_minutes(BTC, 0, NOW, source=SOURCE)
    assert found.columns["long_notional"].tolist() == [100.0, 3.0, 9.0]


def test_calm_is_proven_only_where_the_vendor_surely_has_data(rig: Rig, hours: Hours) -> None:
    """Of a pair without one liquidation nobody knows whether the vendor has any at all."""
    rig.vendor.liquidated[SYMBOL] = [(END - 5 * MINUTE, 1.0, 1.0)]
    list(rig.history.liquidations(rig.client, rig.wanted, hours.now()))
    assert rig.covered(ETH) == []
    (stretch,) = rig.covered(BTC)
    assert stretch == Stretch((NOW - 1_500 * MINUTE) // MINUTE * MINUTE, END)
    rig.vendor.liquidated[SYMBOL] = []
    hours.at += 3 * MINUTE
    list(rig.history.liquidations(rig.client, rig.wanted, hours.now()))
    assert [one.stop for one in rig.covered(BTC)] == [END + 3 * MINUTE]


def test_a_pair_that_is_not_in_the_answer_is_not_taken_for_calm(rig: Rig, hours: Hours) -> None:
    rig.vendor.liquidated[SYMBOL] = [(END - 5 * MINUTE, 1.0, 1.0)]
    list(rig.history.liquidations(rig.client, rig.wanted, hours.now()))
    before = rig.covered(BTC)
    hours.at += 300 * MINUTE
    rig.vendor.unnamed.add(SYMBOL)
    told = list(rig.history.liquidations(rig.client, rig.wanted, hours.now()))
    assert {(one.pair, one.stop) for one in told if one.pair == BTC} == {(BTC, 0)}
    assert rig.covered(BTC) == before
    rig.vendor.unnamed.clear()
    list(rig.history.liquidations(rig.client, rig.wanted, hours.now()))
    assert rig.covered(BTC)[-1].stop == END + 300 * MINUTE


def test_after_a_long_absence_the_hole_stays_a_hole(rig: Rig, hours: Hours) -> None:
    rig.vendor.liquidated[SYMBOL] = [(END - 5 * MINUTE, 1.0, 1.0)]
    list(rig.history.liquidations(rig.client, rig.wanted[:1], hours.now()))
    hours.at += 5_000 * MINUTE
    rig.vendor.liquidated[SYMBOL].append((hours.at - 100 * MINUTE, 2.0, 0.0))
    list(rig.history.liquidations(rig.client, rig.wanted[:1], hours.now()))
    one, two = rig.covered(BTC)
    assert one.stop == END
    assert two.start >= hours.at - 1_501 * MINUTE


def test_open_interest_stands_at_the_time_at_which_it_was(rig: Rig, hours: Hours) -> None:
    """The value of an interval's end is not known at its beginning."""
    rig.vendor.open_interest[SYMBOL] = float
    rig.vendor.open_interest["BTCUSD_PERP.A"] = lambda t: t / 2
    told = list(rig.history.open_interest(rig.client, rig.wanted, hours.now()))
    step = 5 * MINUTE
    end = (NOW - MINUTE) // step * step
    found = rig.kept.open_interest(BTC, 0, NOW, source=SOURCE)
    assert found.time.tolist() == [end - i * step for i in range(1_999, -1, -1)]
    assert found.columns["amount"].tolist() == found.time.tolist()
    inverse = rig.kept.open_interest(INVERSE, 0, NOW, source=SOURCE)
    assert inverse.columns["value"].tolist() == [t / 2 for t in inverse.time.tolist()]
    assert [(one.pair, one.values, one.stop) for one in told] == [
        (BTC, 2_000, end),
        (ETH, 0, 0),
        (INVERSE, 2_000, end),
    ]
    assert [one.stop for one in rig.covered(BTC, Feed.OPEN_INTEREST)] == [end]


def test_more_pairs_than_a_request_takes_are_asked_for_in_parts(
    rig: Rig, vendor: Coinalyze, hours: Hours
) -> None:
    """50 pairs are 50 calls: 20 and 20 at once, the rest when the minute is over."""
    vendor.markets = [market(f"C{i:02}") for i in range(50)]
    known = rig.client.markets("binance")
    vendor.asked.clear()
    for i, symbol in enumerate(row["symbol"] for row in vendor.markets):
        vendor.liquidated[symbol] = [(END - MINUTE, float(i), 0.0)]
    told = list(rig.history.liquidations(rig.client, list(known.values()), hours.now()))
    assert [one.values for one in told] == [1] * 50
    assert [len(query["symbols"].split(",")) for _, query, _ in vendor.asked] == [20, 20, 10]
    assert vendor.refused == 0
    assert hours.at - NOW > 60_000
    for i, pair in enumerate(known):
        found = rig.kept.liquidation_minutes(pair, 0, NOW, source=SOURCE)
        assert found.columns["long_notional"].tolist() == [float(i)]


def test_only_so_much_of_the_past_as_is_asked_for(rig: Rig, hours: Hours) -> None:
    rig.vendor.liquidated[SYMBOL] = [(END - i * MINUTE, 1.0, 0.0) for i in range(1, 100)]
    since = END - 30 * MINUTE
    (told,) = rig.history.liquidations(rig.client, rig.wanted[:1], hours.now(), since=since)
    assert (told.values, told.start, told.stop) == (30, since, END)
    assert rig.covered(BTC) == [Stretch(since, END)]


def test_the_minutes_are_fetched_from_their_own_end_whatever_interval_was_asked_before(
    rig: Rig, hours: Hours
) -> None:
    """L9: five minutes that are kept say nothing of the minutes in them."""
    rig.vendor.liquidated[SYMBOL] = [(END - 60 * MINUTE, 100.0, 0.0)]
    list(rig.history.liquidations(rig.client, rig.wanted[:1], hours.now(), interval="5min"))
    assert rig.covered(BTC) == []
    list(rig.history.liquidations(rig.client, rig.wanted[:1], hours.now()))
    assert rig.froms()[1] == END - 2_000 * MINUTE
    assert [one.stop for one in rig.covered(BTC)] == [END]
