"""What a size is made from, and whether all of it is known."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.types import Side


@dataclass(frozen=True, slots=True)
class SizeRequest:
    """One entry to be sized; NaN stands for what is not known, and gives no size.

    ``stop`` and ``target`` are fractions of the price. ``bias_strength`` is 0..1, and 0 unless
    the bias is on the side of the entry. ``volatility`` is the standard deviation of the log
    returns of a bar, of which a year has ``bars_a_year`` (365 days: crypto does not rest).
    ``correlated_share`` is what ``limits.correlated_share`` gives. ``min_stake_quote`` and
    ``max_stake_quote`` are margins: the exchange's minimum and what the account can pay. The
    rooms are what the limits leave; infinite where there are none. ``win_probability`` is one
    only if it is calibrated: the confidence of a signal is not.
    """

    side: Side
    price: float
    stop: float
    target: float
    confidence: float
    regime_confidence: float
    bias_strength: float
    vol_expansion: float
    volatility: float
    bars_a_year: float
    equity_quote: float
    peak_equity_quote: float
    losses: int = 0
    correlated_share: float = 0.0
    quantity_step: float = 1e-8
    min_stake_quote: float = 0.0
    max_stake_quote: float = inf
    leverage: float = 1.0
    risk_room_quote: float = inf
    notional_room_quote: float = inf
    win_probability: float | None = None


# Least and greatest value that makes sense. Infinity is allowed only where it means "no limit".
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("price", 1e-12, 1e12),
    ("stop", 1e-6, 0.999),
    ("target", 1e-6, 1e3),
    ("confidence", 0.0, 1.0),
    ("regime_confidence", 0.0, 1.0),
    ("bias_strength", 0.0, 1.0),
    ("vol_expansion", 1e-9, 1e9),
    ("volatility", 1e-9, 1e3),
    ("bars_a_year", 1.0, 1e9),
    ("equity_quote", -1e15, 1e15),
    ("peak_equity_quote", -1e15, 1e15),
    ("losses", 0, 1e6),
    ("correlated_share", 0.0, inf),
    ("quantity_step", 1e-12, 1e9),
    ("min_stake_quote", 0.0, 1e15),
    ("max_stake_quote", -inf, inf),
    ("leverage", 1.0, 1e3),
    ("risk_room_quote", -inf, inf),
    ("notional_room_quote", -inf, inf),
)


def missing(request: SizeRequest) -> str:
    """What is not known or makes no sense, in words; '' where all is well."""
    for name, low, high in _RANGES:
        value = getattr(request, name)
        if not _is_number(value) or not low <= value <= high:
            return f"{name}: expected a number from {low:g} to {high:g}, was {value}"
    chance = request.win_probability
    if chance is not None and not (_is_number(chance) and 0 <= chance <= 1):
        return f"win_probability: expected a number from 0 to 1, was {chance}"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isnan(value)
