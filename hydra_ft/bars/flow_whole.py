"""All trades of a file into flow at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_tables import joined
from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from hydra_ft.types.flow import Flow, TradeGrid, Trades

BLOCK_TRADES: Final = 1_000_000
"""Trades that are folded at a time, so that memory does not grow with the file."""
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
    parts = []
    for start in range(0, len(trades), BLOCK_TRADES):
        block = trades.part(start, start + BLOCK_TRADES)
        folder.fold(block)
        parts.append(folder.advance(min(int(block.time[-1]), end) - SETTLED_MS))
    parts.append(folder.finish(end))
    return joined(parts)
