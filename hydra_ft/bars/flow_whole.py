"""All trades of a file into flow at once, or block by block as they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_rows import LATE
from hydra_ft.bars.flow_tables import flow_from
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hydra_ft.types import IntArray
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
    bar lies outside is marked uncovered. Raises DataError as ``FlowFolder`` does, where a
    trade lies outside the covered interval, and where one stands farther than ``SETTLED_MS``
    behind others of later times: it would be in no bar.
    """
    return flow_of_blocks(
        [trades], grid, step_ms, sub_ms, covered=covered, contiguous_ids=contiguous_ids
    )


def flow_of_blocks(
    blocks: Iterable[Trades],
    grid: TradeGrid,
    step_ms: int,
    sub_ms: int = 10_000,
    *,
    covered: tuple[int, int] | None = None,
    contiguous_ids: bool = True,
) -> Flow:
    """Do the same for a file that is read block by block; no block is held on to."""
    begin = None if covered is None else covered[0]
    folder = FlowFolder(grid, step_ms, sub_ms, covered_from=begin, contiguous_ids=contiguous_ids)
    closed, latest = [], 0
    for block in blocks:
        for part in _parts(block, sub_ms):
            if folder.closed_until is None:
                folder.begin(_least_of_the_first(part.time))
            folder.fold(part)
            latest = folder.latest_time
            closed.append(folder.close(latest - SETTLED_MS))
    if latest <= 0 and covered is None:
        raise DataError("trades: expected one at least, or the covered interval, was neither")
    end = latest + 1 if covered is None else covered[1]
    if end <= latest:
        raise DataError(f"covered: expected to end after the last trade, {latest}, was {end}")
    closed.append(folder.close(folder.end_after(end)))
    late = sum(int(part.rows[:, LATE].sum()) for part in closed)
    if late:
        raise DataError(
            f"trades: expected none before {closed[0].first * sub_ms}, and none more than "
            f"{SETTLED_MS} ms behind another, was {late}; sort them by time, or cover more"
        )
    return flow_from(closed, grid, step_ms, sub_ms)


def _least_of_the_first(time: IntArray) -> int:
    """Least of the times that stand before the first that is settled against the first."""
    first = int(np.argmax(time >= time[0] + SETTLED_MS))  # 0 where none is
    return int(time[: first or None].min())


def _parts(trades: Trades, sub_ms: int) -> Iterator[Trades]:
    """Cut trades so that no part has too many of them, or spans too much time."""
    start = 0
    while start < len(trades):
        until = int(trades.time[start]) + BLOCK_ROWS * sub_ms
        stop = min(start + BLOCK_TRADES, len(trades))
        stop = start + max(1, int(np.searchsorted(trades.time[start:stop], until)))
        yield trades.part(start, stop)
        start = stop
