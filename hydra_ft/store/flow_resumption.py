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
    """Return where the bars of a pair end; None where none are kept, and no whole part of one."""
    market = store.markets.find(pair)
    if market is None:
        return None
    bars = store.last(pair, step_ms, 2)
    if bars is None:
        return _first_part(database, store, market, step_ms)
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


def _first_part(
    database: Database, store: FlowStore, market: int, step_ms: int
) -> Resumption | None:
    """Return what lies before the first shorter bar that is whole and has trades."""
    query = (
        select(FLOW_BARS.c.time, FLOW_BARS.c.first_id, FLOW_BARS.c.grid)
        .where(FLOW_BARS.c.market == market, FLOW_BARS.c.step_ms < step_ms)
        .where(FLOW_BARS.c.count > 0, FLOW_BARS.c.uncovered_ms == 0)
        .order_by(FLOW_BARS.c.step_ms, FLOW_BARS.c.time)
        .limit(1)
    )
    with database.transaction() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        grid = store.markets.grid(connection, row.grid)
    last_id = NO_ID if row.first_id == NO_ID else row.first_id - 1
    return Resumption(grid, row.time, last_id, UNKNOWN)
