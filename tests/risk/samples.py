"""A request, a policy and a book to change in tests; the numbers are plain on purpose."""

from __future__ import annotations

from dataclasses import replace

from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.limits import Book, Holding
from hydra_ft.risk.policy import ExitRules, LimitRules, RiskPolicy, SizingRules
from hydra_ft.types import Side

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

PLAIN = SizeRequest(
    side=Side.LONG,
    price=100.0,
    stop=0.01,
    target=0.03,
    confidence=1.0,
    regime_confidence=0.75,
    bias_strength=0.0,
    vol_expansion=1.0,
    volatility=0.01,
    bars_a_year=365.0,
    equity_quote=10_000.0,
    peak_equity_quote=10_000.0,
)
"""An entry all of whose factors are 1."""

WIDE = LimitRules(day_loss=0.5, day_flatten_loss=0.0, max_open_risk=0.5)
"""Limits that do not come into the way of a policy with a large risk per trade."""


def request(**changes: object) -> SizeRequest:
    return replace(PLAIN, **changes)


def policy(*, limits: LimitRules = WIDE, **sizing: float) -> RiskPolicy:
    """A policy without fees and caps, but for what is given."""
    free = {"round_trip_fee": 0.0, "max_stake_share": 1.0, "max_notional_share": 10.0}
    return RiskPolicy(sizing=SizingRules(**{**free, **sizing}), limits=limits, exits=ExitRules())


def holding(**changes: object) -> Holding:
    """Long 1,000 of BTC with its stop 1 % away, even so far."""
    plain = Holding("BTC/USDT:USDT", Side.LONG, 1_000.0, 0.01, 0.0, 500.0, "HydraFlow")
    return replace(plain, **changes)


def book(*holdings: Holding, closed_today: float = 0.0, equity: float = 10_000.0) -> Book:
    return Book(tuple(holdings), equity, equity, closed_today)
