"""A bot that is ended between the fill of its exit and the close of its trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig
from e2e.test_entries import part
from freqtrade.persistence import Trade

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e


class Killed(BaseException):
    """Nothing of the bot runs after it, as after a SIGKILL."""


def hold(rig: Rig, side: Side, orders: int) -> float:
    """Open a position with so many orders, since freqtrade counts those of several anew."""
    target = rig.enter(side)
    for _ in range(orders - 1):
        rig.fill(part(target, 0.3))
        rig.move(3 * side.sign)
        rig.step(5, times=2)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == pytest.approx(target * side.sign, abs=1e-12)
    return target


@pytest.mark.parametrize("orders", [1, 2])
@pytest.mark.parametrize("side", list(Side))
def test_what_was_sold_is_not_sold_again(
    rigged: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, side: Side, orders: int
) -> None:
    """Freqtrade's own reload gives a trade of two entries the quantity of the second one."""
    rig = rigged()
    hold(rig, side, orders)
    PLAN.enter.clear()
    PLAN.leave[BTC] = side
    rig.until(rig.working_orders, seconds=5, limit=15)
    PLAN.leave.clear()
    rig.fill(rig.quantity())

    def killed(*_: object, **__: object) -> None:
        # The order is stored as filled by now; the trade is still open.
        Trade.commit()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Trade, "close", killed)
        with pytest.raises(Killed):
            rig.step(1, times=3)
    rig.restart()
    trade = rig.trade()
    assert trade is not None
    assert not trade.has_open_orders
    rig.step(1, times=10)
    assert rig.position() == 0
    assert rig.working_orders() == []
    rig.check_books()
    (trade,) = rig.closed()
    assert trade.exit_reason == "bias_flip"
    assert trade.close_rate == pytest.approx(trade.orders[-1].safe_price)
    fills = rig.server.control.state()["fills"]
    earned = sum(float(fill["realizedPnl"]) - float(fill["commission"]) for fill in fills)
    assert trade.close_profit_abs == pytest.approx(earned, abs=1e-6)
    (parent,) = [p for p in rig.parents() if p.kind == "exit"]
    assert (parent.end_reason, parent.children) == ("filled", 1)
