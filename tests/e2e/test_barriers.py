"""Exits of a head on the embedded exchange: stop, break-even, trail, time, target; restarts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from e2e.barriers import (
    HOLD_S,
    LEVERAGE,
    STOP,
    TARGET,
    barred,
    fee,
    forget_trade_data,
    go,
    hold,
    left_by,
    price_at,
    price_at_r,
    rule_at_the_end,
    stance,
    stands_at,
    trade_of,
)
from e2e.plan import PLAN
from e2e.planned import ledger
from e2e.rig import BTC, TICK, Rig
from e2e.test_entries import part

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))
LEVERS = pytest.mark.parametrize("leverage", [1.0, 3.0])


@pytest.fixture
def rig(rigged: Callable[..., Rig]) -> Rig:
    return barred(rigged)


# ---- the first stop


@BOTH
@LEVERS
def test_the_stop_of_the_signal_stands_from_the_first_fill(
    rig: Rig, side: Side, leverage: float
) -> None:
    LEVERAGE[BTC] = leverage
    trade = hold(rig, side)
    assert trade.leverage == leverage
    assert stands_at(trade, price_at(trade, -STOP))
    assert not trade.is_stop_loss_trailing
    go(rig, price_at(trade, -STOP * 0.95), loops=3)
    assert abs(rig.position()) > 0
    go(rig, price_at(trade, -STOP) - 3 * TICK * side.sign)
    assert left_by(rig) == "stop_loss"
    assert rule_at_the_end(rig) == "stop"


@BOTH
def test_one_r_is_what_was_filled_times_stop_and_fees(rig: Rig, side: Side) -> None:
    trade = hold(rig, side)
    kept = stance(rig)
    assert (kept["stop"], kept["target"], kept["max_hold_s"]) == (STOP, TARGET, HOLD_S)
    expected = trade.open_rate * trade.amount * (STOP + fee(trade))
    assert kept["r_quote"] == pytest.approx(expected, rel=1e-9)


@BOTH
def test_a_part_that_has_filled_is_stopped_where_its_signal_said(rig: Rig, side: Side) -> None:
    target = rig.enter(side)
    rig.fill(part(target, 0.3))
    PLAN.clear()
    rig.step(1)
    entry = rig.price()
    rig.move((-STOP * entry - 30) * side.sign)
    rig.step(1, times=4)
    assert rig.position() == 0
    rig.check_books()
    assert rig.parents()[0].end_reason == "stop_loss"


def test_the_stop_follows_the_average_entry_of_a_chase(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(part(target, 0.3))
    rig.move(40)
    rig.until(lambda: rig.booked() > 0, limit=10)
    rig.until(rig.working_orders, limit=10)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    trade = trade_of(rig)
    assert len([o for o in trade.orders if o.ft_order_side == "buy" and o.safe_filled]) == 2
    assert stands_at(trade, price_at(trade, -STOP))
    assert not trade.is_stop_loss_trailing


def test_an_operators_entry_has_the_heads_stop_and_no_target(
    rigged: Callable[..., Rig],
) -> None:
    rig = barred(rigged, force_entry_enable=True)
    rig.bot.rpc._rpc._rpc_force_entry(BTC, rig.bid, order_type="limit")
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    trade = trade_of(rig)
    assert trade.get_custom_data("hydra_stance") is None
    assert stands_at(trade, price_at(trade, -0.04))
    go(rig, price_at(trade, 2 * TARGET), loops=3)
    assert rig.position() > 0
    assert rig.working_orders() == []


@BOTH
def test_a_signal_that_still_fires_holds_up_no_stop(rig: Rig, side: Side) -> None:
    """F-C15: the original held a stop back while the momentum was strong enough."""
    rig.hold(side)
    trade = trade_of(rig)
    go(rig, price_at(trade, -STOP) - 3 * TICK * side.sign)
    rig.step(1, times=2)
    assert [one.exit_reason for one in rig.closed()] == ["stop_loss"]


# ---- on the way


@BOTH
@LEVERS
def test_break_even_keeps_entry_and_fees(rig: Rig, side: Side, leverage: float) -> None:
    LEVERAGE[BTC] = leverage
    trade = hold(rig, side)
    go(rig, price_at(trade, 0.007), loops=2)
    assert stands_at(trade_of(rig), price_at(trade, -STOP))
    go(rig, price_at(trade, 0.0085), loops=2)
    assert stands_at(trade_of(rig), price_at(trade, fee(trade)))
    go(rig, price_at(trade, 0.0))
    assert left_by(rig) == "trailing_stop_loss"
    assert rule_at_the_end(rig) == "break_even"


@BOTH
def test_a_stop_locks_and_trails_in_r(rig: Rig, side: Side) -> None:
    trade = hold(rig, side)
    go(rig, price_at_r(trade, 1.05), loops=2)
    assert stands_at(trade_of(rig), price_at_r(trade, 0.5))
    go(rig, price_at_r(trade, 1.7), loops=2)
    assert stands_at(trade_of(rig), price_at_r(trade, 0.7))
    go(rig, price_at_r(trade, 1.2), loops=2)
    assert stands_at(trade_of(rig), price_at_r(trade, 0.7))
    go(rig, price_at_r(trade, 0.6))
    assert left_by(rig) == "trailing_stop_loss"
    assert rule_at_the_end(rig) == "trailing"


@BOTH
def test_a_position_older_than_its_signal_meant_is_left_at_the_market(rig: Rig, side: Side) -> None:
    hold(rig, side)
    rig.step(100, times=8)
    assert abs(rig.position()) > 0
    rig.step(100, times=2)
    assert left_by(rig) == "time_stop"
    assert rule_at_the_end(rig) == "time_stop"


@BOTH
@LEVERS
def test_the_target_of_the_signal_is_taken(rig: Rig, side: Side, leverage: float) -> None:
    LEVERAGE[BTC] = leverage
    trade = hold(rig, side)
    go(rig, price_at(trade, TARGET * 0.98), loops=2)
    assert rig.working_orders() == []
    go(rig, price_at(trade, TARGET * 1.01), loops=1)
    rig.until(rig.working_orders, limit=4)
    rig.fill(rig.quantity())
    assert left_by(rig) == "target"


def test_the_ledger_says_under_which_exits_a_bot_trades(rig: Rig) -> None:
    hold(rig)
    rules = json.loads(ledger(rig).rules_at(int(rig.clock_now().timestamp() * 1000)))
    assert rules["risk.exits.break_even_at"] == 0.008
    assert rules["vetoes.max_vol_expansion"] == 4
    assert not [path for path in rules if path.startswith("risk.sizing")], "switched off here"


# ---- restarts


@BOTH
@pytest.mark.parametrize("lost", [False, True], ids=["kept", "data lost"])
def test_a_restart_keeps_stop_target_and_r(rig: Rig, side: Side, *, lost: bool) -> None:
    trade = hold(rig, side)
    before = stance(rig)
    if lost:
        forget_trade_data(rig)
    rig.restart()
    rig.step(1, times=2)
    assert stance(rig) == before
    assert stands_at(trade_of(rig), price_at(trade, -STOP))
    go(rig, price_at(trade_of(rig), TARGET * 1.01))
    rig.until(rig.working_orders, limit=4)


def test_a_kill_between_the_fill_and_its_booking_loses_nothing(rig: Rig) -> None:
    target = rig.enter()
    rig.fill(target)
    PLAN.clear()
    rig.restart()
    rig.step(1, times=3)
    trade = trade_of(rig)
    assert stands_at(trade, price_at(trade, -STOP))
    assert stance(rig)["target"] == TARGET


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "data lost"])
def test_a_restart_keeps_a_stop_that_has_moved(rig: Rig, *, lost: bool) -> None:
    trade = hold(rig)
    go(rig, price_at(trade, 0.0085), loops=2)
    if lost:
        forget_trade_data(rig)
    rig.restart()
    go(rig, price_at(trade_of(rig), 0.004), loops=2)
    assert stands_at(trade_of(rig), price_at(trade_of(rig), fee(trade_of(rig))))
    go(rig, price_at(trade_of(rig), 0.0))
    assert left_by(rig) == "trailing_stop_loss"


def test_a_restart_does_not_make_a_position_younger(rig: Rig) -> None:
    hold(rig)
    rig.step(100, times=5)
    rig.restart()
    rig.step(100, times=5)
    assert left_by(rig) == "time_stop"
    assert rule_at_the_end(rig) == "time_stop"


def test_without_the_chase_stops_and_targets_are_the_same(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged, hydra={"chase": {"enabled": False}})
    trade = hold(rig)
    assert stands_at(trade, price_at(trade, -STOP))
    rig.restart()
    rig.step(1, times=2)
    assert stance(rig)["target"] == TARGET
    go(rig, price_at(trade_of(rig), -STOP) - 3 * TICK)
    rig.fill(rig.quantity())
    assert left_by(rig) == "stop_loss"
