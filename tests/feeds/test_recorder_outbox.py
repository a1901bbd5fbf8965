"""The queue before the sink: nothing is lost in silence."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from waiting import HANG_S, await_until

from hydra_ft.errors import DataError, StoreError
from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.normal import BUY, PublicTrade
from hydra_ft.feeds.recorder_outbox import Outbox
from hydra_ft.feeds.recorder_pair import PairRecorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.sink import Batch, GapReason, Liquidation, PairFlow
from hydra_ft.types import Feed, Side
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.feeds.sink import Resume

T0 = 1_700_000_000_000


class StubbornSink:
    """Refuses the first writes, and keeps the rest."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.kept = refusals, []
        self.kept: list[Batch] = []

    def resume(self, _venue: str, _pair: str) -> Resume | None:
        """Know of nothing."""
        return None

    def write(self, batch: Batch) -> None:
        """Refuse, or keep."""
        if self.refusals > 0:
            self.refusals -= 1
            raise StoreError("locked")
        self.kept.append(batch)

    def close(self) -> None:
        """Hold nothing."""


def liquidation(number: int) -> Batch:
    one = Liquidation("binance", "X", T0 + number, Side.LONG, 1.0, float(number + 1))
    return Batch(liquidations=(one,))


def flow(first: int, start: int) -> Batch:
    pair = PairRecorder(BINANCE, "X", TradeGrid(0.1, 0.1), RecorderPolicy())
    pair.begin(T0 + start)
    trades = [PublicTrade(i, i, T0 + start, 1.0, 1.0, BUY, str(i)) for i in range(first, first + 3)]
    pair.take(trades, 0.0)
    closed = pair.close(T0 + start + 10_000, 0.0)
    assert closed is not None
    return Batch(flows=(PairFlow("binance", "X", closed),))


def emptied(outbox: Outbox) -> None:
    """Write all that waits."""
    outbox.close()
    asyncio.run(asyncio.wait_for(outbox.run(), HANG_S))


def test_what_the_sink_refuses_is_offered_again_in_its_order() -> None:
    sink = StubbornSink(refusals=3)
    outbox = Outbox(sink, 100, random.Random(1))
    batches = [liquidation(n) for n in range(4)]
    for batch in batches:
        outbox.put(batch)
    emptied(outbox)
    assert sink.kept == batches
    assert (outbox.failures, outbox.written, outbox.dropped) == (3, 4, 0)


class ParticularSink(StubbornSink):
    """Cannot tell liquidations of certain quantities."""

    def write(self, batch: Batch) -> None:
        """Refuse what cannot be told, however often it is offered."""
        if any(one.quantity in {3.0, 4.0, 9.0} for one in batch.liquidations):
            raise DataError("quantity: expected less")
        self.kept.append(batch)


def test_what_no_sink_can_take_is_dropped_alone_and_told_of_as_a_gap() -> None:
    """A number that does not fit would otherwise end the recorder, or be offered for ever."""
    sink = ParticularSink()
    outbox = Outbox(sink, 100, random.Random(1))
    many = tuple(one for n in range(10) for one in liquidation(n).liquidations)
    outbox.put(replace(flow(1, 0), liquidations=many))
    emptied(outbox)
    kept = [one.quantity for batch in sink.kept for one in batch.liquidations]
    assert kept == [1.0, 2.0, 5.0, 6.0, 7.0, 8.0, 10.0]
    assert sum(len(batch.flows) for batch in sink.kept) == 1
    assert outbox.dropped == 3
    (gap,) = [gap for batch in sink.kept for gap in batch.gaps]
    assert (gap.feed, gap.start, gap.stop) == (Feed.LIQUIDATIONS, T0 + 2, T0 + 9)


def test_nothing_is_queued_where_nothing_has_come() -> None:
    outbox = Outbox(StubbornSink(), 100, random.Random(1))
    outbox.put(Batch())
    assert len(outbox) == 0


def test_what_finds_no_room_is_counted_and_told_of_as_a_gap() -> None:
    sink = StubbornSink()
    outbox = Outbox(sink, 2, random.Random(1))
    outbox.put(flow(10, 0))
    outbox.put(flow(13, 10_000))
    for number in range(3):
        outbox.put(liquidation(number))
    assert len(outbox) == 2
    assert outbox.dropped == 3
    emptied(outbox)
    first, second = sink.kept
    trades, forced = sorted(first.gaps, key=lambda gap: gap.feed.value, reverse=True)
    assert (trades.feed, trades.reason) == (Feed.TRADES, GapReason.OVERFLOW)
    assert (trades.first_id, trades.last_id, trades.missing) == (10, 15, 6)
    assert (trades.start, trades.stop) == (T0, T0 + 20_000)
    assert (forced.feed, forced.start, forced.missing) == (Feed.LIQUIDATIONS, T0, -1)
    assert second.gaps == ()


def test_what_was_being_written_when_time_ran_out_counts_as_dropped() -> None:
    outbox = Outbox(StubbornSink(refusals=1_000), 100, random.Random(1))
    for number in range(3):
        outbox.put(liquidation(number))

    async def run() -> None:
        writing = asyncio.ensure_future(outbox.run())
        await await_until(lambda: outbox.failures)
        assert outbox.last_error == "locked"
        assert (outbox.writing, len(outbox)) == (1, 2)
        writing.cancel()
        outbox.abandon()

    asyncio.run(run())
    assert (outbox.written, outbox.dropped, len(outbox)) == (0, 3, 0)


def test_an_error_is_forgotten_once_the_sink_takes_what_comes() -> None:
    outbox = Outbox(StubbornSink(refusals=1), 100, random.Random(1))
    outbox.put(liquidation(1))
    emptied(outbox)
    assert (outbox.failures, outbox.last_error) == (1, "")
