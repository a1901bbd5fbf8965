"""Of which markets something is kept from within an interval: one question for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from hydra_ft.store.flow_coverage import OWN
from hydra_ft.store.flow_schema import COVERAGE, FLOW_BARS

if TYPE_CHECKING:
    from collections.abc import Collection

    from hydra_ft.store.database import Database
    from hydra_ft.types import Feed


def with_bars(
    database: Database, markets: Collection[int], step_ms: int, start: int, stop: int
) -> set[int]:
    """Return the markets with a bar of a length that opens within an interval."""
    query = (
        select(FLOW_BARS.c.market)
        .where(FLOW_BARS.c.market.in_(sorted(markets)), FLOW_BARS.c.step_ms == step_ms)
        .where(FLOW_BARS.c.time >= start, FLOW_BARS.c.time < stop)
        .distinct()
    )
    with database.transaction() as connection:
        return set(connection.execute(query).scalars())


def with_proof(
    database: Database, markets: Collection[int], feed: Feed, start: int, stop: int
) -> set[int]:
    """Return the markets of which the exchange's own proof reaches into an interval."""
    query = (
        select(COVERAGE.c.market)
        .where(COVERAGE.c.market.in_(sorted(markets)), COVERAGE.c.feed == feed.value)
        .where(COVERAGE.c.source == OWN, COVERAGE.c.stop > start, COVERAGE.c.start < stop)
        .distinct()
    )
    with database.transaction() as connection:
        return set(connection.execute(query).scalars())
