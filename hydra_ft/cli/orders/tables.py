"""Parents, children, events and costs as tables for people."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from hydra_ft.cli.orders.story import Story
    from hydra_ft.cli.orders.totals import Total
    from hydra_ft.types import Attempt

WIDTH_OF_FILES = 400
"""In a pipe or a file no line is folded."""

NUMBERS = frozenset(
    {"target", "filled", "average", "requotes", "seconds", "price", "quantity", "fee"}
    | {"n", "total", "delay", "trading", "fees", "missed", "ratio", "maker", "mean", "median"}
    | {"weighted"}
)
"""Columns that are set to the right."""


def console() -> Console:
    """Return a console as wide as the terminal, or wide enough where there is none."""
    made = Console(highlight=False)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(highlight=False, width=WIDTH_OF_FILES)


def listing(stories: Sequence[Story]) -> Table:
    """One line for each parent."""
    table = _table(
        "id",
        "decided (UTC)",
        "pair",
        "side",
        "kind",
        "target",
        "filled",
        "average",
        "requotes",
        "seconds",
        "end",
        "reason",
    )
    for story in stories:
        parent = story.parent
        _add(
            table,
            *_names(story),
            _number(parent.quantity),
            _number(story.filled),
            _price(story.average_price),
            str(parent.requotes),
            f"{story.cost.seconds:.0f}",
            story.result,
            parent.reason,
            style="bold" if parent.is_open else "",
        )
    return table


def details(story: Story) -> RenderableType:
    """One parent, its children and its events."""
    parent = story.parent
    known = (
        f"decision {_price(parent.decision_price)}, arrival {_price(parent.arrival_price)}, "
        f"end {_price(parent.end_price)}; key {parent.key}"
    )
    children = _table("sent (UTC)", "price", "quantity", "state", "filled", "average", "order id")
    for child in story.children:
        _add(children, *_child(child))
    parts: list[RenderableType] = [listing([story]), _indented(Text(known))]
    if story.children:
        parts.append(_indented(children))
    if story.events:
        events = _table("at (UTC)", "what", "order id", "detail")
        for event in story.events:
            _add(events, _time(event.at), event.what, event.order_id, event.detail)
        parts.append(_indented(events))
    return Group(*parts, Text())


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


def _child(child: Attempt) -> tuple[str, ...]:
    return (
        _time(child.sent_at),
        _price(child.price) if child.price else "market",
        _number(child.quantity),
        child.state.value,
        _number(child.filled),
        _price(child.average_price),
        child.order_id or "-",
    )


def costs(stories: Iterable[Story]) -> Table:
    """Cost of each parent in bps of its target; a positive figure was paid."""
    table = _table(
        "id",
        "decided (UTC)",
        "pair",
        "side",
        "kind",
        "total",
        "delay",
        "trading",
        "fees",
        "missed",
        "ratio",
        "maker",
        "requotes",
        "seconds",
        "end",
    )
    for story in stories:
        cost = story.cost
        _add(
            table,
            *_names(story),
            _bps(cost.total_bps),
            _bps(cost.delay_bps),
            _bps(cost.trading_bps),
            _bps(cost.fee_bps),
            _bps(cost.opportunity_bps),
            _share(cost.fill_ratio),
            _share(cost.maker_share),
            str(cost.requotes),
            f"{cost.seconds:.0f}",
            story.result,
            style="bold" if story.parent.is_open else "",
        )
    return table


def summary(found: Iterable[Total]) -> Table:
    """Totals in bps; the four parts add up to the weighted mean."""
    names = ("by", "", "n", "mean", "median", "weighted", "delay", "trading", "fees", "missed")
    table = _table(*names, "ratio", "maker")
    for total in found:
        _add(
            table,
            total.by,
            "" if total.by == "all" else total.name,
            str(total.n),
            _bps(total.mean_bps),
            _bps(total.median_bps),
            _bps(total.weighted_bps),
            _bps(total.delay_bps),
            _bps(total.trading_bps),
            _bps(total.fee_bps),
            _bps(total.opportunity_bps),
            _share(total.fill_ratio),
            _share(total.maker_share),
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for name in names:
        table.add_column(
            name, justify="right" if name in NUMBERS else "left", overflow="fold", header_style=""
        )
    return table


def _add(table: Table, *cells: str, style: str = "") -> None:
    # Text, because a tag such as [a] in a plain str would be taken for markup.
    table.add_row(*(Text(cell) for cell in cells), style=style)


def _names(story: Story) -> tuple[str, ...]:
    parent = story.parent
    return story.id, _time(parent.decided_at), parent.pair, parent.side.value, parent.kind.value


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _number(value: float) -> str:
    return f"{value:.10g}"


def _price(value: float) -> str:
    return f"{value:.8g}" if value else "-"


def _bps(value: float) -> str:
    # Adding zero takes the sign from what was rounded to minus zero.
    return f"{round(value, 1) + 0.0:.1f}" if isfinite(value) else "-"


def _share(value: float) -> str:
    return f"{value:.0%}" if isfinite(value) else "-"
