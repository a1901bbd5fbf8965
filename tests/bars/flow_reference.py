"""The flow bars once more, in plain Python: slow, obvious, and in exact fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.flow_tables import COUNTED
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.types.flow import FlowBars, Footprint, TradeGrid, Trades

if TYPE_CHECKING:
    from collections.abc import Iterable

GRID = TradeGrid(tick_size=0.1, lot_size=0.001)
START = 1_735_689_600_000  # 2025-01-01 00:00 UTC


@dataclass
class Print:
    """One trade, in ticks and lots."""

    id: int
    time: int
    tick: int
    lots: int
    side: int


@dataclass
class Expected:
    """One bar of the reference."""

    prints: list[Print] = field(default_factory=list)
    levels: dict[int, list[int]] = field(default_factory=dict)
    carried: int = -1

    def row(self) -> dict[str, int]:
        """Fields of the flow bar that follow from the trades alone."""
        if not self.prints:
            prices = dict.fromkeys(COUNTED[:4], self.carried)
            return dict.fromkeys(COUNTED[:11], 0) | prices | {"first_id": -1, "last_id": -1}
        ordered = sorted(self.prints, key=lambda p: (p.time, p.id))
        running, path = 0, []
        for each in self.prints:
            running += each.side * each.lots
            path.append(running)
        ticks = [p.tick for p in self.prints]
        bought = [p.lots for p in self.prints if p.side > 0]
        return {
            "open_ticks": ordered[0].tick,
            "high_ticks": max(ticks),
            "low_ticks": min(ticks),
            "close_ticks": ordered[-1].tick,
            "buy_lots": sum(bought),
            "sell_lots": sum(p.lots for p in self.prints if p.side < 0),
            "notional": sum(p.tick * p.lots for p in self.prints),
            "count": len(self.prints),
            "buy_count": len(bought),
            "max_delta_lots": max(path),
            "min_delta_lots": min(path),
            "first_id": min(p.id for p in self.prints),
            "last_id": max(p.id for p in self.prints),
        }


def reference(trades: Trades, grid: TradeGrid, step_ms: int) -> list[Expected]:
    """Bars from the first trade's to the last's, each trade once, in order of arrival."""
    first, last = int(trades.time.min()) // step_ms, int(trades.time.max()) // step_ms
    bars = [Expected() for _ in range(last - first + 1)]
    seen: set[int] = set()
    for each in prints_of(trades, grid):
        if each.id in seen and each.id >= 0:
            continue
        seen.add(each.id)
        bar = bars[each.time // step_ms - first]
        bar.prints.append(each)
        level = bar.levels.setdefault(each.tick // grid.bin_ticks, [0, 0])
        level[each.side < 0] += each.lots
    carried = -1
    for bar in bars:
        bar.carried = carried
        if bar.prints:
            carried = bar.row()["close_ticks"]
    return bars


def prints_of(trades: Trades, grid: TradeGrid) -> Iterable[Print]:
    """Trades in whole ticks and lots, by exact fractions of the decimals they were written as."""
    tick, lot = Fraction(str(grid.tick_size)), Fraction(str(grid.lot_size))
    columns = (trades.id, trades.time, trades.price, trades.quantity, trades.side)
    for id_, time, price, quantity, side in zip(*(c.tolist() for c in columns), strict=True):
        ticks, lots = Fraction(repr(price)) / tick, Fraction(repr(quantity)) / lot
        yield Print(id_, time, round(ticks), round(lots), side)


def assert_bars(bars: FlowBars, expected: list[Expected]) -> None:
    """Every field that follows from the trades is that of the reference."""
    rows = [bar.row() for bar in expected]
    assert len(bars) == len(rows)
    for name in rows[0]:
        found, wanted = getattr(bars, name).tolist(), [row[name] for row in rows]
        assert found == wanted, name


def assert_footprint(footprint: Footprint, expected: list[Expected]) -> None:
    """Every level of every bar is that of the reference, and in order."""
    assert len(footprint) == len(expected)
    for i, bar in enumerate(expected):
        cells = slice(footprint.offsets[i], footprint.offsets[i + 1])
        found = zip(
            footprint.bin[cells].tolist(),
            footprint.buy[cells].tolist(),
            footprint.sell[cells].tolist(),
            strict=True,
        )
        assert list(found) == [(b, *bar.levels[b]) for b in sorted(bar.levels)]


def made_trades(
    n: int, seed: int = 1, span_ms: int = 600_000, grid: TradeGrid = GRID, start: int = START
) -> Trades:
    """``n`` trades of a random walk in order of time, with contiguous ids."""
    random = np.random.default_rng(seed)
    time = start + np.sort(random.integers(0, span_ms, n))
    ticks = 600_000 + np.cumsum(random.integers(-4, 5, n))
    lots = random.integers(1, 2_000, n)
    return trades_from(
        np.arange(n) + 7_000, time, grid.prices(ticks), grid.quantities(lots),
        np.where(random.random(n) < 0.5, 1, -1),
    )  # fmt: skip


def picked(trades: Trades, rows: object) -> Trades:
    """Trades of some rows, in that order."""
    at = np.asarray(rows, dtype=np.int64)
    columns = (trades.id, trades.time, trades.price, trades.quantity, trades.side)
    return trades_from(*(column[at] for column in columns))
