"""`hydra data`: what market data is kept, and how more of it gets there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_ft.cli.why.moments import duration

if TYPE_CHECKING:
    import argparse

WORK = {
    "status": "list what is kept of each pair: coverage, gaps, age",
    "build": "make flow bars of what `freqtrade download-data --dl-trades` has downloaded",
    "fetch": "fetch liquidations and open interest of the past",
}
"""What can be done, each with its line in the help."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be done as commands of their own."""
    commands = parser.add_subparsers(dest="work", metavar="WORK", required=True)
    add = {"status": _add_status, "build": _add_build, "fetch": _add_fetch}
    for name, line in WORK.items():
        command = commands.add_parser(name, help=line, description=line)
        add_home(command)
        add[name](command)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    # Only now: building reads freqtrade's files, and freqtrade takes seconds to load.
    code: int = import_module(f"hydra_ft.cli.data.{args.work}").run(args)
    return code


def add_home(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a bot and some of its pairs."""
    hint = "configuration file; may be given more than once, later ones win"
    parser.add_argument("-c", "--config", action="append", metavar="FILE", help=hint)
    hint = "freqtrade's user_data directory"
    parser.add_argument("--userdir", "--user-data-dir", type=Path, metavar="DIR", help=hint)
    hint = "address of Hydra's database, instead of the configuration's"
    parser.add_argument("--db-url", default="", metavar="URL", help=hint)
    hint = "these pairs only; BTC stands for all its markets"
    parser.add_argument("-p", "--pairs", nargs="+", default=[], metavar="PAIR", help=hint)


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(backtest=False)


def _add_build(parser: argparse.ArgumentParser) -> None:
    hint = "length of the bars in seconds, a divisor of a day (60)"
    parser.add_argument("--step-s", type=int, default=60, metavar="N", help=hint)
    hint = "tick size of the pair, where it shall not be read off its trades"
    parser.add_argument("--tick-size", type=float, metavar="X", help=hint)
    hint = "lot size of the pair, where it shall not be read off its trades"
    parser.add_argument("--lot-size", type=float, metavar="X", help=hint)
    hint = "build the days too that are complete already"
    parser.add_argument("--anew", action="store_true", help=hint)


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    hint = "what to fetch (all): liquidations from Coinalyze, open_interest from the exchange"
    feeds = ("liquidations", "open_interest", "coinalyze_open_interest")
    parser.add_argument("--feeds", nargs="+", choices=feeds, default=feeds[:2], help=hint)
    hint = "liquidations of so much of the past (what Coinalyze has): 30m, 24h, 7d"
    parser.add_argument("--last", type=duration, metavar="LENGTH", help=hint)
    hint = "address of Coinalyze, for tests"
    parser.add_argument("--coinalyze-url", default="", metavar="URL", help=hint)
