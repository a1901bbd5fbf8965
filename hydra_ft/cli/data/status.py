"""`hydra data status`: coverage, gaps and age of what is kept, by pair and feed."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hydra_ft.cli.data.pairs import wanted
from hydra_ft.cli.why.home import found
from hydra_ft.cli.why.moments import shown
from hydra_ft.cli.why.text import console
from hydra_ft.store.address import shown as shown_url
from hydra_ft.store.flow_coverage import OWN
from hydra_ft.store.flow_schema import COVERAGE, FLOW_BARS, GAPS, MARKETS
from hydra_ft.store.flow_status import statuses
from hydra_ft.store.read_only import ReadOnlyDatabase

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from hydra_ft.cli.why.home import Home
    from hydra_ft.store.flow_status import FeedStatus

COLUMNS = ("Pair", "Feed", "From", "To", "Covered", "Gaps", "Longest", "Told", "Age")
RIGHT = frozenset(COLUMNS[4:])
STALE_MS = 120_000
"""What is recorded has not ended so long ago."""


def run(args: argparse.Namespace) -> int:
    """List what is kept; 0 also where nothing is.

    Raises
    ------
    HydraError
        When the configuration or the database cannot be read, or a pair is not kept.
    """
    home, now = found(args), int(time.time() * 1000)
    place = str(home.file or shown_url(home.url))
    rows = _read(home)
    if args.pairs and rows:
        kept = set(wanted(args.pairs, sorted({row.pair for row in rows}), "that is kept"))
        rows = [row for row in rows if row.pair in kept]
    if args.json:
        print(json.dumps(_document(place, now, rows), indent=2, allow_nan=False))
    elif rows:
        _show(place, now, rows)
    else:
        print(
            f"No market data is kept in {place}; record it with hydra record, make it of files "
            "with hydra data build, or fetch it with hydra data fetch."
        )
    return 0


def _read(home: Home) -> list[FeedStatus]:
    if home.file is not None and not home.file.exists():
        return []
    database = ReadOnlyDatabase(home.url, (MARKETS, COVERAGE, GAPS, FLOW_BARS))
    try:
        return statuses(database) if database.has_tables else []
    finally:
        database.close()


def _document(place: str, now: int, rows: Sequence[FeedStatus]) -> dict[str, object]:
    feeds = [
        asdict(row) | {"coverage": row.coverage, "age_ms": max(0, now - row.stop)} for row in rows
    ]
    return {"source": place, "now": now, "feeds": feeds}


def _show(place: str, now: int, rows: Sequence[FeedStatus]) -> None:
    exchanges = sorted({row.exchange for row in rows})
    for exchange in exchanges:
        own = [row for row in rows if row.exchange == exchange]
        made = Table(title=f"{exchange}: {len(own)} pair / feed combinations, {place}")
        for name in COLUMNS:
            made.add_column(name, justify="right" if name in RIGHT else "left", overflow="fold")
        for row in own:
            _add(made, row, now)
        console().print(made)


def _add(table: Table, row: FeedStatus, now: int) -> None:
    age = max(0, now - row.stop)
    feed = row.feed if row.source == OWN else f"{row.feed} ({row.source})"
    cells = (
        row.pair,
        feed,
        shown(row.start),
        shown(row.stop),
        _share(row.coverage),
        str(row.gaps),
        length(row.longest_gap_ms) if row.gaps else "-",
        str(row.told_gaps),
        length(age),
    )
    style = "yellow" if age > STALE_MS or row.gaps else ""
    table.add_row(*(Text(cell) for cell in cells), style=style)


def _share(share: float) -> str:
    """Show a share; what is not whole is never shown as 100 %."""
    return "100 %" if share >= 1 else f"{min(share, 0.99999):.3%}".replace("%", " %")


def length(length_ms: int) -> str:
    """Return a length of time for people, in its largest unit: 20 s, 40 min, 3 h, 12 d."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if length_ms >= 2 * size:
            return f"{length_ms // size} {unit}"
    return f"{length_ms // 1000} s"
