"""`hydra dev crash`: twenty positions, and all prices fall by a fifth within a minute.

Freqtrade runs in live mode, by the real clock, on the embedded exchange; what the exchange did
is then checked against what a policy promises.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

NAMES = (
    "slide", "slide-stops", "gap", "gap-stops", "ladder", "ladder-stops", "kill", "kill-stops",
    "faults", "faults-stops",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the crash."""
    add = parser.add_argument
    text = "which crashes, one after the other (default: all)"
    add("--variants", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=text)
    add("--fall", type=float, default=60.0, metavar="SECONDS", help="time that the fall takes")
    add("--seed", type=int, default=1, help="of the market, the fills and the faults")
    text = "where journals, databases and logs are kept (default: a temporary folder)"
    add("--folder", type=Path, default=None, metavar="DIR", help=text)
