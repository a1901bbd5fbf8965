"""docs/risk.md: the formulas, every number with its default, and examples that are computed."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from hydra_ft.declared import leaves
from hydra_ft.risk.exits import Stance, net_r, partials, stop_level
from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.limits import Book, Holding, room
from hydra_ft.risk.page import PAGE
from hydra_ft.risk.policy import LADDER, ExitRules, LimitRules, RiskPolicy, SizingRules
from hydra_ft.risk.sizing import size_entry
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.risk.sizing import SizedEntry

POLICY = RiskPolicy()

EXAMPLE = SizeRequest(
    side=Side.LONG,
    price=50_000.0,
    stop=0.012,
    target=0.03,
    confidence=0.72,
    regime_confidence=0.8,
    bias_strength=0.5,
    vol_expansion=1.2,
    volatility=0.0022,
    bars_a_year=365 * 288.0,
    equity_quote=9_700.0,
    peak_equity_quote=10_000.0,
    losses=1,
    correlated_share=0.2,
    quantity_step=0.001,
    min_stake_quote=50.0,
    leverage=3.0,
)
"""The entry that the page works out."""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def rules_table(rules: SizingRules | LimitRules | ExitRules) -> str:
    """Every number of a section with its default, its bounds and its meaning."""
    rows = [
        (f"`{leaf.path[1:]}`", _shown(leaf.default), leaf.allowed, leaf.meaning)
        for leaf in leaves(type(rules), "", rules)
    ]
    return _table(("key", "default", "allowed", "meaning"), rows)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    return f"{value:g}"


def factor_table(sized: SizedEntry) -> str:
    """Every factor of a size with its bounds and its reason."""
    rows = [
        (f"`{made.name}`", f"{made.value:.4f}", f"{made.low:.2f}..{made.high:.2f}", made.why)
        for made in sized.because
    ]
    return _table(("factor", "value", "bounds", "because"), rows)


def exit_table(gains: Iterable[float]) -> str:
    """What a long entered at 100 with a stop of 1 % does at its best prices (fractions gained)."""
    rules, ladder = POLICY.exits, LADDER
    stance = Stance(Side.LONG, 100.0, 0.01, 0.03, POLICY.sizing.round_trip_fee, 0, 0)
    rows = []
    taken = 0.0
    for gain in gains:
        price = 100 * (1 + gain)
        stop, reason = stop_level(stance, rules, price, 0)
        due = partials(stance, ladder, net_r(stance, price)) - taken
        taken += due
        closes = f"{100 * due:.0f} %" if due > 0 else "-"
        rows.append((f"{price:.2f}", f"{net_r(stance, price):+.2f}", f"{stop:.2f}", reason, closes))
    return _table(("best price", "net R", "stop at", "from", "ladder closes"), rows)


def day_table() -> str:
    """What is left for one more entry as a day goes on, of an equity of 10,000."""
    at_risk = Holding("BTC/USDT:USDT", Side.LONG, 4_000.0, 0.012, -4.0, 1_333.0)
    locked = Holding("BTC/USDT:USDT", Side.LONG, 4_100.0, 0.012, 96.0, 1_333.0)
    scenes = (
        ("nothing open, nothing closed", (), 0.0),
        ("one position, 4,000 with its stop 1.2 % away", (at_risk,), 0.0),
        ("the same, its stop now in profit", (locked,), 0.0),
        ("the same, and 120 lost in closed trades", (locked,), -120.0),
        ("one at its first stop, and 120 lost", (at_risk,), -120.0),
        ("nothing open, 200 lost", (), -200.0),
    )
    rows = []
    for name, holdings, closed in scenes:
        equity = 10_000.0 + closed + sum(held.profit_quote for held in holdings)
        book = Book(holdings, equity, 10_000.0, closed)
        left = room(Side.LONG, "", book, POLICY.limits).risk_quote
        rows.append((name, f"{100 * book.day_at_stops:+.2f} %", f"{left:.2f}"))
    return _table(("the book", "the day at its stops", "risk left for an entry"), rows)


def render() -> str:
    """Return the page docs/risk.md."""
    sized = size_entry(EXAMPLE, POLICY)
    sizing = POLICY.sizing
    whole = EXAMPLE.equity_quote * sizing.risk_per_trade
    product = prod(made.value for made in sized.because)
    parts = {
        "SIZING": rules_table(sizing),
        "LIMITS": rules_table(POLICY.limits),
        "EXITS": rules_table(POLICY.exits),
        "FACTORS": factor_table(sized),
        "STOPS": exit_table((0.0, 0.005, 0.008, 0.012, 0.0175, 0.0285, 0.03, 0.05)),
        "DAY": day_table(),
        "EQUITY": f"{EXAMPLE.equity_quote:,.0f}",
        "STOP": f"{100 * EXAMPLE.stop:g} %",
        "RISK_SHARE": f"{100 * sizing.risk_per_trade:g} %",
        "FEE": f"{100 * sizing.round_trip_fee:g} %",
        "PRODUCT": f"{product:.4f}",
        "WHOLE": f"{whole:.2f}",
        "ALLOWED": f"{whole * product:.2f}",
        "STEP": f"{EXAMPLE.quantity_step:g}",
        "RISK": f"{sized.risk_quote:.2f}",
        "NOTIONAL": f"{sized.notional_quote:,.2f}",
        "QUANTITY": f"{sized.quantity:g}",
        "LEVERAGE": f"{sized.leverage:g}",
        "STAKE": f"{sized.stake_quote:,.2f}",
        "STOP_PRICE": f"{sized.stop_price:,.2f}",
    }
    page = PAGE
    for name, text in parts.items():
        page = page.replace(f"<{name}>", text)
    return page


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())
