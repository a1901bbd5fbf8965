"""`hydra demo`: the whole pack at work, on an embedded exchange on this machine.

Nothing here is simulated but the market: freqtrade downloads, backtests and trades over
HTTP as it would anywhere, with the strategy, gates and thresholds as shipped.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from rich.console import Console

from hydra_ft.cli.demo.agreement import disagreements
from hydra_ft.cli.demo.epoch import choose_epoch
from hydra_ft.cli.demo.processes import Freqtrade
from hydra_ft.cli.demo.watch import Watch
from hydra_ft.cli.demo.workspace import API, Workspace
from hydra_ft.errors import HydraError
from loopback_exchange.market import Market
from loopback_exchange.server import Server

if TYPE_CHECKING:
    import argparse

DAYS = 30
SEARCH_S = 10
"""How long the search for a stretch of the market takes, roughly."""
LOOKS_S = (40, 150)
"""How long after its choice the bot comes to look: on a fast machine, and on a busy one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    text = "end after so many seconds of trading (default: DEMO_SECONDS, else never)"
    parser.add_argument("--seconds", type=int, default=None, metavar="N", help=text)
    parser.add_argument("--seed", type=int, default=7, help="seed of the generated market")


def run(args: argparse.Namespace) -> int:
    """Run all stages; 0 only if an order was requoted and filled, and all books agree."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # A closed terminal stops everything too, by the way that Ctrl-C takes.
        signal.signal(ending, signal.default_int_handler)
    console = Console(highlight=False, soft_wrap=True)
    seconds = _seconds(args.seconds)
    workspace = Workspace.create()
    console.rule("[bold]Hydra demo")
    console.print("Everything runs on this machine, on 127.0.0.1, with invented money and prices.")
    market = _market(console, args.seed, workspace)
    with Server(market, control=True, store=workspace.exchange_file) as server:
        console.print(f"The embedded exchange listens on {server.url}")
        workspace.configure(server.url, market.symbols)
        freqtrade = Freqtrade(workspace, console)
        _prepare(console, freqtrade)
        watch = Watch(console, workspace, server)
        with freqtrade.trading() as bot:
            _say_login(console, workspace, seconds)
            watch.until(seconds, bot)
        return _verdict(console, watch, disagreements(workspace, server))


def _seconds(given: int | None) -> int | None:
    text = os.environ.get("DEMO_SECONDS", "")
    if given is None and text:
        if not text.isdigit() or not int(text):
            raise HydraError(f"DEMO_SECONDS: expected a number of seconds above 0, was {text!r}")
        return int(text)
    return given


def _market(console: Console, seed: int, workspace: Workspace) -> Market:
    """Choose the stretch of the market that is shown as now, and say so."""
    with console.status("choosing a stretch of the generated market ..."):
        now = time.time() + SEARCH_S
        looks = tuple(int((now + after) * 1000) for after in LOOKS_S)
        epoch = choose_epoch(seed, (looks[0], looks[1]), workspace.strategies)
    console.print(
        f"The market of seed {seed} is shown from day {epoch.days_ahead:+d}: chosen because "
        f"HydraFlow, as shipped, finds entries there on the candle that closes at "
        f"{epoch.closes_at:%H:%M} UTC ({', '.join(epoch.pairs)}) while the price moves. No "
        "gate, threshold or timeframe is changed, and no entry is forced."
    )
    return Market(seed, epoch_shift_s=epoch.days_ahead * 86_400)


def _prepare(console: Console, freqtrade: Freqtrade) -> None:
    console.rule(f"freqtrade download-data: {DAYS} days")
    freqtrade.download(DAYS)
    console.rule("freqtrade backtesting")
    freqtrade.backtest()


def _say_login(console: Console, workspace: Workspace, seconds: int | None) -> None:
    console.rule("freqtrade trade, live mode")
    console.print(
        f"REST API: http://{API.host}:{workspace.api_port}  "
        f"login: {API.user} / {workspace.api_password}"
    )
    console.print(f"Log: {workspace.log_file}")
    console.print(f"Ends after {seconds} s." if seconds else "Ctrl-C stops everything.")


def _verdict(console: Console, watch: Watch, differences: list[str]) -> int:
    console.rule("Result")
    for difference in differences:
        console.print(f"[red]{difference}")
    if not differences:
        console.print("Database and exchange agree: positions and open orders are the same.")
    console.print(watch.summary())
    if not watch.requoted_and_filled:
        console.print("[yellow]No order was both requoted and filled in this time; run it longer.")
    return 0 if watch.requoted_and_filled and not differences else 1
