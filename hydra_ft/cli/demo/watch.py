"""What happens while the bot trades, as it happens, read where it is kept."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.symbols import symbol_of
from hydra_ft.decisions.reasons import FILLED, OK, explain
from hydra_ft.errors import HydraError
from hydra_ft.settings import Settings
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionRow, DecisionStore
from hydra_ft.store.orders import OrderStore

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from rich.console import Console

    from hydra_ft.cli.demo.workspace import Workspace
    from hydra_ft.types import ParentOrder
    from loopback_exchange.server import Server

POLL_S = 1.0
STATUS_S = 15.0


class Watch:
    """Prints decisions, parents, fills and equity until the time is over."""

    def __init__(self, console: Console, workspace: Workspace, server: Server) -> None:
        self._console = console
        self._workspace = workspace
        self._server = server
        self._started_at = int(time.time() * 1000)
        database, bot = Database(workspace.hydra_url), Settings().bot_name
        self._orders = OrderStore(database, bot)
        self._ledger = DecisionStore(database, bot)
        self._decisions: dict[tuple[str, int], DecisionRow] = {}
        self._parents: dict[str, ParentOrder] = {}
        self._fills = 0
        self._fill_count = 0

    def until(self, seconds: int | None, bot: subprocess.Popen[str]) -> None:
        """Watch for so many seconds, or until Ctrl-C.

        Raises
        ------
        HydraError
            When the bot ends by itself.
        """
        start = status_at = time.monotonic()
        try:
            while seconds is None or time.monotonic() - start < seconds:
                if bot.poll() is not None:
                    raise HydraError(
                        f"freqtrade ended with code {bot.returncode}; see "
                        f"{self._workspace.log_file}"
                    )
                self.look()
                if time.monotonic() - status_at >= STATUS_S:
                    status_at = time.monotonic()
                    self._say(self._status(seconds, time.monotonic() - start))
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            self._say("Stopping: open orders are cancelled and booked ...")

    def look(self) -> None:
        """Print what is new since the last look."""
        for row in self._ledger.since(0):
            before = self._decisions.get((row.pair, row.at))
            self._decisions[row.pair, row.at] = row
            if before is None or before.until != row.until:
                self._decided(row)
            if row.outcome != (before.outcome if before else ""):
                self._answered(row)
        for parent in self._orders.parents_since(self._started_at):
            self._changed(self._parents.get(parent.key), parent)
            self._parents[parent.key] = parent
        fills = self._server.control.state()["fills"]
        for fill in fills[self._fill_count :]:
            self._filled(fill)
        self._fill_count = len(fills)

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/dim] {text}")

    def _decided(self, row: DecisionRow) -> None:
        """Print a bar, also one that shares the row of the equal bars before it."""
        light = ", light" if row.light else ""
        state = f"regime {row.regime}, bias {row.bias}{light}"
        if row.code == OK:
            text = f"[green]signal {row.signal} {row.side}[/green] ({row.confidence or 0:.2f})"
        else:
            text = f"no entry: {explain(row.code)}"
        self._say(f"{_bar(row)}  {row.pair:<15} {text}  [dim]{state}[/dim]")

    def _answered(self, row: DecisionRow) -> None:
        """Print what stage B says of a bar; the ways of an order are printed as they happen."""
        if row.outcome not in (FILLED, "not_filled"):
            self._say(f"{_bar(row)}  {row.pair:<15} not sent: {explain(row.outcome)}")

    def _changed(self, before: ParentOrder | None, after: ParentOrder) -> None:
        name = f"{after.pair} {after.side.value} {after.kind.value}"
        if before is None:
            self._say(
                f"[cyan]{name}[/cyan] decided: {after.quantity} at arrival "
                f"{after.arrival_price:.6g} ({after.reason})"
            )
        if after.requotes > (before.requotes if before else 0):
            price = self._working_price(after)
            self._say(f"[cyan]{name}[/cyan] requote {after.requotes}{price}")
        if not after.is_open and (before is None or before.is_open):
            seconds = (after.ended_at - after.decided_at) / 1e3
            self._say(
                f"[cyan]{name}[/cyan] ended: {after.end_reason}, "
                f"{after.requotes} requotes, {seconds:.0f} s"
            )

    def _working_price(self, parent: ParentOrder) -> str:
        symbol = symbol_of(parent.pair)
        rows = self._server.control.state()["open_orders"]
        prices = [row["price"] for row in rows if row["symbol"] == symbol]
        return f" to {prices[-1]}" if prices else ""

    def _filled(self, fill: dict[str, Any]) -> None:
        self._fills += 1
        role = "maker" if fill["maker"] else "taker"
        self._say(
            f"[green]fill[/green] {fill['symbol']} {fill['side'].lower()} {fill['qty']} "
            f"at {fill['price']} ({role}, fee {fill['commission']})"
        )

    def _status(self, seconds: int | None, passed: float) -> str:
        state = self._server.control.state()
        profit = sum(float(row["unRealizedProfit"]) for row in state["positions"])
        equity = float(state["balances"]["USDT"]) + profit
        held = sum(1 for row in state["positions"] if float(row["positionAmt"]))
        chased = [p for p in self._parents.values() if p.is_open]
        orders = ", ".join(f"{p.pair} {p.kind.value} ({p.requotes} requotes)" for p in chased)
        left = f", {max(0, seconds - passed):.0f} s left" if seconds else ""
        if not self._decisions:
            return f"freqtrade is starting{left}"
        return f"equity {equity:.2f} USDT, {held} positions, open parents: {orders or 'none'}{left}"

    @property
    def requoted_and_filled(self) -> int:
        """Number of parents that needed a requote and were filled."""
        return sum(p.end_reason == "filled" and p.requotes > 0 for p in self._parents.values())

    def summary(self) -> str:
        """Say in a few lines what was seen."""
        self.look()
        parents = list(self._parents.values())
        ended = sum(not p.is_open for p in parents)
        first, second = self._ledger.counts()
        passed = first.pop(OK, 0)
        return (
            f"{passed + sum(first.values())} bars decided; blocked: {_listed(first)}.\n"
            f"{passed} may trade: {_listed(second)}.\n"
            f"{len(parents)} parent orders, {ended} ended, "
            f"{sum(p.requotes for p in parents)} requotes, {self._fills} fills; "
            f"requoted and filled: {self.requoted_and_filled}.\n"
            f"Ask why, of all pairs or of one:\n{self._questions()}"
        )

    def _questions(self) -> str:
        """Commands that explain what was decided, as they are typed in this directory."""
        config = os.path.relpath(self._workspace.config_file)
        # The first pair that may trade has the most to tell.
        told = sorted(self._decisions.values(), key=lambda row: row.code != OK)
        asked = ["--summary", *(f"{row.pair} --last 24h" for row in told[:1])]
        return "\n".join(f"  {_command()} why {words} --config {config}" for words in asked)


def _bar(row: DecisionRow) -> str:
    return f"{datetime.fromtimestamp(row.until / 1e3, tz=UTC):%H:%M} close"


def _listed(counts: Mapping[str, int]) -> str:
    """Codes and how many bars each has, the most frequent one first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{code or 'open'} {count}" for code, count in ordered) or "none"


def _command() -> str:
    """How this command is called: by its name, or by its path where it is not found so."""
    if shutil.which("hydra"):
        return "hydra"
    return os.path.relpath(Path(sys.executable).with_name("hydra"))
