"""`hydra dev`: tools for working on Hydra itself."""

from __future__ import annotations

import argparse
import runpy
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the tools as commands of their own."""
    tools = parser.add_subparsers(dest="tool", metavar="TOOL", required=True)
    line = "run the embedded exchange in the foreground; everything after it is passed on"
    # No character marks an option here, so that all options are passed on.
    exchange = tools.add_parser("exchange", help=line, add_help=False, prefix_chars="\0")
    exchange.add_argument("words", nargs=argparse.REMAINDER)


def run(args: argparse.Namespace) -> int:
    """Run the embedded exchange, as `python -m loopback_exchange` would."""
    sys.argv = ["loopback_exchange", *args.words]
    try:
        runpy.run_module("loopback_exchange", run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    return 0
