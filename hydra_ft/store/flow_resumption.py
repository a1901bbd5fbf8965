"""Where the kept bars of a pair end: what a ``FlowFolder`` needs to go on there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from hydra_ft.store.flow_schema import FLOW_BARS
from hydra_ft.types.flow import NO_ID, UNKNOWN, TradeGrid

if TYPE_CHECKING:
    from hydra_ft.store.database import Database
    from hydra_ft.store.flow import FlowStore


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where the bars of a pair are gone on with, and what is known of the trade before.

    ``closed_until`` is the end of the newest bar (UTC ms), or its beginning where it is kept in
    part and ids tell the rest. Where nothing but parts of a bar are kept yet it is the beginning
    of the first whole one: the bar was open, and is built anew.
    """

    grid: TradeGrid
    closed_until: int
    last_id: int
    last_price_ticks: int


def resumption(database: Database, store: FlowStore, pair: str, step_ms: int) -> Resumption | None:
    """Return where the bars of a pair end; None where not even a part of one is kept."""
    market = store.markets.find(pair)
    if market is None:
        return None
    bars = store.last(pair, step_ms, 2)
    if bars is None:
        return _from_parts(database, store, market, step_ms)
    # A file ends within a bar. Where ids tell what follows, that bar is built anew: what traded
    # in the rest of it would come too late.
    begin = int(bars.time[-1])
    before = _last_id(database, market, step_ms, begin)
    is_torn = len(bars) > 1 and bars.uncovered_ms[-1] > 0 and before != NO_ID
    last_id = int(bars.last_id[-1])
    return Resumption(
        grid=bars.grid,
        closed_until=begin if is_torn else begin + step_ms,
        last_id=before if is_torn or last_id == NO_ID else last_id,
        last_price_ticks=int(bars.close_ticks[-2 if is_torn else -1]),
    )


def _last_id(database: Database, market: int, step_ms: int, before: int) -> int:
    """Return the id of the last trade before a time: bars without trades have none."""
    query = (
        select(FLOW_BARS.c.last_id)
        .where(FLOW_BARS.c.market == market, FLOW_BARS.c.step_ms == step_ms)
        .where(FLOW_BARS.c.count > 0, FLOW_BARS.c.time < before)
        .order_by(FLOW_BARS.c.time.desc())
        .limit(1)
    )
    with database.transaction() as connection:
        found = connection.execute(query).scalar_one_or_none()
    return NO_ID if found is None else int(found)


def _from_parts(
    database: Database, store: FlowStore, market: int, step_ms: int
) -> Resumption | None:
    """Go on from shorter bars: before the first whole one, or else after the last."""
    query = (
        select(FLOW_BARS)
        .where(FLOW_BARS.c.market == market, FLOW_BARS.c.step_ms < step_ms, FLOW_BARS.c.count > 0)
        .order_by(FLOW_BARS.c.step_ms, FLOW_BARS.c.time)
        .limit(step_ms // 1_000)
    )
    with database.transaction() as connection:
        rows = connection.execute(query).all()
        if not rows:
            return None
        rows = [row for row in rows if row.step_ms == rows[0].step_ms]
        first = next((row for row in rows if not row.uncovered_ms), None)
        grid = store.markets.grid(connection, (first or rows[-1]).grid)
    if first is not None:
        last_id = NO_ID if first.first_id == NO_ID else first.first_id - 1
        return Resumption(grid, first.time, last_id, UNKNOWN)
    last = rows[-1]
    return Resumption(grid, last.time + last.step_ms, last.last_id, last.close_ticks)
