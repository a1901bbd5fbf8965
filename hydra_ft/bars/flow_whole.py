"""All trades of a file into flow at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_tables import flow_from
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.types.flow import Flow, TradeGrid, Trades

BLOCK_TRADES: Final = 250_000
BLOCK_ROWS: Final = 2_000
"""Trades, and sub-bars, that are folded at a time: the room for them stays in the cache."""
SETTLED_MS: Final = 60_000
"""How far back in a file a trade may stand after others of later times."""


def flow_of(
    trades: Trades,
    grid: TradeGrid,
    step_ms: int,
    sub_ms: int = 10_000,
    *,
    covered: tuple[int, int] | None = None,
    contiguous_ids: bool = True,
) -> Flow:
    """Fold all trades of a file into flow; ``covered`` is the interval that the file is whole for.

    Without it that is from the first trade to the last: whatever of the first and of the last
    bar lies outside is marked uncovered. Raises DataError as ``FlowFolder`` does.
    """
    if not len(trades) and covered is None:
        raise DataError("trades: expected one at least, or the covered interval, was neither")
    begin, end = covered or (int(trades.time[0]), int(trades.time.max()) + 1)
    if len(trades) and int(trades.time.max()) >= end:
        raise DataError(f"covered: expected to end after the last trade, was {end}")
    folder = FlowFolder(grid, step_ms, sub_ms, covered_from=begin, contiguous_ids=contiguous_ids)
    closed = []
    for block in _blocks(trades, sub_ms):
        folder.fold(block)
        closed.append(folder.close(min(int(block.time[-1]), end) - SETTLED_MS))
    closed.append(folder.close(folder.end_after(end)))
    return flow_from(closed, grid, step_ms, sub_ms)


def _blocks(trades: Trades, sub_ms: int) -> Iterator[Trades]:
    """Cut trades so that no block has too many of them, or spans too much time."""
    start = 0
    while start < len(trades):
        until = int(trades.time[start]) + BLOCK_ROWS * sub_ms
        stop = min(start + BLOCK_TRADES, len(trades))
        stop = start + max(1, int(np.searchsorted(trades.time[start:stop], until)))
        yield trades.part(start, stop)
        start = stop
