"""The ledger over the ends of a bot: restarts, kills and stops lose and double no bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.planned import MINUTE_MS, bars, newest_close, outcomes, rows, told_once
from e2e.rig import BTC, Rig

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    Rigged = Callable[..., Rig]

pytestmark = pytest.mark.e2e
OFF = {"bot_name": "test", "chase": {"enabled": False}}


def test_a_restart_within_equal_bars_neither_doubles_nor_loses_one(planned: Rigged) -> None:
    rig = planned()
    bars(rig, 3)
    before = rows(rig, BTC)
    rig.restart()
    rig.step(1, times=3)
    assert rows(rig, BTC) == before
    bars(rig, 2)
    found = told_once(rig, BTC)
    assert sum(row.bars for row in found) == sum(row.bars for row in before) + 2
    assert found[-1].until == newest_close(rig)


def test_a_restart_on_the_bar_that_filled_leaves_it_filled(planned: Rigged) -> None:
    rig = planned()
    PLAN.enter[BTC] = Side.LONG
    bars(rig, 1)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert outcomes(rig, BTC)[-1:] == ["filled"]
    rig.restart()
    rig.step(1, times=3)
    assert outcomes(rig, BTC)[-1:] == ["filled"]
    bars(rig, 1)
    assert outcomes(rig, BTC)[-2:] == ["filled", "in_trade"]


@pytest.mark.parametrize("hydra", [{"bot_name": "test"}, OFF], ids=["chased", "plain"])
def test_an_entry_that_fills_after_a_restart_is_filled(
    planned: Rigged, hydra: dict[str, Any]
) -> None:
    rig = planned(pairs=(BTC,), hydra=hydra)
    PLAN.enter[BTC] = Side.LONG
    bars(rig, 1)
    PLAN.enter.clear()
    rig.restart()
    bars(rig, 1)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert outcomes(rig, BTC) == ["filled"]


def test_a_bar_decided_just_before_a_kill_is_written_by_the_restart(planned: Rigged) -> None:
    rig = planned()
    bars(rig, 2)
    PLAN.enter[BTC] = Side.LONG
    rig.step(61 - rig.clock_now().second)
    decided = newest_close(rig)
    assert rows(rig, BTC)[-1].until == decided - MINUTE_MS
    rig.restart()
    rig.step(1, times=2)
    found = told_once(rig, BTC)
    assert (found[-1].until, found[-1].code) == (decided, "ok")


def test_an_entry_sent_just_before_a_kill_is_followed_to_its_fill(planned: Rigged) -> None:
    rig = planned(pairs=(BTC,))
    bars(rig, 1)
    PLAN.enter[BTC] = Side.LONG
    rig.step(61 - rig.clock_now().second)
    assert rig.working_orders()
    assert outcomes(rig, BTC) == []
    rig.restart()
    rig.step(1, times=2)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert outcomes(rig, BTC) == ["filled"]


def test_a_bot_that_is_stopped_explains_its_last_bar(planned: Rigged) -> None:
    rig = planned(pairs=(BTC,), stake_amount=5)
    bars(rig, 1)
    PLAN.enter[BTC] = Side.LONG
    rig.step(61 - rig.clock_now().second)
    rig.bot.cleanup()
    assert outcomes(rig, BTC) == ["host_declined"]
    rig.restart()


def test_a_kill_loses_no_more_than_the_bar_that_was_not_written(planned: Rigged) -> None:
    rig = planned()
    bars(rig, 2)
    rig.step(61 - rig.clock_now().second)
    lost = newest_close(rig)
    rig.clock.shift(60)
    rig.restart()
    rig.step(1, times=2)
    told = {row.at + n * MINUTE_MS for row in rows(rig, BTC) for n in range(row.bars)}
    first = rows(rig, BTC)[0].at
    assert set(range(first, newest_close(rig) + 1, MINUTE_MS)) - told == {lost}
