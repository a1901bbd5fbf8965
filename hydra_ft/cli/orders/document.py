"""Parents as one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.cli.orders.story import Story
    from hydra_ft.cli.orders.totals import Total


def document(database: str, bot: str, stories: Sequence[Story], found: Sequence[Total]) -> str:
    """Return everything that was read, as text; what is not known is null.

    Times are UTC milliseconds, quantities base units, shares 0..1; the names are those of
    the tables of the database.
    """
    content = {
        "database": database,
        "bot": bot,
        "orders": [_order(story) for story in stories],
        "totals": [asdict(total) for total in found],
    }
    return json.dumps(_plain(content), indent=2, allow_nan=False)


def _order(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        **asdict(story.parent),
        "requotes": story.parent.requotes,
        "result": story.result,
        "filled": story.filled,
        "average_price": story.average_price,
        "cost": asdict(story.cost),
        "attempts": [asdict(child) for child in story.children],
        "events": [asdict(event) for event in story.events],
    }


def _plain(value: Any) -> Any:
    """Replace what JSON has no word for."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
