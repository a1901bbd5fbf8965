"""`hydra data build`: flow bars of the trades that freqtrade has downloaded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hydra_ft.adapter.configuration import load_configuration
from hydra_ft.adapter.trade_files import TradeFiles
from hydra_ft.cli.data.pairs import wanted
from hydra_ft.cli.why.home import named_url
from hydra_ft.errors import HydraError
from hydra_ft.feeds.flow_build import DAY_MS, FlowBuild
from hydra_ft.settings import SECTION, database_url, load_settings
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.types.flow import TradeGrid
from hydra_ft.warmup import keep_compiled

if TYPE_CHECKING:
    import argparse
    from typing import Any

COMMAND = "freqtrade download-data --dl-trades"


@dataclass
class Tally:
    """What was done of a pair."""

    built: int = 0
    kept: int = 0
    trades: int = 0
    bars: int = 0


def run(args: argparse.Namespace) -> int:
    """Build what is missing, with a bar of progress; what is done stays done when interrupted.

    Raises
    ------
    HydraError
        When the configuration, a file or the database cannot be read, or a pair has no file.
    """
    config, url = opened(args)
    files = TradeFiles.of(config)
    pairs = wanted(args.pairs, files.pairs(), "of which there are trades")
    if not pairs:
        raise HydraError(
            f"expected trades in {files.folder}, was no file of them; run: {COMMAND} --pairs PAIR"
        )
    grid = _grid(args, pairs)
    keep_compiled(Path(config["user_data_dir"]), print)
    database = Database(url)
    try:
        store = FlowStore(database, config["exchange"]["name"])
        step_ms, since = 1000 * args.step_s, _kept_from(config)
        build = FlowBuild(database, store, files, step_ms=step_ms, grid=grid, **since)
        for pair in pairs:
            _say(pair, _built(build, pair, anew=args.anew))
    except KeyboardInterrupt:
        print("Stopped; the days that are done are kept, the same command goes on from there.")
        raise
    finally:
        database.close()
    return 0


def opened(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Return freqtrade's configuration, and the address of the Hydra database."""
    home = args.userdir or Path("user_data")
    config = load_configuration(args.config or [str(home / "config.json")], args.userdir)
    settings = load_settings(config.get(SECTION))
    dry_run = bool(config.get("dry_run", True))
    url = named_url(args) or database_url(settings, config["user_data_dir"], dry_run=dry_run)
    return config, url


def _kept_from(config: dict[str, Any]) -> dict[str, int]:
    """Return since when a recorder on the database would keep what is built (UTC ms)."""
    kept, now = load_settings(config.get(SECTION)).recorder.retention, int(time.time() * 1000)
    days = {"sub_bars_from": kept.sub_bar_days, "footprints_from": kept.footprint_days}
    return {name: now - count * DAY_MS if count else 0 for name, count in days.items()}


def _grid(args: argparse.Namespace, pairs: list[str]) -> TradeGrid | None:
    given = (args.tick_size, args.lot_size)
    if given == (None, None):
        return None
    if None in given or len(pairs) != 1:
        raise HydraError(
            "--tick-size: expected --lot-size and one pair beside it, was less or more; for "
            "example: --pairs BTC/USDT:USDT --tick-size 0.1 --lot-size 0.001"
        )
    return TradeGrid(args.tick_size, args.lot_size)


def _built(build: FlowBuild, pair: str, *, anew: bool) -> Tally:
    days, tally = build.days(pair), Tally()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("trades"),
        TimeRemainingColumn(),
    )
    # On stderr and only on a terminal: what is printed can go into a file.
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(pair, total=sum(day.trades for day in days))
        for done in build.run(pair, days, anew=anew):
            progress.advance(task, done.day.trades)
            if done.bars:
                tally.built += 1
                tally.bars += done.bars
                tally.trades += done.day.trades
            else:
                tally.kept += 1
    return tally


def _say(pair: str, tally: Tally) -> None:
    days = f"{tally.built} day{'' if tally.built == 1 else 's'} built"
    if tally.kept:
        days += f", {tally.kept} complete before"
    print(f"{pair}: {days}, {tally.trades} trades, {tally.bars} bars")
