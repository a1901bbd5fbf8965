"""Several processes on one database: what each wrote is there, and what is kept is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from bars.flow_reference import GRID, START, made_trades

from hydra_ft.bars.flow_tables import same_flow
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Gap, Proof, Stretch, cover, covered, put_gaps
from hydra_ft.store.flow_status import FeedStatus, statuses
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.types.flow import Flow

BTC = "BTC/USDT:USDT"
MINUTE = 60_000
PAIRS = tuple(f"P{i}/USDT:USDT" for i in range(4))

WRITING = """
import sys
sys.path[:0] = sys.argv[3:]
from store.test_flow_shared import ten_minutes, PAIRS
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
store = FlowStore(Database(sys.argv[1]), "binance")
print("ready", flush=True)
sys.stdin.readline()
for block in range(int(sys.argv[2])):
    store.put([(pair, ten_minutes(block)) for pair in PAIRS])
    print(block, flush=True)
"""


def ten_minutes(block: int = 0) -> Flow:
    """Ten minutes of trades that follow those of the block before."""
    start = START + 10 * MINUTE * block
    trades = made_trades(300, block + 1, start=start)
    return flow_of(trades, GRID, MINUTE, covered=(start, start + 10 * MINUTE))


def writer(url: str, blocks: int) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", WRITING, url, str(blocks), *sys.path]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def test_processes_that_write_the_same_pairs_do_not_disturb_each_other(
    url: str, database: Database
) -> None:
    running = [writer(url, 6) for _ in range(2)]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.wait(60) for one in running] == [0, 0]
    store = FlowStore(database, "binance")
    for pair in PAIRS:
        bars = store.between(pair, MINUTE, START + 50 * MINUTE, START + 60 * MINUTE)
        assert bars is not None
        assert same_flow(bars, ten_minutes(5).bars)


def test_a_process_that_is_killed_leaves_whole_batches_or_nothing(
    url: str, database: Database
) -> None:
    one = writer(url, 10_000)
    assert one.stdin is not None
    assert one.stdout is not None
    one.stdin.write("\n")
    one.stdin.flush()
    for _ in range(4):
        one.stdout.readline()
    time.sleep(0.05)
    one.send_signal(signal.SIGKILL)
    one.wait(60)
    time.sleep(0.3)  # a server may still end what it was doing
    store = FlowStore(database, "binance")
    ends = set()
    for pair in PAIRS:
        bars = store.last(pair, MINUTE, 100_000)
        sub_bars = store.last(pair, 10_000, 100_000)
        assert bars is not None
        assert sub_bars is not None
        ends |= {int(bars.time[-1]) + MINUTE, int(sub_bars.time[-1]) + 10_000}
        assert not bars.uncovered_ms.any()
        with database.transaction() as connection:
            market = store.markets.number(pair)
            spans = covered(connection, market, Feed.TRADES)
        assert (spans[0].start, spans[-1].stop, len(spans)) == (START, max(ends), 1)
    assert len(ends) == 1


def test_status_sums_up_each_feed_of_each_pair(database: Database) -> None:
    one, two = (FlowStore(database, name).markets.number(BTC) for name in ("binance", "bybit"))
    with database.transaction() as connection:
        stretches = [Stretch(100, 200), Stretch(260, 300), Stretch(310, 400)]
        cover(connection, [Proof(one, Feed.TRADES, stretch) for stretch in stretches])
        cover(connection, [Proof(two, Feed.TRADES, Stretch(0, 50))])
        cover(connection, [Proof(one, Feed.LIQUIDATIONS, Stretch(5, 6), "coinalyze")])
        put_gaps(connection, one, Feed.TRADES, [Gap(200, 260, "ids", 7), Gap(300, 310, "ids", 0)])
    assert statuses(database) == [
        FeedStatus("binance", BTC, "liquidations", "coinalyze", 5, 6, 1, 0, 0, 0),
        FeedStatus("binance", BTC, "trades", "exchange", 100, 400, 230, 2, 60, 1),
        FeedStatus("bybit", BTC, "trades", "exchange", 0, 50, 50, 0, 0, 0),
    ]
    assert statuses(database)[1].coverage == pytest.approx(230 / 300)
