"""One day of made-up trades of one pair, as arrays and as freqtrade keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from hydra_ft.bars.flow_text import ids_from_text, sides_from_text
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import BLOCK_TRADES
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import FlowBars, Trades

DAY_MS: Final = 86_400_000
STEP_MS: Final = 300_000
START: Final = 1_735_689_600_000  # 2025-01-01 00:00 UTC
SCALE: Final = 0.5
"""Freqtrade's bins, in quote currency; ours are five ticks, which is the same."""
GRID: Final = TradeGrid(tick_size=0.1, lot_size=0.001, bin_ticks=5)


def made_trades(n: int, seed: int = 1) -> Trades:
    """``n`` trades within a day: some 240 levels of half a unit in a candle of five minutes.

    The walk makes the same way whatever ``n``; ids are contiguous.
    """
    random = np.random.default_rng(seed)
    time = START + np.sort(random.integers(0, DAY_MS, n))
    walk = np.cumsum(random.normal(0, 480 / np.sqrt(n), n))
    ticks = np.rint(10 * (60_000 + walk + random.normal(0, 20, n))).astype(np.int64)
    lots = 1 + np.rint(random.gamma(0.5, 200.0, n)).astype(np.int64)
    side = random.choice(np.array([1, -1], dtype=np.int8), n)
    ids = np.arange(n) + 1_000_000_000
    return trades_from(ids, time, GRID.prices(ticks), GRID.quantities(lots), side)


def frame_of(trades: Trades) -> pd.DataFrame:
    """Trades as freqtrade's frame, with the types it gives them on loading."""
    frame = pd.DataFrame(
        {
            "timestamp": trades.time,
            "id": pd.Series(trades.id.astype(str), dtype="str"),
            "type": None,
            "side": pd.Series(np.where(trades.side > 0, "buy", "sell"), dtype="str"),
            "price": trades.price,
            "amount": trades.quantity,
            "cost": trades.price * trades.quantity,
        }
    )
    frame["date"] = pd.to_datetime(frame["timestamp"], unit="ms", utc=True)
    return frame


def trades_of(frame: pd.DataFrame) -> Trades:
    """Trades from freqtrade's frame."""
    return next(blocks_of(frame, len(frame)))


def blocks_of(frame: pd.DataFrame, size: int = BLOCK_TRADES) -> Iterator[Trades]:
    """Trades from freqtrade's frame, block by block: ids and sides are strings there."""
    (id_at, ids), (side_at, sides) = (_bytes_of(frame[name]) for name in ("id", "side"))
    columns = [frame[name].to_numpy() for name in ("timestamp", "price", "amount")]
    for start in range(0, len(frame), size):
        rows, ends = slice(start, start + size), slice(start, start + size + 1)
        time, price, quantity = (column[rows] for column in columns)
        id_, side = ids_from_text(id_at[ends], ids), sides_from_text(side_at[ends], sides)
        yield trades_from(id_, time, price, quantity, side)


def _bytes_of(column: pd.Series[str]) -> tuple[IntArray, NDArray[np.uint8]]:
    """Offsets and characters of a column of strings, as they lie in memory."""
    held = pa.array(column.array)
    whole = held if isinstance(held, pa.Array) else held.combine_chunks()
    if whole.type != pa.large_string():
        whole = whole.cast(pa.large_string())
    _, offsets, characters = whole.buffers()
    rows = slice(whole.offset, whole.offset + len(whole) + 1)
    return np.frombuffer(offsets, np.int64)[rows], np.frombuffer(characters, np.uint8)


def candles_of(bars: FlowBars) -> pd.DataFrame:
    """Candles of the times of flow bars, in freqtrade's form."""
    frame = pd.DataFrame({"date": pd.to_datetime(bars.time, unit="ms", utc=True)})
    for name in ("open", "high", "low", "close", "volume"):
        frame[name] = getattr(bars, name)
    return frame
