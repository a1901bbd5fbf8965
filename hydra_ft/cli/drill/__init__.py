"""`hydra dev drill`: the real bot against an exchange that fails, dies and fills in part.

Freqtrade runs in live mode, by the real clock, with faults on a share of its order
requests and with a SIGKILL now and then; everything that the exchange did is then checked
against what may never be and what must come about.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

ORDERS_PER_KILL = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the drill."""
    add = parser.add_argument
    add("--orders", type=int, default=1000, metavar="N", help="parent orders (entries, exits)")
    add("--faults", type=float, default=0.2, metavar="SHARE", help="of order requests, 0 to 1")
    add("--seed", type=int, default=1, help="of market, signals, faults and kills")
    add("--pairs", type=int, default=40, metavar="N", help="1 to 50")
    text = f"SIGKILLs, each with a restart (default: one per {ORDERS_PER_KILL} orders)"
    add("--kills", type=int, default=None, metavar="N", help=text)
    add("--stops", action="store_true", help="switch stoploss_on_exchange on")
    text = "let a risk policy leave: stops that follow, break-even, partial exits"
    add("--exits", action="store_true", help=text)
    text = "where journal, databases and log are kept (default: a temporary folder)"
    add("--folder", type=Path, default=None, metavar="DIR", help=text)
    text = "fail when the orders take longer than this"
    add("--minutes", type=float, default=40.0, metavar="N", help=text)
