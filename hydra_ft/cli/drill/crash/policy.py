"""How much the heads of the crash may lose, and which side and stop each pair has."""

from __future__ import annotations

from dataclasses import replace

from hydra_ft.cli.symbols import pair_of
from hydra_ft.risk.policy import LADDER, LimitRules, RiskPolicy, SizingRules
from loopback_exchange import symbols

TRADES = 20
SHORT_SYMBOLS = symbols(TRADES)[9::10]
"""Two of twenty: with more, what they gain in the fall would hide what the others lose."""
RISING_SYMBOLS = symbols(TRADES)[2:8]
"""Those that rise before the fall where positions are closed in parts."""
FIRST_STOP, STOP_STEP, STOPS = 0.010, 0.0005, 8

POLICY = RiskPolicy(
    # Nothing but the book changes a size. Twenty of them take nine tenths of the budget; fees, and
    # a chase that crosses, take from the rest.
    sizing=SizingRules(
        risk_per_trade=0.0009,
        bias_gain=0.0,
        regime_floor=1.0,
        regime_gain=0.0,
        expanded_factor=1.0,
        calm_factor=1.0,
        loss_step=0.0,
        volatility_target=5.0,
    ),
    # One side holds nearly all of it, all correlated: here the budget alone is the limit.
    limits=LimitRules(
        day_loss=0.02,
        max_open_risk=0.02,
        max_side_share=3.0,
        max_correlated_share=20.0,
        max_var=1.0,
        max_cvar=1.0,
    ),
)
LADDERED = replace(POLICY, exits=LADDER)


def is_short(pair: str) -> bool:
    """Whether a pair is sold."""
    return pair in {pair_of(symbol) for symbol in SHORT_SYMBOLS}


def stop_of(pair: str) -> float:
    """First stop of a pair, of its price."""
    pairs = [pair_of(symbol) for symbol in symbols(TRADES)]
    return FIRST_STOP + STOP_STEP * (pairs.index(pair) % STOPS if pair in pairs else 0)
