"""``python -m loopback_exchange``: run the exchange in the foreground."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

from loopback_exchange.errors import LoopbackError
from loopback_exchange.market import Market, MarketSource, Replay
from loopback_exchange.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("loopback_exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=18080, help="0 takes any free port")
    parser.add_argument("--seed", type=int, default=7, help="which generated market")
    parser.add_argument("--symbols", nargs="+", help="symbols of the generated market")
    parser.add_argument("--epoch-shift", type=int, default=0, help="seconds added to the time")
    parser.add_argument("--replay", metavar="DIR", help="recorded candles instead (a datadir)")
    parser.add_argument("--shift-days", type=int, default=0, help="days added to the recording")
    parser.add_argument("--state", metavar="FILE", help="SQLite file that keeps the account")
    parser.add_argument("--control", action="store_true", help="serve /_control/")
    return parser.parse_args(argv)


def _market(chosen: argparse.Namespace) -> MarketSource:
    if chosen.replay:
        return Replay(chosen.replay, shift_days=chosen.shift_days)
    return Market(chosen.seed, chosen.symbols, chosen.epoch_shift)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; 0 on a clean end, 2 when it cannot start."""
    chosen = _arguments(argv)
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        server = Server(_market(chosen), chosen.port, chosen.state, chosen.control).start()
    except (LoopbackError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    ended.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
