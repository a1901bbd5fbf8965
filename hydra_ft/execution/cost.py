"""What a parent order cost: implementation shortfall, split into its parts.

The paper trade buys the whole target at the decision price, at once and free. What really
happened is compared with it, in bps of the target at the decision price; positive is a cost
(Perold 1988; Wagner & Edwards 1993).
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from hydra_ft.execution.pricing import buys
from hydra_ft.types import ExecutionCost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types import Fill, ParentOrder

_WHOLE = 1e-9
"""Share of the target that may be missing for float noise, as in ``lifecycle.progress``."""


def execution_cost(parent: ParentOrder, fills: Sequence[Fill], now: int) -> ExecutionCost:
    """Implementation shortfall of a parent, open or ended, at time ``now`` (UTC ms).

    With side +1 for a buy and -1 for a sell, in quote currency before the division:

    - delay: ``side * (arrival - decision) * filled``
    - trading: ``side * sum((price - arrival) * quantity)``
    - fee: the sum of the fees
    - opportunity: ``side * (end - decision) * unfilled``

    Without a decision price the arrival price stands in (no delay), and the other way round.
    Where neither is known, or the target is 0, the five figures in bps are NaN. While
    the end price is unknown, the opportunity part is 0. ``seconds`` run from the decision to
    the last fill of a complete parent, else to its end, else to ``now``.
    """
    decision = parent.decision_price or parent.arrival_price
    arrival = parent.arrival_price or decision
    sign = 1 if buys(parent.side, parent.kind) else -1
    filled = sum(fill.quantity for fill in fills)
    missing = parent.quantity - filled
    unfilled = missing if missing > _WHOLE * parent.quantity else 0.0
    moved = parent.end_price - decision if parent.end_price else 0.0
    # Quote currency to bps of the target.
    scale = 1e4 / (parent.quantity * decision) if parent.quantity and decision else nan
    delay = sign * (arrival - decision) * filled * scale
    trading = sign * sum((fill.price - arrival) * fill.quantity for fill in fills) * scale
    fee = sum(fill.fee_quote for fill in fills) * scale
    opportunity = sign * moved * unfilled * scale
    return ExecutionCost(
        delay_bps=delay,
        trading_bps=trading,
        fee_bps=fee,
        opportunity_bps=opportunity,
        total_bps=delay + trading + fee + opportunity,
        fill_ratio=_fill_ratio(parent.quantity, filled),
        seconds=(_end_of(parent, fills, unfilled, now) - parent.decided_at) / 1e3,
        requotes=parent.requotes,
        maker_share=_maker_share(fills, filled),
    )


def fee_saving_bps(maker_share: float, maker_bps: float, taker_bps: float) -> float:
    """Fee saved against taking everything, in bps of what filled (reference table X80).

    ``maker_share`` is 0..1; the fee paid is ``taker_bps`` less this.
    """
    return maker_share * (taker_bps - maker_bps)


def _fill_ratio(quantity: float, filled: float) -> float:
    """Share of the target that filled; above 1 only where more than the target did."""
    if not quantity:
        return nan
    return 1.0 if abs(filled - quantity) <= _WHOLE * quantity else filled / quantity


def _end_of(parent: ParentOrder, fills: Sequence[Fill], unfilled: float, now: int) -> int:
    if fills and not unfilled:
        return max(fill.at for fill in fills)
    return now if parent.is_open else parent.ended_at


def _maker_share(fills: Sequence[Fill], filled: float) -> float:
    """Share of the filled quantity that rested; NaN where nothing filled."""
    return sum(fill.quantity for fill in fills if fill.is_maker) / filled if filled else nan
