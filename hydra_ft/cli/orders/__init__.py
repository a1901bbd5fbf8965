"""`hydra orders`: the parents in Hydra's database, what became of them and what they cost."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_ft.adapter.configuration import load_configuration
from hydra_ft.cli.install import write_atomically
from hydra_ft.cli.orders import tables
from hydra_ft.cli.orders.chart import page
from hydra_ft.cli.orders.document import document
from hydra_ft.cli.orders.reading import Stories
from hydra_ft.cli.orders.totals import is_counted, totals
from hydra_ft.errors import HydraError
from hydra_ft.settings import SECTION, database_url, load_settings
from hydra_ft.store.address import shown
from hydra_ft.store.read_only import ReadOnlyDatabase, file_of
from hydra_ft.store.schema import ATTEMPTS, EVENTS, PARENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hydra_ft.cli.orders.story import Story
    from hydra_ft.types import ParentOrder

DAY_MS = 86_400_000
LIMIT = 50
"""Lines of a listing unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The parents that are shown, how many there are, and all of them for totals."""

    shown: list[Story]
    count: int
    every: list[Story]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    text = "id of one order, or part of its key: show it with all its children and events"
    parser.add_argument("key", nargs="?", metavar="KEY", help=text)
    text = "configuration file; may be given more than once, later ones win"
    parser.add_argument("-c", "--config", action="append", metavar="FILE", help=text)
    text = "freqtrade's user_data directory"
    parser.add_argument("--userdir", "--user-data-dir", type=Path, metavar="DIR", help=text)
    text = "orders of this pair only; BTC stands for all its markets"
    parser.add_argument("-p", "--pair", default="", metavar="PAIR", help=text)
    parser.add_argument("--open", action="store_true", help="orders that are being worked only")
    text = "orders decided within so many days (all that are kept: 90)"
    parser.add_argument("--days", type=_above(1), metavar="N", help=text)
    text = f"the newest N, 0 for all (default: {LIMIT}; with --json all)"
    parser.add_argument("--limit", type=_above(0), metavar="N", help=text)
    text = "show the children and events of each order"
    parser.add_argument("-v", "--verbose", action="store_true", help=text)
    parser.add_argument("--cost", action="store_true", help="what each order cost, and totals")
    text = "write the distribution of the costs as a page"
    parser.add_argument("--plot", type=Path, metavar="FILE.html", help=text)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _above(least: int) -> Callable[[str], int]:
    """Return a type of argparse: a whole number, not below ``least``."""

    def whole_number(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            message = f"expected a whole number from {least}, was {text!r}; for example 7"
            raise argparse.ArgumentTypeError(message)
        return int(text)

    return whole_number


def run(args: argparse.Namespace) -> int:
    """Show what was asked for; 0 also where there is nothing to show.

    Raises
    ------
    HydraError
        When the configuration or the database cannot be read, or a value is not usable.
    """
    if args.plot is not None and args.plot.suffix != ".html":
        raise HydraError(f"--plot: expected a name ending in .html, was {args.plot}; change it")
    home = args.userdir or Path("user_data")
    files = args.config or [str(home / "config.json")]
    config = load_configuration(files, args.userdir)
    settings = load_settings(config.get(SECTION))
    dry_run = bool(config.get("dry_run", True))
    url = database_url(settings, config["user_data_dir"], dry_run=dry_run)
    selection = _selected(args, url, settings.bot_name)
    if args.json:
        print(document(shown(url), settings.bot_name, selection.shown, totals(selection.every)))
    elif selection.count:
        _show(args, selection)
    else:
        print(_nothing(args, url, settings.bot_name))
    if args.plot is not None:
        _plot(args.plot, selection.every)
    return 0


def _selected(args: argparse.Namespace, url: str, bot: str) -> Selection:
    """Read what was asked for, and no more."""
    path = file_of(url)
    if path is not None and not path.exists():
        return Selection([], 0, [])
    database = ReadOnlyDatabase(url, (PARENTS, ATTEMPTS, EVENTS))
    try:
        if not database.has_tables:
            return Selection([], 0, [])
        now = int(time.time() * 1000)
        stories = Stories(database, bot, now)
        parents = _parents(args, stories, now)
        default = 0 if args.json else LIMIT
        limit = default if args.limit is None else args.limit
        newest = parents[-limit:] if limit else parents
        with_events = bool(args.verbose or args.key or args.json)
        shown = stories.read(newest, with_events=with_events)
        needs_all = args.cost or args.plot is not None or args.json
        others = parents[: len(parents) - len(newest)] if needs_all else []
        every = [*stories.read(others, with_events=False), *shown]
    finally:
        database.close()
    return Selection(shown, len(parents), every)


def _parents(args: argparse.Namespace, stories: Stories, now: int) -> list[ParentOrder]:
    if args.key:
        return [stories.named(args.key)]
    since = now - args.days * DAY_MS if args.days else 0
    return stories.parents(since=since, pair=args.pair, only_open=args.open)


def _show(args: argparse.Namespace, selection: Selection) -> None:
    console, shown = tables.console(), selection.shown
    if args.verbose or args.key:
        for story in shown:
            console.print(tables.details(story))
    elif not args.cost:
        console.print(tables.listing(shown))
    if args.cost:
        console.print(tables.costs(shown))
    if len(shown) < selection.count:
        console.print(f"{len(shown)} of {selection.count} orders shown; --limit 0 shows all")
    if args.cost:
        _show_totals(selection.every)


def _show_totals(stories: Sequence[Story]) -> None:
    console, found = tables.console(), totals(stories)
    if found:
        console.print("\nCost in bps of the target; what is positive was paid.")
        console.print(tables.summary(found))
    for line in _reservations(stories):
        console.print(line)


def _reservations(stories: Sequence[Story]) -> Iterator[str]:
    """What the totals leave out, and what they take for nothing."""
    counted = [story for story in stories if is_counted(story)]
    working = sum(story.parent.is_open for story in stories)
    unknown = len(stories) - working - len(counted)
    if working or unknown:
        yield f"Not in these totals: {working} still working, {unknown} without a known price."
    undecided = sum(not story.parent.decision_price for story in counted)
    if undecided:
        yield f"Decided at a price that is not known: {undecided}; no delay is counted for them."
    unended = sum(s.cost.fill_ratio < 1 and not s.parent.end_price for s in counted)
    if unended:
        yield f"Ended at a price that is not known: {unended}; nothing missed is counted for them."


def _nothing(args: argparse.Namespace, url: str, bot: str) -> str:
    """Say that there is nothing, and why that may be."""
    path = file_of(url)
    if path is not None and not path.exists():
        return f"No orders: {path} is not there yet; the bot makes it when it first starts."
    asked = bool(args.pair or args.open or args.days)
    place = path or shown(url)
    hint = "; drop --pair, --open or --days to see others" if asked else ""
    return f"No {'such ' if asked else ''}orders of bot {bot!r} in {place}{hint}."


def _plot(path: Path, stories: Sequence[Story]) -> None:
    """Write the page; what is printed about it must not spoil a JSON document."""
    counted = [story for story in stories if is_counted(story)]
    if not counted:
        print("No order has ended with a known price: no page was written.", file=sys.stderr)
        return
    try:
        write_atomically(path, page(counted))
    except OSError as error:
        raise HydraError(
            f"--plot: expected a file that can be written, was {path} ({error.strerror}); "
            "choose another place"
        ) from error
    print(f"wrote {path}", file=sys.stderr)
