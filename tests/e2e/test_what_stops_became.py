"""An order that a stop became is booked once: under the stop, and in no later trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e


def test_a_trade_that_is_read_anew_takes_in_no_order_of_the_stop_before_it(
    rigged: Callable[..., Rig],
) -> None:
    rig = rigged(
        order_types={
            **HydraStrategy.order_types,
            "stoploss_on_exchange": True,
            "stoploss": "market",
        }
    )
    rig.hold()
    rig.step(1, times=2)
    rig.move(-0.025 * rig.bid)
    rig.step(1, times=2)
    assert rig.position() == 0
    stopped = rig.closed()[0]
    PLAN.clear()
    PLAN.enter[BTC] = Side.SHORT
    rig.until(rig.working_orders, seconds=1, limit=75)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    trade = rig.trade()
    assert trade is not None
    # As close as in a market that turns: freqtrade looks ten seconds back.
    trade.open_date = stopped.close_date
    type(trade).commit()
    rig.bot.handle_onexchange_order(trade)
    ids = [order.order_id for order in rig.trade().orders if order.ft_order_side != "stoploss"]
    assert len(ids) == 1
    rig.check_books()
