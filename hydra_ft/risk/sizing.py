"""From what may be lost to a stake: every factor bounded, named, and kept with the answer.

    risk     = equity * risk_per_trade * product of the factors
    notional = risk / (stop + round-trip fee)

The quantity is floored to the step of the exchange and never raised to a minimum. Leverage says
how much margin the position binds, never how much it risks (F-D8).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf
from typing import TYPE_CHECKING

from hydra_ft.execution.ticks import floor_steps
from hydra_ft.risk.codes import BELOW_MIN, OK, SIZE_ZERO, STOP_TOO_TIGHT
from hydra_ft.risk.factors import Factor, factors
from hydra_ft.risk.inputs import missing

if TYPE_CHECKING:
    from hydra_ft.risk.inputs import SizeRequest
    from hydra_ft.risk.policy import RiskPolicy, SizingRules

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class SizedEntry:
    """A size, or why there is none (``code`` other than ``ok``, and every amount 0).

    ``stake_quote`` is the margin, ``notional_quote`` the position, ``risk_quote`` what is lost
    at the stop, fees included. ``capped_by`` names the cap that set the size, '' where the
    risk did; ``detail`` says in words what was expected and what it was.
    """

    stake_quote: float
    notional_quote: float
    quantity: float
    stop_price: float
    leverage: float
    risk_quote: float
    because: tuple[Factor, ...]
    code: str = OK
    capped_by: str = ""
    detail: str = ""


def notional_at_risk(risk_quote: float, stop: float, round_trip_fee: float) -> float:
    """Position (quote) that loses ``risk_quote`` at a stop (fraction), fees included."""
    return risk_quote / (stop + round_trip_fee)


def kelly_share(win_probability: float, reward_to_risk: float) -> float:
    """Share of the equity to risk for the greatest growth, (p b - q) / b, 0 without an edge.

    Reference: Kelly 1956; Thorp uses a quarter of it at most.
    """
    edge = win_probability * reward_to_risk - (1 - win_probability)
    return edge / reward_to_risk if edge > _CLOSE else 0.0


def size_entry(request: SizeRequest, policy: RiskPolicy) -> SizedEntry:
    """Size an entry; what is missing or not a number gives no size (``size_zero``)."""
    lacking = missing(request)
    if lacking:
        return _refused(SIZE_ZERO, lacking)
    rules = policy.sizing
    if request.equity_quote <= 0:
        return _refused(SIZE_ZERO, f"expected equity above 0, was {request.equity_quote:g}")
    because = factors(request, policy)
    zero = next((factor for factor in because if factor.value <= 0), None)
    if zero is not None:
        return _refused(SIZE_ZERO, f"{zero.name} is 0: {zero.why}", because)
    if request.target <= rules.round_trip_fee:
        text = f"expected a target above the round-trip fee, was {request.target:g}"
        return _refused(SIZE_ZERO, text, because)
    if request.stop < 2 * rules.round_trip_fee - _CLOSE:
        least = f"{2 * rules.round_trip_fee:g}, twice the round-trip fee"
        return _refused(
            STOP_TOO_TIGHT, f"expected a stop from {least}, was {request.stop:g}", because
        )
    return _placed(request, rules, because)


def _placed(request: SizeRequest, rules: SizingRules, because: tuple[Factor, ...]) -> SizedEntry:
    """Notional under every cap, floored to the step."""
    leverage = allowed_leverage(request.leverage, request.stop, rules)
    notional, capped_by = _capped(request, rules, because, leverage)
    if notional <= 0:
        return _refused(SIZE_ZERO, f"{capped_by} leaves nothing to risk", because)
    quantity = _whole_steps(notional / request.price, request.quantity_step)
    if quantity <= 0:
        text = f"the risk allows less than one step of {request.quantity_step:g}"
        return _refused(BELOW_MIN, text, because)
    notional = quantity * request.price
    stake = notional / leverage
    if stake < request.min_stake_quote:
        text = f"expected a stake from {request.min_stake_quote:g} up, the risk allows {stake:g}"
        return _refused(BELOW_MIN, text, because)
    return SizedEntry(
        stake_quote=stake,
        notional_quote=notional,
        quantity=quantity,
        stop_price=request.price * (1 - request.side.sign * request.stop),
        leverage=leverage,
        risk_quote=notional * (request.stop + rules.round_trip_fee),
        because=because,
        capped_by=capped_by,
    )


def allowed_leverage(wanted: float, stop: float, rules: SizingRules) -> float:
    """Whole leverage, 1 or more, under its cap and with the liquidation far beyond the stop.

    A position loses stop * leverage of its margin at the stop.
    """
    return float(
        max(1, floor(min(wanted, rules.max_leverage, rules.max_stop_of_margin / stop) + _CLOSE))
    )


def _capped(
    request: SizeRequest, rules: SizingRules, because: tuple[Factor, ...], leverage: float
) -> tuple[float, str]:
    """Least of what the risk and every cap allow (quote), and the name of the cap."""
    share = rules.risk_per_trade
    for factor in because:
        share *= factor.value
    equity, loss = request.equity_quote, request.stop + rules.round_trip_fee
    allowed = {
        "": notional_at_risk(equity * share, request.stop, rules.round_trip_fee),
        "max_notional_share": equity * rules.max_notional_share,
        "max_stake_share": equity * rules.max_stake_share * leverage,
        "max_stake": request.max_stake_quote * leverage,
        "risk_room": request.risk_room_quote / loss,
        "notional_room": request.notional_room_quote,
        "kelly": _kelly_cap(request, rules) * equity / loss,
    }
    name = min(allowed, key=lambda key: allowed[key])
    return max(0.0, allowed[name]), name


def _kelly_cap(request: SizeRequest, rules: SizingRules) -> float:
    """Share of the equity that a part of Kelly's share lets a trade risk; infinite if off."""
    if not rules.kelly_fraction or request.win_probability is None:
        return inf
    won = request.target - rules.round_trip_fee
    ratio = won / (request.stop + rules.round_trip_fee)
    return rules.kelly_fraction * kelly_share(request.win_probability, ratio)


def _whole_steps(quantity: float, step: float) -> float:
    """Floor to the step; the slack of ``floor_steps`` must not buy more than was allowed."""
    floored = floor_steps(quantity, step)
    return floored if floored <= quantity * (1 + _CLOSE) else floor_steps(floored - step / 2, step)


def _refused(code: str, detail: str, because: tuple[Factor, ...] = ()) -> SizedEntry:
    return SizedEntry(0.0, 0.0, 0.0, 0.0, 1.0, 0.0, because, code, detail=detail)
