"""`hydra why --size`: how the last entries of a pair were sized, factor by factor."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from hydra_ft.cli.why import text
from hydra_ft.cli.why.ledgers import named
from hydra_ft.cli.why.moments import shown
from hydra_ft.store.read_only import ReadOnlyDatabase
from hydra_ft.store.schema import SIZES
from hydra_ft.store.sizes import SizeStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from hydra_ft.cli.why.home import Home
    from hydra_ft.store.sizes import SizeRow

_WANTED = "a pair of which an entry was sized or refused a size"
SHOWN = 5
"""Sizes that are shown, the newest first."""


@contextmanager
def sizes_of_bot(home: Home) -> Iterator[SizeStore | None]:
    """Open the sizes of a bot, None where the bot has made no tables yet.

    Raises
    ------
    StoreError
        When the database cannot be read, or an older version has written it.
    """
    if home.file is not None and not home.file.exists():
        yield None
        return
    database = ReadOnlyDatabase(home.url, (SIZES,))
    try:
        yield SizeStore(database, home.bot) if database.has_tables else None
    finally:
        database.close()


def explain_sizes(home: Home, pair: str, *, as_json: bool) -> None:
    """Print the last sizes of a pair, those that were refused among them."""
    with sizes_of_bot(home) as store:
        pairs = store.pairs() if store is not None else []
        rows = store.last(named(pair, pairs, _WANTED), SHOWN) if store is not None and pairs else []
    if as_json:
        found = [{"pair": row.pair, "at": row.at, **row.size} for row in rows]
        print(json.dumps({"sizes": found}, indent=2, allow_nan=False))
    elif not rows:
        print("No entry was sized yet; sizes are kept where a head declares a risk policy.")
    else:
        for row in rows:
            text.console().print(_one(row))


def _one(row: SizeRow) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for factor in row.size["because"]:
        value = f"{factor['value']:.3f}"
        bounds = f"{factor['low']:g} to {factor['high']:g}"
        table.add_row(Text(factor["name"]), Text(value), Text(bounds), Text(factor["why"]))
    grid = Table.grid()
    grid.add_row(Text(_head(row), style="bold"))
    grid.add_row(Text(_result(row.code, row.size)))
    grid.add_row(table)
    return grid


def _head(row: SizeRow) -> str:
    return f"{row.pair} {row.size['side']}, asked for {shown(row.at)} UTC at {row.size['price']:g}"


def _result(code: str, size: Mapping[str, Any]) -> str:
    if code != "ok":
        return f"no size: {code}, {size['detail']}"
    cap = f", capped by {size['capped_by']}" if size["capped_by"] else ""
    return (
        f"stake {size['stake']:.2f} at {size['leverage']:g} times leverage, position "
        f"{size['notional']:.2f}, loses {size['risk']:.2f} at {size['stop_price']:g}{cap}"
    )
