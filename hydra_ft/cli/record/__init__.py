"""`hydra record`: trades, liquidations and books of an exchange into the Hydra database."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from hydra_ft.cli.data import add_home

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options, named as those of freqtrade's commands."""
    add_home(parser)


def run(args: argparse.Namespace) -> int:
    """Record until a signal comes."""
    # Only now: ccxt takes a second or two to load.
    code: int = import_module("hydra_ft.cli.record.command").run(args)
    return code
