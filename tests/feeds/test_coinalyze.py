"""Coinalyze's protocol against a stand-in of its documentation, and what is kept of it."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from feeds.coinalyze_server import KEY, Coinalyze, Fault, market

from hydra_ft.errors import FeedError
from hydra_ft.feeds import coinalyze
from hydra_ft.feeds.coinalyze import SOURCE, VendorMarket, shared_budget
from hydra_ft.feeds.history import History, vendor_markets
from hydra_ft.feeds.http_json import Clock
from hydra_ft.store.database import Database
from hydra_ft.store.flow_coverage import Stretch, covered
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.store.flow_markets import Markets
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def vendor(hours: Hours) -> Iterator[Coinalyze]:
    with Coinalyze(hours.now) as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'hydra.sqlite'}")
    yield opened
    opened.close()


def client_of(
    vendor: Coinalyze, database: Database, hours: Hours, key: str = KEY
) -> coinalyze.Coinalyze:
    clock = Clock(hours.now, hours.sleep)
    return coinalyze.Coinalyze(key, shared_budget(database, KEY), url=vendor.url, clock=clock)


@pytest.fixture
def client(vendor: Coinalyze, database: Database, hours: Hours) -> coinalyze.Coinalyze:
    return client_of(vendor, database, hours)


def test_pairs_are_found_by_the_names_that_freqtrade_has_for_them(
    client: coinalyze.Coinalyze,
) -> None:
    """Only perpetuals: a contract that expires is another market."""
    assert client.markets("binance") == {
        BTC: VendorMarket(SYMBOL, BTC, in_base=True),
        ETH: VendorMarket("ETHUSDT_PERP.A", ETH, in_base=True),
        INVERSE: VendorMarket("BTCUSD_PERP.A", INVERSE, in_base=False),
    }
    assert list(client.markets("bybit")) == [BTC]
    assert client.markets("gate") == {}
    with pytest.raises(FeedError, match="'krakenfutures'; it has binance, bybit, gateio"):
        client.markets("krakenfutures")


def test_a_request_is_made_as_documented(client: coinalyze.Coinalyze, vendor: Coinalyze) -> None:
    """Seconds, both ends included, the key in the header and never in the address."""
    vendor.liquidated[SYMBOL] = [(NOW - 90_000, 5.0, 7.0), (NOW - 90_000, 1.0, 0.0)]
    found = client.liquidations([SYMBOL, "ETHUSDT_PERP.A"], NOW - 3 * MINUTE, NOW)
    assert found == {SYMBOL: [(NOW - 90_000, 6.0, 7.0)], "ETHUSDT_PERP.A": []}
    ((path, query, headers),) = vendor.asked
    assert path == "/liquidation-history"
    assert query == {
        "symbols": f"{SYMBOL},ETHUSDT_PERP.A",
        "interval": "1min",
        "from": str((NOW - 3 * MINUTE) // 1000),
        "to": str(NOW // 1000),
        "convert_to_usd": "true",
    }
    assert headers["api_key"] == KEY


def test_the_vendor_is_never_asked_more_than_40_times_a_minute(
    vendor: Coinalyze, tmp_path: Path, hours: Hours
) -> None:
    """Two bots with a connection each, one database: 130 calls, none of them refused."""
    vendor.markets = [market(f"C{i}") for i in range(13)]
    symbols = [row["symbol"] for row in vendor.markets]
    databases = [Database(f"sqlite:///{tmp_path / 'shared.sqlite'}") for _ in range(2)]
    bots = [client_of(vendor, database, hours) for database in databases]
    for turn in range(10):
        found = bots[turn % 2].liquidations(symbols, NOW - 5 * MINUTE, NOW)
        assert len(found) == 13
    assert vendor.refused == 0
    assert 180_000 < hours.at - NOW < 200_000  # three minutes of 39 calls, and the rest
    for database in databases:
        database.close()


def test_when_the_vendor_says_wait_everybody_waits(
    vendor: Coinalyze, database: Database, hours: Hours
) -> None:
    vendor.faults.append(Fault(429, headers={"Retry-After": "17.5"}))
    one, two = (client_of(vendor, database, hours) for _ in range(2))
    assert one.markets("binance")
    assert 17_500 <= hours.at - NOW < 18_000
    vendor.faults.append(Fault(429))  # without the header: a minute
    assert two.markets("binance")
    assert 77_500 <= hours.at - NOW < 79_000


def test_the_vendor_is_given_up_when_it_asks_for_too_long_a_wait(
    client: coinalyze.Coinalyze, vendor: Coinalyze, hours: Hours
) -> None:
    vendor.faults.append(Fault(429, headers={"Retry-After": "3600"}))
    with pytest.raises(FeedError, match="was 3600 s; try later"):
        client.markets("binance")
    assert hours.at == NOW


@pytest.mark.parametrize("fault", [Fault(500), Fault(502, "<html>"), Fault(cut=True)])
def test_what_may_pass_is_tried_again(
    client: coinalyze.Coinalyze, vendor: Coinalyze, hours: Hours, fault: Fault
) -> None:
    vendor.faults.extend([fault, fault])
    assert client.markets("binance")
    assert hours.at > NOW + 1_000
    vendor.faults.extend([fault] * 5)
    with pytest.raises(FeedError, match=r"expected an answer to /exchanges, was .* 5 times"):
        client.markets("binance")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(401, f"no such key {KEY}"), "expected the key to be accepted, was 401 Unauthorized"),
        (Fault(400, f"bad {KEY}"), r"was 400 Bad Request: bad \*\*\*"),
        (Fault(200, f"<{KEY}>"), r"expected JSON, was '<\*\*\*>'"),
        (Fault(200, '{"message": "x"}'), "expected a list of objects from exchanges"),
        (Fault(200, "[1]"), "expected a list of objects from exchanges"),
    ],
)
def test_what_cannot_pass_is_said_at_once_and_without_the_key(
    client: coinalyze.Coinalyze, vendor: Coinalyze, hours: Hours, fault: Fault, said: str
) -> None:
    """0-02: the key is in the environment, and nowhere else."""
    vendor.faults.append(fault)
    with pytest.raises(FeedError, match=said) as raised:
        client.markets("binance")
    assert KEY not in str(raised.value)
    assert (len(vendor.asked), hours.at) == (1, NOW)


def test_a_wrong_key_is_refused(vendor: Coinalyze, database: Database, hours: Hours) -> None:
    with pytest.raises(FeedError, match="set another"):
        client_of(vendor, database, hours, key="wrong").markets("binance")


@pytest.mark.parametrize(
    "body",
    [
        '[{"symbol": "BTCUSDT_PERP.A"}]',
        '[{"symbol": "BTCUSDT_PERP.A", "history": [{"l": 1, "s": 2}]}]',
        '[{"symbol": "BTCUSDT_PERP.A", "history": [{"t": 5, "l": null, "s": 2}]}]',
    ],
)
def test_history_that_makes_no_sense_is_said_to(
    client: coinalyze.Coinalyze, vendor: Coinalyze, body: str
) -> None:
    vendor.faults.append(Fault(200, body))
    with pytest.raises(FeedError, match="Coinalyze: expected"):
        client.liquidations([SYMBOL], NOW - MINUTE, NOW)


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


@pytest.mark.ci
@pytest.mark.skipif(
    not os.environ.get("HYDRA_TEST_DATA"),
    reason="HYDRA_TEST_DATA does not name the folder of recorded market data",
)
def test_a_recorded_answer_is_kept_to_the_cent(
    vendor: Coinalyze, database: Database, hours: Hours
) -> None:
    file = "derivs/copied_by_hand/coinalyze_liq_1min_2026-09-29_first70.csv"
    sums: dict[str, dict[int, list[float]]] = defaultdict(dict)
    with (Path(os.environ["HYDRA_TEST_DATA"]) / file).open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            sums[row["symbol"]][1000 * int(row["t"])] = [float(row["l"]), float(row["s"])]
    symbols = sorted(sums)[:20]
    hours.at = max(max(times) for times in sums.values()) + 5 * MINUTE
    vendor.markets = [market("X", symbol=symbol) for symbol in symbols]
    vendor.liquidated = {s: [(t, *two) for t, two in sums[s].items()] for s in symbols}
    client = client_of(vendor, database, hours)
    found = client.liquidations(symbols, hours.at - 600 * MINUTE, hours.at)
    assert {s: {t: sides for t, *sides in rows} for s, rows in found.items()} == {
        s: sums[s] for s in symbols
    }
