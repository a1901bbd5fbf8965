"""`hydra dev`: tools for working on Hydra itself."""

from __future__ import annotations

import argparse
import runpy
import sys
from importlib import import_module
from pathlib import Path

from hydra_ft.cli import drill
from hydra_ft.cli.drill import crash

_COMMANDS = {
    "drill": "hydra_ft.cli.drill.command",
    "crash": "hydra_ft.cli.drill.crash.command",
    "warmup": "hydra_ft.cli.warmup",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the tools as commands of their own."""
    tools = parser.add_subparsers(dest="tool", metavar="TOOL", required=True)
    line = "run the embedded exchange in the foreground; everything after it is passed on"
    # No character marks an option here, so that all options are passed on.
    exchange = tools.add_parser("exchange", help=line, add_help=False, prefix_chars="\0")
    exchange.add_argument("words", nargs=argparse.REMAINDER)
    line = "run the real bot against an exchange that fails, and check every order"
    drill.add_arguments(tools.add_parser("drill", help=line, description=line))
    line = "let all prices fall by a fifth over twenty positions, and check what it cost"
    crash.add_arguments(tools.add_parser("crash", help=line, description=line))
    line = "compile every kernel, so that no call of a strategy has to"
    warmup = tools.add_parser("warmup", help=line, description=line)
    text = "freqtrade's user_data directory, to keep them in; without it, beside the package"
    warmup.add_argument("--userdir", type=Path, metavar="DIR", help=text)


def run(args: argparse.Namespace) -> int:
    """Run one tool."""
    if args.tool in _COMMANDS:
        # Only now: drills read freqtrade's tables, and freqtrade takes seconds to load.
        code: int = import_module(_COMMANDS[args.tool]).run(args)
        return code
    return _exchange(args)


def _exchange(args: argparse.Namespace) -> int:
    """Run the embedded exchange, as `python -m loopback_exchange` would."""
    sys.argv = ["loopback_exchange", *args.words]
    try:
        runpy.run_module("loopback_exchange", run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0
