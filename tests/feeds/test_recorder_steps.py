"""An exchange changes the steps of prices while a recorder runs: bars go on in the new ones."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from feeds.one_pair import GRID, T0, named, pair, trade
from feeds.recording import PAIRS, TRADES, KeepingSink, account, record, recorder
from waiting import await_until

from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.sink import Resume
from hydra_ft.store.flow import FlowStore
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from hydra_ft.feeds.normal import PublicTrade
    from hydra_ft.feeds.recorder_pair import PairRecorder
    from hydra_ft.store.database import Database
    from hydra_ft.types.flow import Flow
    from loopback_exchange import Server

FINE, COARSE = TradeGrid(0.05, 0.001), TradeGrid(0.2, 0.001)
BTC = PAIRS[0]


def flows(one: PairRecorder, until: int, now_s: float = 10.0) -> list[Flow]:
    """What closes up to a time after T0; a call closes bars of one grid."""
    closed = [one.close(T0 + until, now_s) for _ in range(3)]
    return [flow for flow in closed if flow is not None]


def counts(parts: list[Flow]) -> dict[int, tuple[int, float]]:
    """Trades and close of each bar, by its time after T0."""
    return {
        time - T0: (count, round(close, 6))
        for flow in parts
        for time, count, close in zip(
            flow.bars.time.tolist(),
            flow.bars.count.tolist(),
            flow.bars.grid.prices(flow.bars.close_ticks).tolist(),
            strict=True,
        )
    }


def every(ms: int, until: int, price: float) -> list[PublicTrade]:
    return [trade(1 + t // ms, t)._replace(price=price) for t in range(0, until, ms)]


def test_bars_go_on_in_finer_steps_from_the_next_bar_on() -> None:
    one = pair()
    one.begin(T0)
    trades = every(100, 4_000, 100.0)
    trades[13:] = [odd._replace(price=100.05) for odd in trades[13:]]
    one.take(trades[:15], 0.0)
    assert one.regrid(FINE)
    assert one.grid == FINE
    one.take(trades[15:], 1.0)
    parts = flows(one, 4_000)
    assert [flow.bars.grid for flow in parts] == [GRID, FINE]
    assert counts(parts) == {
        0: (10, 100.0), 1_000: (3, 100.0), 2_000: (10, 100.05), 3_000: (10, 100.05)
    }  # fmt: skip
    assert [bool(w) for flow in parts for w in flow.bars.whole] == [True, False, True, True]
    told = one.take_gaps()
    assert sum(gap.missing for gap in told) == one.counts().off_grid == one.counts().missing == 7
    assert (told[0].first_id, told[-1].last_id) == (14, 20)
    assert not one.regrid(FINE)


def test_a_trade_out_of_order_at_the_change_is_counted_or_told_of() -> None:
    one = pair()
    one.begin(T0)
    one.take(every(100, 900, 100.0), 0.0)
    assert one.regrid(FINE)
    one.take([trade(10, 1_010), trade(11, 990), trade(12, 1_020)], 1.0)
    parts = flows(one, 2_000)
    assert counts(parts) == {0: (9, 100.0), 1_000: (2, 100.0)}
    assert parts[0].bars.uncovered_ms.tolist() == [1]
    (gap,) = one.take_gaps()
    assert (gap.first_id, gap.missing, one.counts().late) == (11, 1, 1)


def test_what_is_missing_over_the_change_is_marked_in_the_bars_of_both_grids() -> None:
    one = pair(BYBIT)
    one.begin(T0)
    one.take([named("a", 500)], 0.0)
    assert one.regrid(FINE)
    one.interrupted(T0 + 900, T0 + 1_200)
    one.take([named("b", 1_300)._replace(price=100.05)], 1.0)
    parts = flows(one, 2_000)
    assert [int(flow.bars.uncovered_ms[0]) for flow in parts] == [100, 200]
    assert [flow.bars.open_ticks.tolist() for flow in parts] == [[1_000], [2_001]]


def test_a_pair_without_a_trade_carries_its_price_into_the_new_steps() -> None:
    one = pair(resume=Resume(9, 1_000, T0))
    one.begin(T0)
    assert one.regrid(FINE)
    one.take([trade(10, 2_500)._replace(price=100.05)], 1.0)
    assert counts(flows(one, 3_000)) == {0: (0, 100.0), 1_000: (0, 100.0), 2_000: (1, 100.05)}


def test_a_price_that_was_kept_in_other_steps_goes_on_after_a_restart() -> None:
    left = Resume(9, 1_000, T0, grid=GRID)
    one = pair(resume=left)
    one.grid = FINE
    one.begin(T0)
    one.take([trade(10, 1_500)._replace(price=100.05)], 1.0)
    assert counts(flows(one, 2_000)) == {0: (0, 100.0), 1_000: (1, 100.05)}


def test_orders_of_before_a_coarser_tick_bring_the_finer_one_back() -> None:
    one = pair()
    one.begin(T0)
    one.take(every(100, 500, 100.1), 0.0)
    assert one.regrid(COARSE)
    flows(one, 999)
    old = [trade(6 + i, 1_100 + 100 * i)._replace(price=100.1 + 0.1 * i) for i in range(3)]
    one.take(old, 1.0)
    assert [flow.bars.grid for flow in flows(one, 1_900)] == [GRID, COARSE]
    assert one.counts().off_grid == 2
    assert one.regrid(COARSE)  # the venue names no other, and still they are not on it
    assert one.grid == GRID
    one.take([trade(9, 2_100)._replace(price=100.1)], 2.0)
    parts = flows(one, 3_000)
    assert [flow.bars.grid for flow in parts] == [COARSE, GRID]
    assert counts(parts) == {1_000: (1, 100.2), 2_000: (1, 100.1)}


def test_a_change_while_trades_of_another_are_held_waits() -> None:
    one = pair()
    one.begin(T0)
    one.take([trade(1, 100)], 0.0)
    assert one.regrid(FINE)
    one.take([trade(2, 1_100)], 1.0)
    assert not one.regrid(COARSE)
    assert [flow.bars.grid for flow in flows(one, 1_500)] == [GRID, FINE]
    assert one.regrid(COARSE)


@pytest.mark.parametrize("seed", range(10))
def test_however_often_the_steps_change_each_trade_is_in_one_bar_or_in_a_gap(seed: int) -> None:
    chance = np.random.default_rng(seed)
    one, steps = pair(), [0.1, 0.05, 0.2, 0.01]
    one.begin(T0)
    step, time, found, missing = 0.1, 0, [], 0
    for number in range(1, 1_500):
        time += int(chance.integers(0, 30))
        price = round(step * int(100 / step + chance.integers(0, 5)), 6)
        late = int(chance.integers(0, 40)) if chance.random() < 0.05 else 0
        one.take([trade(number, max(0, time - late))._replace(price=price)], time / 1000)
        if chance.random() < 0.005:
            step = float(chance.choice(steps))
        if chance.random() < 0.02:
            one.regrid(replace(GRID, tick_size=step))
        if chance.random() < 0.1 and (flow := one.close(T0 + time - 100, time / 1000)):
            found.append(flow)
    found += flows(one, (time // 1_000 + 2) * 1_000, time / 1000 + 9)
    gaps = {(gap.start, gap.first_id): gap for gap in one.take_gaps()}
    missing = sum(gap.missing for gap in gaps.values())
    counted = sum(int(flow.sub_bars.count.sum()) for flow in found)
    assert counted + missing == 1_499
    assert missing == one.counts().late + one.counts().off_grid
    ends = [(int(flow.bars.time[0]), flow.bars.grid) for flow in found if len(flow.bars)]
    assert len({grid for _, grid in ends}) > 1
    times = np.concatenate([flow.sub_bars.time for flow in found])
    assert (np.diff(times) == 250).all()


@pytest.mark.ci
def test_a_running_recorder_takes_the_new_steps_and_a_restart_goes_on(
    server: Server, database: Database
) -> None:
    """All of it real: the exchange changes a tick, the database has the grids of each bar."""
    kept = KeepingSink()
    sink = FlowSink(database, step_ms=1_000, owns_database=False)
    kept.resume, written = sink.resume, kept.write  # type: ignore[method-assign]
    kept.write = lambda batch: (written(batch), sink.write(batch))[0]  # type: ignore[method-assign]
    store = FlowStore(database, "binance")

    def ticks() -> list[float]:
        """Ticks of the bars of the pair, runs of the same one told once."""
        rows = [flow.flow.bars for b in kept.batches for flow in b.flows if flow.pair == BTC]
        steps = [bars.grid.tick_size for bars in rows for _ in range(len(bars))]
        return [step for step, _ in itertools.groupby(steps)]

    async def run(expected: list[float]) -> None:
        one = recorder(server.url, PAIRS, kept, TRADES)
        await record(one, lambda: ticks() == expected, settle_s=1.2)

    async def change() -> None:
        going = asyncio.ensure_future(run([0.5, 0.1]))
        await await_until(lambda: ticks() == [0.5])
        server.streams.change_tick("BTCUSDT", 1)
        await going

    server.streams.change_tick("BTCUSDT", 5)
    asyncio.run(change())
    server.streams.change_tick("BTCUSDT", 2)
    asyncio.run(run([0.5, 0.1, 0.2]))
    whole, missing = account(server, kept, BTC)
    assert whole >= 4
    assert missing > 0
    newest = store.last(BTC, 1_000, 1_000)
    assert newest is not None
    told = store.told(BTC, 1_000, 0, int(newest.time[-1]) + 1_000)
    assert told is not None
    assert told.grid.tick_size == 0.1
    assert newest.grid.tick_size == 0.2
