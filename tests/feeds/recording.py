"""A recorder against the embedded exchange, and a sink that says what it was given."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from exchange.conftest import client_options
from waiting import HANG_S, await_until

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.recorder import FEEDS, Recorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.recorder_session import client_of
from hydra_ft.feeds.sink import Batch, FeedGap, Resume
from hydra_ft.types import Feed
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hydra_ft.types.flow import FlowBars
    from loopback_exchange import Server

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
TRADES = (Feed.TRADES,)
SUB_MS = 250
QUICK: dict[str, Any] = {
    "step_ms": 1_000,
    "sub_ms": SUB_MS,
    "grace_ms": 600,
    "quiet_s": 2.0,
    "refetch_after_s": 0.2,
    "refetch_per_minute": 6_000,
    "refetch_within_s": 1.0,
    "write_every_s": 0.2,
    "backoff_base_s": 0.05,
    "backoff_cap_s": 0.5,
    "connect_s": 5.0,
}
Row = tuple[int, int, int, int, int, int, int]


@dataclass
class KeepingSink:
    """Keeps sub-bars as the store does: of one interval the one that lacks least."""

    batches: list[Batch] = field(default_factory=list)
    keeps_batches: bool = True
    sub_bars: dict[tuple[str, int], Row] = field(default_factory=dict)
    gaps: dict[tuple[str, Feed, int, int], FeedGap] = field(default_factory=dict)
    left: dict[str, Resume] = field(default_factory=dict)

    def resume(self, _venue: str, pair: str) -> Resume | None:
        """Where the newest bar of a pair ended."""
        return self.left.get(pair)

    def write(self, batch: Batch) -> None:
        """Keep all of it."""
        if self.keeps_batches:
            self.batches.append(batch)
        for one in batch.flows:
            for row in rows_of(one.flow.sub_bars):
                known = self.sub_bars.get((one.pair, row[0]))
                if known is None or _lack(row) <= _lack(known):
                    self.sub_bars[one.pair, row[0]] = row
            bars = one.flow.bars
            if len(bars):
                known_id = self.left[one.pair].last_id if one.pair in self.left else NO_ID
                last_id = int(max(bars.last_id.max(), known_id))
                end = int(bars.time[-1]) + bars.step_ms
                self.left[one.pair] = Resume(last_id, int(bars.close_ticks[-1]), end)
        for gap in batch.gaps:
            self.gaps[gap.pair, gap.feed, gap.start, gap.first_id] = gap

    def close(self) -> None:
        """Keep what there is."""

    def gaps_of(self, pair: str, feed: Feed = Feed.TRADES) -> list[FeedGap]:
        """Gaps of a pair."""
        return [g for g in self.gaps.values() if (g.pair, g.feed) == (pair, feed)]


def rows_of(bars: FlowBars) -> list[Row]:
    """Time, count, buy lots, sell lots, first and last id, uncovered ms of each bar."""
    columns = (bars.time, bars.count, bars.buy_lots, bars.sell_lots, bars.first_id, bars.last_id)
    return list(zip(*(c.tolist() for c in (*columns, bars.uncovered_ms)), strict=True))


def _lack(row: Row) -> tuple[int, int]:
    return row[6], -row[1]


def recorder(
    url: str,
    pairs: Sequence[str],
    sink: Any,
    feeds: Collection[Feed] = FEEDS,
    **policy: Any,
) -> Recorder:
    """A recorder of the embedded exchange; to be made in the loop that runs it.

    It waits for ids that were skipped as long as a busy machine may take to fetch them.
    """
    chosen = RecorderPolicy(**{**QUICK, "refetch_within_s": HANG_S, **policy})

    def connect() -> Any:
        return client_of("binance", client_options(url), chosen)

    return Recorder(BINANCE, pairs, connect, sink, chosen, feeds=feeds, chance=random.Random(1))


async def record(
    one: Recorder, until: Callable[[], bool], within_s: float = HANG_S, settle_s: float = 0.0
) -> None:
    """Run a recorder until something holds, then stop it gracefully."""
    running = asyncio.ensure_future(one.run())
    await await_until(lambda: until() or running.done(), within_s)
    await asyncio.sleep(settle_s)
    one.stop()
    await asyncio.wait_for(running, HANG_S)


def expected_rows(
    ids: np.ndarray, times: np.ndarray, lots: np.ndarray, bought: np.ndarray
) -> dict[int, Row]:
    """Sub-bars as plain sums of what the exchange says it traded."""
    found: dict[int, Row] = {}
    for start in np.unique(times // SUB_MS):
        inside = times // SUB_MS == start
        buys, sells = int(lots[inside & bought].sum()), int(lots[inside & ~bought].sum())
        span = int(ids[inside].min()), int(ids[inside].max())
        found[int(start) * SUB_MS] = (int(start) * SUB_MS, int(inside.sum()), buys, sells, *span, 0)
    return found


def truth(server: Server, pair: str) -> dict[int, tuple[int, ...]]:
    """What the exchange traded, second by second."""
    symbol = pair.split("/", maxsplit=1)[0] + "USDT"
    trades = server.streams.load.trades(symbol, 0, 2**60)
    return expected_rows(trades.id, trades.time_ms, trades.quantity, trades.is_buy)


def account(server: Server, sink: KeepingSink, pair: str) -> tuple[int, int]:
    """Sub-bars that are whole, and ids that are missing, after checking that nothing else is.

    A whole sub-bar is exactly what was traded; of all others the ids that are not counted lie
    in a gap that is told of.
    """
    rows = sorted(row for (name, _), row in sink.sub_bars.items() if name == pair)
    real, whole, missing = truth(server, pair), 0, 0
    traded = [row for row in rows if row[1]]
    first, last = min(row[4] for row in traded), max(row[5] for row in traded)
    for row in rows:
        if row[6] == 0 and row[1]:
            assert row == real[row[0]]
            whole += 1
    counted = sum(row[1] for row in rows)
    missing = sum(g.missing for g in sink.gaps_of(pair) if first <= g.first_id <= last)
    assert counted + missing == last - first + 1
    return whole, missing
