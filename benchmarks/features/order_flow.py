"""The full order-flow set over one day, beside freqtrade's own and beside reading the trades."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.features import freqtrade_flow
from benchmarks.features.deltas import bar_deltas
from benchmarks.features.made import (
    DAY_MS,
    GRID,
    START,
    STEP_MS,
    blocks_of,
    candles_of,
    frame_of,
    made_trades,
)
from hydra_ft.bars.compiled import READ_FLOATS, READ_INTS, READ_SIDES, Kernel
from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_whole import flow_of, flow_of_blocks
from hydra_ft.bars.footprint import imbalances
from hydra_ft.bars.profile import bar_profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import Flow, SideArray, Trades

COVERED = (START, START + DAY_MS)


class Day(NamedTuple):
    """Seconds of CPU for one day of ``n`` trades."""

    n: int
    freqtrade_s: float
    arrays_s: float
    frame_s: float
    fold_s: float
    read_s: float
    delta_s: float
    levels: float
    same: bool

    @property
    def from_arrays(self) -> float:
        """How often the full set fits into freqtrade's time."""
        return self.freqtrade_s / self.arrays_s

    @property
    def from_frame(self) -> float:
        """The same where the trades come in freqtrade's frame."""
        return self.freqtrade_s / self.frame_s


class NewCandle(NamedTuple):
    """Seconds of CPU for one new candle when ``cached`` trades are there already."""

    cached: int
    new: int
    merge_s: float
    store_s: float
    populate_s: float
    ours_s: float

    @property
    def freqtrade_s(self) -> float:
        """Freqtrade's whole cycle."""
        return self.merge_s + self.store_s + self.populate_s


def full_set(trades: Trades) -> Flow:
    """Everything: bars, sub-bars, footprints, imbalances, point of control and value area."""
    flow = flow_of(trades, GRID, STEP_MS, covered=COVERED)
    read_off(flow)
    return flow


def full_set_of_frame(frame: pd.DataFrame) -> Flow:
    """Do the same with the trades in freqtrade's frame, block by block."""
    flow = flow_of_blocks(blocks_of(frame), GRID, STEP_MS, covered=COVERED)
    read_off(flow)
    return flow


def read_off(flow: Flow) -> None:
    """Compute what is read from the footprints, and the columns in units."""
    imbalances(flow.footprint)
    bar_profiles(flow.footprint)
    bars = flow.bars
    for name in ("buy_volume", "sell_volume", "delta", "max_delta", "min_delta", "vwap"):
        getattr(bars, name)


def _read(time: IntArray, price: FloatArray, quantity: FloatArray, side: SideArray) -> float:
    """Touch every byte once; several sums at a time, so that memory is what is waited for."""
    total, whole = 0.0, 0
    a = b = c = d = 0.0
    for i in range(0, price.shape[0] - 3, 4):
        a, b = a + price[i], b + price[i + 1]
        c, d = c + price[i + 2], d + price[i + 3]
        a, b = a + quantity[i], b + quantity[i + 1]
        c, d = c + quantity[i + 2], d + quantity[i + 3]
    for i in range(time.shape[0]):
        whole += time[i]
    for i in range(side.shape[0]):
        whole += side[i]
    return total + a + b + c + d + whole


READ = Kernel(_read, (READ_INTS, READ_FLOATS, READ_FLOATS, READ_SIDES))


def spent(work: Callable[[], object], rounds: int) -> float:
    """Median of the CPU seconds of some runs, after one that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        begun = process_time()
        work()
        times.append(process_time() - begun)
    return median(times)


def measure(n: int, rounds: int) -> tuple[Day, NewCandle]:
    """One day of ``n`` trades through both, then one more candle."""
    trades = made_trades(n)
    frame, flow = frame_of(trades), full_set(trades)
    own = spent(lambda: full_set(trades), rounds)
    theirs, found, cache = freqtrade_flow.populated(frame, candles_of(flow.bars))
    own = median([own, spent(lambda: full_set(trades), rounds)])
    read, deltas = _beside_reading(trades, 3 * rounds)
    day = Day(
        n=n,
        freqtrade_s=theirs,
        arrays_s=own,
        frame_s=spent(lambda: full_set_of_frame(frame), rounds),
        fold_s=spent(lambda: flow_of(trades, GRID, STEP_MS, covered=COVERED), rounds),
        read_s=read,
        delta_s=deltas,
        levels=float(np.diff(flow.footprint.offsets).mean()),
        same=freqtrade_flow.same_counts(found, flow.bars),
    )
    return day, _new_candle(trades, flow, cache, rounds)


def _beside_reading(trades: Trades, rounds: int) -> tuple[float, float]:
    """Median seconds of reading, and of summing deltas up, in turns."""
    columns = (trades.time, trades.price, trades.quantity, trades.side)
    times: tuple[list[float], list[float]] = [], []
    for turn in range(rounds + 1):
        begun = process_time()
        READ(*columns)
        read = process_time()
        bar_deltas(trades, GRID, STEP_MS, COVERED)
        ended = process_time()
        if turn:
            times[0].append(read - begun)
            times[1].append(ended - read)
    return median(times[0]), median(times[1])


def _new_candle(trades: Trades, flow: Flow, cache: pd.DataFrame, rounds: int) -> NewCandle:
    """What the day's last candle costs when the rest of the day is there already."""
    last = int(flow.bars.time[-1])
    before = int(np.searchsorted(trades.time, last))
    cached = cache.iloc[:-1].copy()
    theirs = [freqtrade_flow.new_candle(trades, flow.bars, before, cached) for _ in range(2)]
    merge, store, populate = (min(times) for times in zip(*theirs, strict=True))
    ours = [_ours(trades, before) for _ in range(max(rounds, 5))]
    return NewCandle(before, len(trades) - before, merge, store, populate, median(ours))


def _ours(trades: Trades, before: int) -> float:
    """Fold the last candle's trades into a folder that has seen the day, and read it off."""
    folder = FlowFolder(GRID, STEP_MS, covered_from=START)
    folder.fold(trades.part(0, before))
    folder.advance(int(trades.time[before]) // STEP_MS * STEP_MS)
    new = trades.part(before, None)
    begun = process_time()
    folder.fold(new)
    read_off(folder.advance(START + DAY_MS))
    return process_time() - begun
