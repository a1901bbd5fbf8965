"""What tests of exits share with the heads that they run: leverages, and prices in R."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from e2e import planned
from e2e.plan import PLAN
from e2e.rig import BTC, TICK, Rig

from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade.persistence import Trade

STOP, TARGET, HOLD_S = 0.01, 0.03, 900
"""What every planned signal declares, and after how long a position ends."""

LEVERAGE: dict[str, float] = {}
"""By pair; 1 where nothing is said."""


def barred(
    rigged: Callable[..., Rig],
    head: str = "BarrierHead",
    hydra: dict[str, Any] | None = None,
    **config: Any,
) -> Rig:
    """Start a bot whose stakes are freqtrade's own, and whose exits are Hydra's."""
    LEVERAGE.clear()
    planned.TERMS.clear()
    section = {"bot_name": "test", "risk": {"enabled": False}, **(hydra or {})}
    return rigged(head=head, hydra=section, **config)


def hold(rig: Rig, side: Side = Side.LONG) -> Trade:
    """Open a position that nothing adds to; return its trade."""
    rig.hold(side)
    PLAN.clear()
    return trade_of(rig)


def trade_of(rig: Rig) -> Trade:
    trade = rig.trade()
    assert trade is not None
    return trade


def fee(trade: Trade) -> float:
    """Fee in R, of the price: that of the policy, or what was booked if that is more."""
    return max(RiskPolicy().sizing.round_trip_fee, float(trade.fee_open + trade.fee_close))


def price_at(trade: Trade, gain: float) -> float:
    """Price at which a position has gained so much of its entry price."""
    return float(trade.open_rate) * (1 + (-gain if trade.is_short else gain))


def price_at_r(trade: Trade, r: float) -> float:
    """Price at which a position has gained so many net R."""
    return price_at(trade, fee(trade) + r * (STOP + fee(trade)))


def stands_at(trade: Trade, price: float) -> bool:
    """Whether freqtrade's stop stands at a price: book, last price and stop are on ticks."""
    return abs(float(trade.stop_loss) - price) <= 3 * TICK


def go(rig: Rig, price: float, *, loops: int = 1) -> None:
    """Move the book of BTC so that a position could be left at a price; let the bot look."""
    trade = trade_of(rig)
    rig.move(price - (rig.ask if trade.is_short else rig.bid))
    rig.step(1, times=loops)


def stance(rig: Rig) -> dict[str, Any]:
    """What is kept with the trade."""
    return dict(trade_of(rig).get_custom_data("hydra_stance"))


def forget_trade_data(rig: Rig) -> None:
    """Lose what is kept with the trade."""
    trade_of(rig).delete_custom_data("hydra_stance")


def left_by(rig: Rig) -> str:
    """Flat everywhere; return freqtrade's reason."""
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()
    (trade,) = rig.closed()
    return str(trade.exit_reason)


def rule_at_the_end(rig: Rig) -> str:
    """The rule of the stop that closed the trade, as it is kept with it."""
    return str(rig.closed()[0].get_custom_data("hydra_stance")["rule"])


__all__ = ["BTC"]
