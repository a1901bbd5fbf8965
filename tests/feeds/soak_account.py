"""What an exchange traded beside what a recorder kept of it: each trade once, or in a told gap."""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import gaps_of
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_coverage import Gap

SUB_MS = 10_000


class Row(NamedTuple):
    """A sub-bar as it is read: ``uncovered_ms`` of 0 says that it is whole."""

    time: int
    count: int
    buy_lots: int
    sell_lots: int
    first_id: int
    uncovered_ms: int


Sums = tuple[int, int, int]
"""Trades, lots bought and lots sold of a sub-bar."""


@dataclass
class Calls:
    """Calls to an embedded exchange in another process."""

    url: str

    def post(self, name: str, **body: Any) -> None:
        """Set its load or its faults."""
        request = urllib.request.Request(  # noqa: S310 - 127.0.0.1
            f"{self.url}/_control/{name}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).read()  # noqa: S310

    def get(self, path: str) -> Any:
        """Ask it."""
        return json.load(urllib.request.urlopen(self.url + path, timeout=60))  # noqa: S310

    def sent(self) -> int:
        """Trades that it made so far."""
        return sum(last - first + 1 for first, last in self.get("/_control/load").values())

    def traded(self, symbol: str, first: int, last: int) -> np.ndarray:
        """Id, time, quantity and whether the taker bought, of every trade, shape (n, 4)."""
        found: list[tuple[int, int, float, bool]] = []
        while first <= last:
            query = f"symbol={symbol}&fromId={first}&limit=1000"
            part = self.get(f"/fapi/v1/aggTrades?{query}")
            found += [(one["a"], one["T"], float(one["q"]), not one["m"]) for one in part]
            first = part[-1]["a"] + 1
        return np.array([one for one in found if one[0] <= last])

    def lot_sizes(self) -> dict[str, float]:
        """Lot size of each symbol."""
        return {
            one["symbol"]: float(
                next(f["stepSize"] for f in one["filters"] if f["filterType"] == "LOT_SIZE")
            )
            for one in self.get("/fapi/v1/exchangeInfo")["symbols"]
        }


def compare(calls: Calls, database: Database) -> dict[str, int]:
    """Compare each sub-bar of the database with what was traded, and return the totals.

    Raises AssertionError for a trade that was counted twice, and for one that is neither
    counted nor lies in a gap that is told of: by its id, or by its time where no ids are told.
    """
    totals: dict[str, int] = defaultdict(int)
    lots = calls.lot_sizes()
    for symbol, (_, newest) in calls.get("/_control/load").items():
        rows, gaps = _kept(database, f"{symbol.removesuffix('USDT')}/USDT:USDT")
        begin = min(row.first_id for row in rows.values() if row.count)
        trades = calls.traded(symbol, begin, newest)
        trades = trades[trades[:, 1] < max(rows) + SUB_MS]
        for start in np.unique(trades[:, 1] // SUB_MS).astype(int) * SUB_MS:
            inside = trades[trades[:, 1] // SUB_MS == start // SUB_MS]
            _account(totals, (symbol, int(start)), inside, lots[symbol], rows, gaps)
        totals["gaps told"] += len(gaps)
        totals["ids told missing"] += sum(gap.missing for gap in gaps if gap.missing > 0)
    return totals


def _kept(database: Database, pair: str) -> tuple[dict[int, Row], list[Gap]]:
    """Sub-bars that are kept, as they are read, and the gaps that were told of."""
    store = FlowStore(database, "binance")
    market, bars = store.markets.find(pair), store.last(pair, SUB_MS, 1 << 20)
    assert market is not None, pair
    assert bars is not None, pair
    names = ("time", "count", "buy_lots", "sell_lots", "first_id", "uncovered_ms")
    columns = (getattr(bars, name).tolist() for name in names)
    rows = {row[0]: Row(*row) for row in zip(*columns, strict=True)}
    with database.transaction() as connection:
        return rows, gaps_of(connection, market, Feed.TRADES)


def _account(
    totals: dict[str, int],
    place: tuple[str, int],
    trades: np.ndarray,
    lot: float,
    rows: dict[int, Row],
    gaps: list[Gap],
) -> None:
    row = rows.get(place[1])
    counted = 0 if row is None else row.count
    lacking = len(trades) - counted
    told = np.zeros(len(trades), dtype=bool)
    for gap in gaps:
        if gap.missing > 0:
            told |= (trades[:, 0] >= gap.first_id) & (trades[:, 0] <= gap.last_id)
        elif gap.missing < 0:
            told |= (trades[:, 1] >= gap.start) & (trades[:, 1] <= gap.stop)
    assert 0 <= lacking <= told.sum(), (place, lacking, int(told.sum()), row, gaps)
    totals["sent"] += len(trades)
    totals["counted"] += counted
    totals["lacking, all in told gaps"] += lacking
    totals["bars"] += 1
    if row is not None and not row.uncovered_ms:
        kept = (row.count, row.buy_lots, row.sell_lots)
        assert kept == _sums(trades, lot), (place, kept, _sums(trades, lot))
        totals["whole bars, equal to the lot"] += 1


def _sums(trades: np.ndarray, lot: float) -> Sums:
    steps = np.rint(trades[:, 2] / lot).astype(int)
    bought = trades[:, 3] == 1
    return len(trades), int(steps[bought].sum()), int(steps[~bought].sum())
