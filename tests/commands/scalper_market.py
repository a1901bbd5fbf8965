"""Two days of made trades in which the scalper's signal comes, and what follows is planned.

Every 10 seconds reach 0.4 % to both sides of a middle that hardly moves, so that the market is
lively; the narrower of two bars has the greater volume, so that none is quiet by chance. At
planned times one bar, or one minute, is both. What the middle does then ends the position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.types.flow import TradeGrid, Trades

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.types import FloatArray, IntArray
    from hydra_ft.types.flow import Flow

STEP, MINUTE, HOUR, DAY = 10_000, 60_000, 3_600_000, 86_400_000
BEGIN = 1_749_686_400_000  # 2025-06-12 00:00 UTC
HISTORY_H = 300
PAIR = "BTC/USDT:USDT"
GRID = TradeGrid(tick_size=0.1, lot_size=0.001, bin_ticks=100)
WIDE, NARROW = 0.004, 0.0004
PLAN = ("target", "time", "stop", "time")
"""What follows the signals, one after another; they come every hour."""
MOVES = {"target": 0.013, "stop": -0.008, "time": 0.0}


@dataclass(frozen=True)
class Tape:
    """Bars of 10 s, shape (n,) each; four trades make each of them."""

    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def trades(self) -> Trades:
        """Open, low, high, close of each bar, bought and sold in turns."""
        n = self.time.size
        price = np.stack([self.open, self.low, self.high, self.close], axis=1).ravel()
        sides = np.where(np.arange(4 * n) % 2 == 0, 1, -1)
        return Trades(
            id=np.arange(1, 4 * n + 1),
            time=(self.time[:, None] + np.array([0, 3000, 6000, 9000])).ravel(),
            price=price,
            quantity=np.repeat(np.round(self.volume / 4, 3), 4),
            side=sides.astype(np.int8),
        )


def events(days: int) -> dict[int, str]:
    """Row of each quiet bar, and what is planned to follow it."""
    found = {}
    for i in range(days * 24):
        # The bar that opens at :50 closes with its minute, ten past each hour.
        found[i * 360 + 60 + 5] = PLAN[i % len(PLAN)]
    return found


def missed(days: int) -> list[int]:
    """Rows of quiet bars that have outlived their time when their minute closes."""
    return [i * 360 + 150 + 2 for i in range(days * 24)]


def tape(days: int = 2, *, quiet_bars: int = 1) -> Tape:
    """Make the bars of so many days; ``quiet_bars`` are quiet at each planned time.

    With six a whole minute is, which is what the form on minutes looks for.
    """
    n = days * DAY // STEP
    random = np.random.default_rng(11)
    steps = np.zeros(n + 1)
    for row, what in events(days).items():
        # It begins a minute after the signal, when the entry has been filled, and takes two.
        steps[row + 7 : row + 19] += MOVES[what] / 12
    middle = 60_000.0 * np.exp(np.cumsum(steps) + 1e-5 * np.arange(n + 1))
    jitter = random.uniform(0, 1, n)
    half, volume = WIDE * (0.95 + 0.1 * jitter), 12.0 - 4 * jitter
    quiet = [row - i for row in events(days) for i in range(quiet_bars)] + missed(days)
    half[quiet], volume[quiet] = NARROW, 2.0
    opened, closed = middle[:-1], middle[1:]
    high, low = np.maximum(opened, closed) * (1 + half), np.minimum(opened, closed) * (1 - half)
    prices = [np.round(values, 1) for values in (opened, high, low, closed)]
    return Tape(BEGIN + STEP * np.arange(n), *prices, volume)


def flow(made: Tape) -> Flow:
    """Fold the trades into minutes and bars of 10 s."""
    folder = FlowFolder(GRID, MINUTE, STEP, covered_from=BEGIN)
    folder.fold(made.trades())
    return folder.finish(int(made.time[-1]) + STEP)


def keep(made: Tape, file: Path, exchange: str = "binance") -> None:
    """Write the flow of the tape into a database, as a recorder would."""
    database = Database(f"sqlite:///{file}")
    FlowStore(database, exchange).put([(PAIR, flow(made))])
    database.close()


def frame(made: Tape, step: int) -> pd.DataFrame:
    """Candles of the tape."""
    per = step // STEP
    rows = slice(None, None, per)
    shape = (-1, per)
    return _candles(
        made.time[rows],
        made.open[rows],
        made.high.reshape(shape).max(axis=1),
        made.low.reshape(shape).min(axis=1),
        made.close[per - 1 :: per],
        made.volume.reshape(shape).sum(axis=1),
    )


def before(made: Tape, hours: int = HISTORY_H) -> pd.DataFrame:
    """Hours that lead to the first price, rising as slowly as the tape does."""
    random = np.random.default_rng(12)
    log = np.cumsum(random.normal(0.001, 0.002, hours + 1)[::-1])
    middle = made.open[0] * np.exp(-(log - log[0]))[::-1]
    opened, closed = middle[:-1], middle[1:]
    half = 0.005 * random.uniform(0.9, 1.1, hours)
    return _candles(
        BEGIN + HOUR * np.arange(-hours, 0),
        opened,
        np.maximum(opened, closed) * (1 + half),
        np.minimum(opened, closed) * (1 - half),
        closed,
        random.uniform(3000, 5000, hours),
    )


def _candles(time: IntArray, *columns: FloatArray) -> pd.DataFrame:
    date = pd.to_datetime(time, unit="ms", utc=True)
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({"date": date, **dict(zip(names, columns, strict=True))})


def hours_of(made: Tape) -> pd.DataFrame:
    """All hours, those of the tape last."""
    return pd.concat([before(made), frame(made, HOUR)], ignore_index=True)


def four_hours(hours: pd.DataFrame) -> pd.DataFrame:
    """Candles of four hours."""
    names = ("first", "max", "min", "last", "sum")
    how = dict(zip(("open", "high", "low", "close", "volume"), names, strict=True))
    found = hours.set_index("date").resample("4h").agg(how)
    return found.reset_index()


def write(made: Tape, folder: Path) -> None:
    """Write what freqtrade downloads: candles, marks, funding and open interest."""
    folder.mkdir(parents=True, exist_ok=True)
    hours = hours_of(made)
    settled = hours[hours["date"].dt.hour % 8 == 0]
    rate = np.random.default_rng(13).normal(0.0001, 0.00003, len(settled))
    funding = settled.assign(open=rate, high=0.0, low=0.0, close=0.0, volume=0.0)
    amount = 50_000.0 + np.arange(len(hours))
    held = hours[["date"]].assign(open_interest_amount=amount, open_interest_value=amount)
    files = {
        "1m-futures": frame(made, MINUTE),
        "1h-futures": hours,
        "4h-futures": four_hours(hours),
        "1h-mark": hours,
        "1h-funding_rate": funding,
        "1h-open_interest": held,
    }
    for name, content in files.items():
        content.reset_index(drop=True).to_feather(folder / f"BTC_USDT_USDT-{name}.feather")
