"""The `hydra` command: finds the command that was asked for, and runs it.

Each command is a module of this package with ``add_arguments(parser)`` and
``run(args) -> int``. Only the one that runs is imported: freqtrade takes seconds to load.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from hydra_ft import __version__
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "demo": "watch the chase work, on an embedded exchange on this machine",
    "install": "copy strategies and models into a freqtrade home",
    "orders": "list orders with every requote, and what they cost",
    "why": "say why a pair was not traded, or what became of its entries",
    "data": "list market data that is kept, build it of files, fetch history",
    "record": "record trades, liquidations and books of the exchange, until it is stopped",
    "doctor": "check versions, configuration and database before the bot is started",
    "dev": "tools for working on Hydra itself",
}
"""Commands by name, each with its line in the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 on success, 1 when the command found something wrong, 2 when it could not do what
        was asked, 130 when it was interrupted.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:  # to import a command takes a second or two
        return _run(words)
    except KeyboardInterrupt:
        print("hydra: interrupted", file=sys.stderr)
        return 130


def _run(words: Sequence[str]) -> int:
    arguments = parser_for(words).parse_args(words)
    command = import_module(f"hydra_ft.cli.{arguments.command}")
    try:
        code: int = command.run(arguments)
    except HydraError as error:
        print(f"hydra {arguments.command}: {error}", file=sys.stderr)
        return 2
    return code


def parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the command named in ``words`` gets its arguments."""
    parser = argparse.ArgumentParser(prog="hydra", description="Hydra, a pack for Freqtrade.")
    parser.add_argument("--version", action="version", version=f"hydra {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, line in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=line)
        if name == asked:
            import_module(f"hydra_ft.cli.{name}").add_arguments(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
