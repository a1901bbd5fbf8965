"""The part of a position that is due to be closed, in freqtrade's terms.

A partial exit is a plain limit exit of freqtrade's at the own touch, no parent of the chase:
a parent that leaves a position is kept alive until all of it is gone. What was taken is what
the filled orders of the trade have left, so nothing is taken twice after a restart, nor where
freqtrade found a part on the exchange that it had sent and lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade.exchange import amount_to_contract_precision

from hydra_ft.adapter.exits.stances import PARTIAL
from hydra_ft.adapter.trades import entry_filled, held
from hydra_ft.risk.exits import net_r, partials

if TYPE_CHECKING:
    from freqtrade.persistence import Trade

    from hydra_ft.risk.exit_rules import ExitRules
    from hydra_ft.risk.exits import Stance

_STAKE_SLACK = 1 + 1e-9
"""Freqtrade computes the quantity back from the stake, and truncates it to the step."""


def partial_exit(
    trade: Trade, stance: Stance, rules: ExitRules, rate: float, min_stake: float
) -> tuple[float, str] | None:
    """Stake to give back (negative, quote) and tag of the exit; None where nothing is due.

    The quantity is floored to the step. A rest below the minimum would be left for good,
    so it goes with the part.
    """
    stance = replace(stance, taken=gone(trade))
    share = partials(stance, rules, net_r(stance, rate))
    if not share:
        return None
    amount = float(trade.amount)
    part = _floored(trade, min(share * entry_filled(trade), amount))
    if not part:
        return None
    rest = amount - part
    if rest and rest * rate / float(trade.leverage or 1.0) < min_stake:
        part = amount
    number = 1 if stance.taken < rules.partial_1_share - 1e-9 else 2
    stake = part * _STAKE_SLACK * float(trade.stake_amount) / amount
    return -stake, f"{PARTIAL}{number}"


def gone(trade: Trade) -> float:
    """Share of the whole position that has left, 0..1, whoever took it."""
    whole = entry_filled(trade)
    return max(0.0, 1 - held(trade) / whole) if whole else 0.0


def _floored(trade: Trade, quantity: float) -> float:
    return float(
        amount_to_contract_precision(
            quantity * _STAKE_SLACK,
            trade.amount_precision,
            trade.precision_mode,
            trade.contract_size,
        )
    )
