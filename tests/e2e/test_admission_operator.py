"""Stage B and the operator: what he forces is not judged, and a bot that he paused declines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from e2e.commands import rpc
from e2e.planned import TERMS, outcomes, rows
from e2e.rig import BTC, Rig
from e2e.test_admission import admits, close_trade, decide, open_trade
from freqtrade.enums import SignalDirection, State
from freqtrade.persistence import PairLocks

if TYPE_CHECKING:
    from collections.abc import Callable

    Rigged = Callable[..., Rig]

pytestmark = pytest.mark.e2e


@pytest.fixture
def planned(rigged: Rigged) -> Rigged:
    """Build bots of the planned head on BTC."""
    TERMS.clear()

    def build(**config: Any) -> Rig:
        return rigged(**{"head": "PlannedHead", "pairs": (BTC,)} | config)

    return build


def test_a_bot_that_the_operator_paused_declines(planned: Rigged) -> None:
    rig = planned()
    rig.bot.state = State.PAUSED
    decide(rig)
    assert outcomes(rig, BTC) == ["host_declined"]
    rig.bot.state = State.RUNNING
    open_trade(rig)


@pytest.mark.parametrize("chased", [True, False])
def test_what_the_operator_forces_is_not_judged_and_is_no_pass(
    planned: Rigged, chased: bool
) -> None:
    admits(max_day_trades=1)
    rig = planned(force_entry_enable=True, hydra={"bot_name": "test", "chase": {"enabled": chased}})
    open_trade(rig)
    close_trade(rig)
    rpc(rig)._rpc_force_entry(BTC, 60_000.0, order_side=SignalDirection.LONG)
    assert rig.working_orders()
    decide(rig)
    assert outcomes(rig, BTC) == ["filled", "in_trade"]
    assert {row.code for row in rows(rig, BTC)} == {"ok", "no_signal"}


def test_what_the_operator_forces_is_not_the_fill_of_a_pass(planned: Rigged) -> None:
    rig = planned(force_entry_enable=True, hydra={"bot_name": "test", "chase": {"enabled": False}})
    PairLocks.lock_pair(BTC, rig.clock_now(minutes=2), "test")
    decide(rig)
    rpc(rig)._rpc_force_entry(BTC, 60_000.0, order_side=SignalDirection.LONG)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert rig.trade() is not None
    assert outcomes(rig, BTC) == ["in_trade"]
