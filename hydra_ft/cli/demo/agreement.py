"""Whether freqtrade's database and the exchange say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.books import read_books
from hydra_ft.cli.symbols import pair_of

if TYPE_CHECKING:
    from hydra_ft.cli.demo.workspace import Workspace
    from loopback_exchange.server import Server


def disagreements(workspace: Workspace, server: Server) -> list[str]:
    """Say where positions or open orders differ, one line each; empty when nowhere."""
    state = server.control.state()
    held = _positions(state)
    orders = _orders(state)
    books = read_books(workspace.trades_url)
    lines = []
    for pair in sorted({*held, *orders, *books.held}):
        there, here = held.get(pair, 0.0), books.held.get(pair, 0.0)
        if abs(there - here) > 1e-9:
            lines.append(f"{pair}: the exchange holds {there}, the database {here}")
        if orders.get(pair, frozenset()) != books.open_ids(pair):
            lines.append(
                f"{pair}: open on the exchange {sorted(orders.get(pair, ()))}, "
                f"in the database {sorted(books.open_ids(pair))}"
            )
    return lines


def _positions(state: dict[str, Any]) -> dict[str, float]:
    amounts: dict[str, float] = {}
    for row in state["positions"]:
        pair = pair_of(row["symbol"])
        amounts[pair] = amounts.get(pair, 0.0) + float(row["positionAmt"])
    return {pair: amount for pair, amount in amounts.items() if amount}


def _orders(state: dict[str, Any]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in state["open_orders"]:
        pair = pair_of(row["symbol"])
        found[pair] = found.get(pair, frozenset()) | {str(row["orderId"])}
    return found
