"""Single liquidations as they are kept, and since when all of them are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from sqlalchemy import func, select

from hydra_ft.store.flow_coverage import OWN
from hydra_ft.store.flow_derivatives import MINUTE_MS
from hydra_ft.store.flow_schema import LIQUIDATION_MINUTES, LIQUIDATIONS
from hydra_ft.types import ForcedClosures, Side

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_markets import Markets

AT_ONCE_MS: Final = 7 * 86_400_000
"""How much of the past is read at once."""
_SAME: Final = 1e-9
"""What sums of the same notionals differ by, as a share, by the order of the additions."""


class ClosureStore:
    """Single liquidations of the pairs of one exchange, for whoever reads them."""

    def __init__(self, database: Database, markets: Markets) -> None:
        self._database = database
        self._markets = markets

    def between(self, pair: str, start: int, stop: int) -> ForcedClosures:
        """Return the liquidations within an interval (``stop`` exclusive), oldest first."""
        parts = [
            self._part(pair, begin, min(begin + AT_ONCE_MS, stop))
            for begin in range(start, stop, AT_ONCE_MS)
        ]
        if not parts:
            return _closures([])
        return ForcedClosures(
            *(np.concatenate([getattr(p, n) for p in parts]) for n in ForcedClosures.__slots__)
        )

    def kept_from(self, pair: str) -> int:
        """Return the time (UTC ms) from which on none of a pair's liquidations was dropped.

        They are kept for less long than their sums by the minute, which tell of those that
        have gone; what is covered before is calm in the sums, and unknown here.
        """
        market = self._markets.find(pair)
        if market is None:
            return 0
        event, minute = LIQUIDATIONS.c, LIQUIDATION_MINUTES.c
        oldest = select(func.min(event.time)).where(event.market == market)
        sums = (
            select(minute.time, minute.long_notional + minute.short_notional)
            .where(minute.market == market, minute.source == OWN)
            .order_by(minute.time.desc())
            .limit(2)
        )
        with self._database.transaction() as connection:
            first = connection.execute(oldest).scalar_one()
            if first is not None:
                sums = sums.where(minute.time <= first)
            for time, total in connection.execute(sums).all():
                if _kept(connection, market, time) < total * (1 - _SAME):
                    return int(time) + MINUTE_MS
        return 0

    def _part(self, pair: str, start: int, stop: int) -> ForcedClosures:
        market, table = self._markets.find(pair), LIQUIDATIONS.c
        query = (
            select(table.time, table.notional, table.side)
            .where(table.market == (-1 if market is None else market))
            .where(table.time >= start, table.time < stop)
            .order_by(*LIQUIDATIONS.primary_key)
        )
        with self._database.transaction() as connection:
            return _closures([tuple(row) for row in connection.execute(query)])


def _kept(connection: Connection, market: int, minute: int) -> float:
    """Notional of the liquidations of a minute that are kept."""
    table = LIQUIDATIONS.c
    query = select(func.sum(table.notional)).where(
        table.market == market, table.time >= minute, table.time < minute + MINUTE_MS
    )
    return float(connection.execute(query).scalar_one() or 0.0)


def _closures(rows: list[tuple[int, float, str]]) -> ForcedClosures:
    times, quotes, sides = zip(*rows, strict=True) if rows else ((), (), ())
    return ForcedClosures(
        time=np.array(times, dtype=np.int64),
        quote=np.array(quotes, dtype=np.float64),
        side=np.array([Side(side).sign for side in sides], dtype=np.int64),
    )
