"""``python -m loopback_exchange``: run the exchange in the foreground.

It prints its address and serves until it is ended.
"""

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


_MARKETS = """\
markets:
  generated           the default; --seed and --symbols choose it
  recorded candles    --replay DIR, what freqtrade calls datadir; a minute's trades are a bridge
                      through its open, high, low and close
  recorded trades     files like BTC_USDT_USDT-trades.feather in that folder, as `freqtrade
                      download-data --dl-trades` writes them, or --trades SYMBOL=FILE for one from
                      elsewhere; while they last they are what trades, fills orders and sums to
                      candles, and the candles beside them serve the time before and after

  python -m loopback_exchange --replay user_data/data/binance --shift-days 900
  python -m loopback_exchange --trades BTCUSDT=recorded/BTC_JPY-trades.feather
"""


def _trades(text: str) -> tuple[str, str]:
    symbol, _, path = text.partition("=")
    if not symbol or not path:
        raise argparse.ArgumentTypeError(
            f"expected SYMBOL=FILE, as in BTCUSDT=trades.feather; it was {text!r}"
        )
    return symbol, path


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "loopback_exchange",
        description=__doc__,
        epilog=_MARKETS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=18080, help="0 takes any free port")
    parser.add_argument("--seed", type=int, default=7, help="which generated market")
    parser.add_argument("--symbols", nargs="+", help="symbols of the generated market")
    parser.add_argument("--epoch-shift", type=int, default=0, help="seconds added to the time")
    parser.add_argument("--replay", metavar="DIR", help="recorded candles and trades (a datadir)")
    parser.add_argument(
        "--trades",
        metavar="SYMBOL=FILE",
        type=_trades,
        nargs="+",
        action="extend",
        default=[],
        help="recorded trades of a symbol, beside --replay or alone",
    )
    parser.add_argument("--shift-days", type=int, default=0, help="days added to the recording")
    parser.add_argument("--state", metavar="FILE", help="SQLite file that keeps the account")
    parser.add_argument("--load", type=float, help="trades a second over all symbols, made up")
    parser.add_argument("--control", action="store_true", help="serve /_control/")
    return parser.parse_args(argv)


def _market(chosen: argparse.Namespace) -> MarketSource:
    if chosen.replay or chosen.trades:
        return Replay(chosen.replay, chosen.shift_days, dict(chosen.trades))
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
    if chosen.load:
        server.streams.start_load(chosen.load)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    ended.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
