"""A disk that is full while a recorder runs: what is not kept lies in a gap that is told of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from feeds.recording import PAIRS, KeepingSink, account, record, recorder
from sqlalchemy import event
from waiting import await_until

from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import gaps_of
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.feeds.sink import Batch
    from hydra_ft.store.database import Database
    from loopback_exchange import Server


class Disk(KeepingSink):
    """The real sink on an SQLite file that may not grow; it remembers what was kept."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.is_full = False
        self._sink = FlowSink(database, step_ms=1_000, owns_database=False)
        event.listen(database._engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_others: object) -> None:
        # SQLite answers as it does on a full disk: "database or disk is full".
        connection.execute(f"PRAGMA max_page_count = {1 if self.is_full else 1 << 30}")

    def write(self, batch: Batch) -> None:
        self._sink.write(batch)
        super().write(batch)


@pytest.mark.ci
@pytest.mark.parametrize("most_queued", [20_000, 60])
def test_what_a_full_disk_did_not_take_is_written_later_or_told_of(
    server: Server, database: Database, most_queued: int
) -> None:
    disk, is_done = Disk(database), asyncio.Event()

    async def run() -> None:
        one = recorder(server.url, PAIRS, disk, most_queued=most_queued)
        running = asyncio.ensure_future(record(one, is_done.is_set, within_s=200))
        await await_until(lambda: len(disk.sub_bars) >= 12)
        disk.is_full = True
        await await_until(lambda: one.health().write_error)
        assert "database or disk is full" in one.health().write_error
        await asyncio.sleep(4.0)
        before, disk.is_full = one.health().dropped, False
        assert (before > 0) is (most_queued == 60)
        kept = len(disk.sub_bars)
        await await_until(lambda: len(disk.sub_bars) >= kept + 12)
        is_done.set()
        await running

    asyncio.run(run())
    store = FlowStore(database, "binance")
    for pair in PAIRS:
        whole, missing = account(server, disk, pair)
        assert whole >= 3
        assert (missing > 0) is (most_queued == 60)
        with database.transaction() as connection:
            market = store.markets.number(pair)
            told = gaps_of(connection, market, Feed.TRADES)
        assert sum(gap.missing for gap in told if gap.missing > 0) >= missing
