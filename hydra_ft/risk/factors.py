"""What makes a size larger or smaller: each factor alone, bounded, and with its reason.

Bias, regime, expansion of volatility and losses in a row are the multipliers of the audited
engine (A7), and only their product is clipped (``conviction``). Confidence, the volatility
target, drawdown and correlation only ever take away, and are never made up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.risk.inputs import SizeRequest
    from hydra_ft.risk.policy import RiskPolicy
    from hydra_ft.risk.sizing_rules import SizingRules


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a size: its value, its declared bounds, and what it was made from."""

    name: str
    value: float
    low: float
    high: float
    why: str


def factors(request: SizeRequest, policy: RiskPolicy) -> tuple[Factor, ...]:
    """Every factor of a size, in the order of the page; their product multiplies the risk.

    The last one, ``conviction_bounds``, takes back what the first four exceed their bounds by.
    """
    rules, limits = policy.sizing, policy.limits
    conviction = (
        bias_factor(request.bias_strength, rules),
        regime_factor(request.regime_confidence, rules),
        expansion_factor(request.vol_expansion, rules),
        losses_factor(request.losses, rules),
    )
    return (
        *conviction,
        confidence_factor(request.confidence, rules),
        volatility_factor(request.volatility, request.bars_a_year, rules.volatility_target),
        drawdown_factor(request.equity_quote, request.peak_equity_quote, limits.max_drawdown),
        correlation_factor(request.correlated_share, limits.max_correlated_share),
        conviction_bounds(conviction, rules),
    )


def bias_factor(strength: float, rules: SizingRules) -> Factor:
    """1 + 0.3 * strength of an aligned bias (A7)."""
    value = 1 + rules.bias_gain * strength
    return _bounded("bias", value, 1, 1 + rules.bias_gain, f"aligned bias of {strength:.2f}")


def regime_factor(confidence: float, rules: SizingRules) -> Factor:
    """0.7 + 0.4 * confidence of the regime (A7)."""
    low, high = rules.regime_floor, rules.regime_floor + rules.regime_gain
    value = low + rules.regime_gain * confidence
    return _bounded("regime", value, low, high, f"regime sure to {confidence:.2f}")


def expansion_factor(ratio: float, rules: SizingRules) -> Factor:
    """0.7 above a volatility ratio of 1.5, 1.2 below 0.7, else 1 (A7)."""
    value = 1.0
    if ratio > rules.expanded_above:
        value = rules.expanded_factor
    elif ratio < rules.calm_below:
        value = rules.calm_factor
    low, high = rules.expanded_factor, rules.calm_factor
    return _bounded("expansion", value, low, high, f"volatility ratio of {ratio:.2f}")


def losses_factor(losses: int, rules: SizingRules) -> Factor:
    """1 - 0.1 for each loss in a row (A7)."""
    value = 1 - rules.loss_step * losses
    return _bounded("losses", value, rules.loss_floor, 1, f"{losses} lost in a row")


def conviction_bounds(conviction: tuple[Factor, ...], rules: SizingRules) -> Factor:
    """What brings the product of the first four within its bounds, 1 where it is (X40)."""
    product, least, most = 1.0, 1.0, 1.0
    for factor in conviction:
        product *= factor.value
        least *= factor.low
        most *= factor.high
    clipped = min(max(product, rules.min_conviction), rules.max_conviction)
    low = min(1.0, rules.max_conviction / most)
    high = max(1.0, rules.min_conviction / least)
    why = f"bias, regime, expansion and losses make {product:.4f}, allowed {clipped:.4f}"
    return _bounded("conviction_bounds", clipped / product, low, high, why)


def confidence_factor(confidence: float, rules: SizingRules) -> Factor:
    """Confidence of the signal as a part of that from which on it counts as full."""
    value = confidence / rules.full_confidence
    return _bounded("confidence", value, 0, 1, f"signal sure to {confidence:.2f}")


def volatility_factor(volatility: float, bars_a_year: float, target: float) -> Factor:
    """min(1, target / realised), both yearly: never more when it is calm (F-C7, F-E16).

    Reference: Moreira & Muir 2017. A crypto year has 365 days (F-E17).
    """
    yearly = volatility * sqrt(bars_a_year)
    return _bounded("volatility", target / yearly, 0, 1, f"{yearly:.2f} a year, target {target:g}")


def drawdown_factor(equity: float, peak: float, limit: float) -> Factor:
    """Linear from 1 at the peak to 0 at the limit, on every way to a size (F-C9)."""
    drawdown = max(0.0, 1 - equity / peak) if peak > 0 else 0.0
    why = f"drawdown of {drawdown:.4f}, zero at {limit:g}"
    return _bounded("drawdown", _left(drawdown, limit), 0, 1, why)


def correlation_factor(share: float, cap: float) -> Factor:
    """Linear from 1 without correlated positions to 0 at their cap."""
    why = f"correlated positions of {share:.2f} of the equity, zero at {cap:g}"
    return _bounded("correlation", _left(share, cap), 0, 1, why)


def _left(used: float, limit: float) -> float:
    """Part of a limit that is left; 0 also where rounding leaves a billionth."""
    left = 1 - used / limit
    return left if left > 1e-9 else 0.0


def _bounded(name: str, value: float, low: float, high: float, why: str) -> Factor:
    return Factor(name, float(min(max(value, low), high)), float(low), float(high), why)
