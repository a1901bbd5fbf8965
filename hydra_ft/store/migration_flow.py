"""What an earlier version wrote of liquidations under a name that says too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from hydra_ft.store.flow_derivatives import stepped
from hydra_ft.store.flow_schema import NO_MINUTE, STEPS_INDEX
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OTHER_STEPS: Final = text(
    f"SELECT DISTINCT market, source, step_ms FROM hydra_liquidation_minutes WHERE {NO_MINUTE}"  # noqa: S608
)
_THESE: Final = "market = :market AND source = :source AND step_ms = :step_ms"
_RENAME: Final = text(
    f"UPDATE hydra_liquidation_minutes SET source = :name WHERE {_THESE} AND time NOT IN"  # noqa: S608
    " (SELECT time FROM hydra_liquidation_minutes WHERE market = :market AND source = :name)"
)
_DROP: Final = text(f"DELETE FROM hydra_liquidation_minutes WHERE {_THESE}")  # noqa: S608
_UNCOVER: Final = text(
    "DELETE FROM hydra_coverage WHERE market = :market AND source = :source AND feed = :feed"
)


def name_steps(connection: Connection) -> None:
    """Give sums of hours the name they have today, and prove nothing by them any more.

    They stood under the name of a vendor's minutes, and what they covered read as time in which
    nothing was liquidated. It is unknown from now on, and can be fetched anew.
    """
    connection.execute(STEPS_INDEX)
    for row in connection.execute(_OTHER_STEPS).all():
        if "/" in row.source:  # as it is written today
            continue
        these: dict[str, Any] = {"market": row.market, "source": row.source}
        steps = these | {"step_ms": row.step_ms}
        connection.execute(_RENAME, steps | {"name": stepped(row.source, row.step_ms)})
        connection.execute(_DROP, steps)
        connection.execute(_UNCOVER, these | {"feed": Feed.LIQUIDATIONS.value})
