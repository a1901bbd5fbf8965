"""What exits are called: a target, a time stop, and freqtrade's own names for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.barriers import (
    STOP,
    TARGET,
    barred,
    go,
    hold,
    left_by,
    price_at,
    price_at_r,
    rule_at_the_end,
)
from e2e.rig import BTC, TICK, Rig
from freqtrade.persistence import PairLocks
from freqtrade.plugins.protectionmanager import ProtectionManager

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))
GUARD = {"method": "StoplossGuard", "lookback_period": 600, "stop_duration": 30, "trade_limit": 1}


def locked(rig: Rig) -> bool:
    return PairLocks.is_pair_locked(BTC, rig.clock_now())


def guarded(rigged: Callable[..., Rig]) -> Rig:
    """A bot that freqtrade's StoplossGuard stops after one stop."""
    rig = barred(rigged)
    rig.bot.protections = ProtectionManager(rig.bot.config, [GUARD])
    return rig


@BOTH
def test_the_nearer_one_of_target_and_minimal_roi_gives_the_name(
    rigged: Callable[..., Rig], side: Side
) -> None:
    rig = barred(rigged, minimal_roi={"0": 0.01})
    trade = hold(rig, side)
    go(rig, price_at(trade, 0.0125))
    rig.until(rig.working_orders, limit=4)
    rig.fill(rig.quantity())
    assert left_by(rig) == "roi"


def test_a_minimal_roi_beyond_the_target_does_not_hide_it(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged, minimal_roi={"0": 0.5})
    trade = hold(rig)
    go(rig, price_at(trade, TARGET * 1.01))
    rig.until(rig.working_orders, limit=4)
    rig.fill(rig.quantity())
    assert left_by(rig) == "target"


def test_a_target_is_chased_like_any_exit_that_is_not_urgent(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged)
    trade = hold(rig)
    go(rig, price_at(trade, TARGET * 1.01))
    rig.until(rig.working_orders, limit=4)
    (parent,) = [one for one in rig.parents() if one.kind == "exit"]
    assert (parent.reason, parent.urgent) == ("target", False)
    assert rig.price() == rig.ask, "at the own touch"


def test_a_time_stop_crosses_at_once_like_any_stop(rigged: Callable[..., Rig]) -> None:
    rig = barred(rigged)
    hold(rig)
    rig.step(100, times=10)
    rig.step(1, times=3)
    (parent,) = [one for one in rig.parents() if one.kind == "exit"]
    assert (parent.reason, parent.urgent) == ("time_stop", True)
    assert left_by(rig) == "time_stop"


@BOTH
def test_a_stop_that_is_hit_when_the_time_is_over_is_a_stop(
    rigged: Callable[..., Rig], side: Side
) -> None:
    """The price leapt over the first stop in the loop in which the time ran out."""
    rig = barred(rigged)
    trade = hold(rig, side)
    rig.step(100, times=8)
    rig.clock.shift(150)
    go(rig, price_at(trade, -STOP) - 20 * TICK * side.sign)
    assert left_by(rig) == "stop_loss"
    assert rule_at_the_end(rig) == "stop"


def test_stoploss_guard_counts_stops_and_what_a_stop_gave_back(
    rigged: Callable[..., Rig],
) -> None:
    rig = guarded(rigged)
    trade = hold(rig)
    assert not locked(rig)
    go(rig, price_at(trade, -STOP) - 3 * TICK)
    assert left_by(rig) == "stop_loss"
    assert locked(rig)


def test_stoploss_guard_does_not_count_a_position_that_was_left_for_its_time(
    rigged: Callable[..., Rig],
) -> None:
    rig = guarded(rigged)
    hold(rig)
    rig.step(100, times=10)
    assert left_by(rig) == "time_stop"
    assert rig.closed()[0].close_profit < 0
    assert not locked(rig)


def test_a_stop_that_moved_keeps_freqtrades_name_and_its_rule_is_told(
    rigged: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    rig = barred(rigged)
    trade = hold(rig)
    go(rig, price_at_r(trade, 1.05), loops=2)
    go(rig, price_at_r(trade, 0.4))
    assert left_by(rig) == "trailing_stop_loss"
    assert rule_at_the_end(rig) == "profit_lock"
    assert any("profit_lock" in message for message in caplog.messages)
