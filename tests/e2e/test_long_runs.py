"""What a bot must not gather up over the days that it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.planned import TERMS, bars
from e2e.rig import BTC, ETH

from hydra_ft.risk.policy import RiskPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.rig import Rig

pytestmark = pytest.mark.e2e

SENDERS = ("create_order", "fetch_orders", "cancel_order_with_result", "get_fee")


@pytest.mark.parametrize("chased", [True, False], ids=["chased", "plain"])
def test_bars_leave_no_layers_on_the_exchange(rigged: Callable[..., Rig], chased: bool) -> None:
    TERMS.clear()
    TERMS.risk = RiskPolicy()
    PLAN.enter.clear()
    settings = {"bot_name": "test", "chase": {"enabled": chased}}
    rig = rigged(head="SizedHead", pairs=(BTC, ETH), hydra=settings)
    bars(rig, 1)
    exchange = rig.bot.exchange
    before = [getattr(exchange, name) for name in SENDERS]
    bars(rig, 4)
    after = [getattr(exchange, name) for name in SENDERS]
    # Bound methods are made anew at every look, and are equal when they are the same.
    assert after == before
