"""Coinalyze's protocol against a stand-in of its documentation, and what is kept of it."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from feeds.coinalyze_rig import BTC, ETH, INVERSE, MINUTE, NOW, SYMBOL, Hours, client_of
from feeds.coinalyze_server import KEY, Coinalyze, Fault, market

from hydra_ft.errors import FeedError
from hydra_ft.feeds.coinalyze import VendorMarket
from hydra_ft.store.database import Database

if TYPE_CHECKING:
    from hydra_ft.feeds import coinalyze


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


@pytest.mark.parametrize(
    "fault", [Fault(500), Fault(502, "<html>"), Fault(cut=True), Fault(200, "[]", lacking=9)]
)
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
