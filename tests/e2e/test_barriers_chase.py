"""Stops of an entry that fills in parts while a rule has moved the stop already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from e2e.barriers import barred, fee, hold, price_at, stance, stands_at, trade_of
from e2e.test_entries import part

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from e2e.rig import Rig

pytestmark = pytest.mark.e2e


def filled(rig: Rig, side: Side) -> None:
    """Fill half of the working entry; the price goes on a little, and the bot books the part."""
    before = abs(rig.booked())
    rig.fill(part(rig.quantity(), 0.5))
    rig.move(30 * side.sign)
    rig.until(lambda: abs(rig.booked()) > before, limit=20)


@pytest.mark.parametrize("side", list(Side))
def test_no_later_fill_loosens_a_stop_that_the_first_one_put_at_break_even(
    rigged: Callable[..., Rig], side: Side
) -> None:
    """The price runs before the first part is booked, and the chase follows it."""
    rig = barred(rigged, hydra={"chase": {"entry": {"max_chase_bps": 150}}})
    target = rig.enter(side)
    rig.fill(part(target, 0.3))
    rig.move(0.0088 * rig.bid * side.sign)
    rig.until(lambda: rig.booked() != 0, limit=20)
    trade = trade_of(rig)
    stop = trade.stop_loss
    assert stands_at(trade, price_at(trade, fee(trade)))
    entry = trade.open_rate
    for _ in range(2):
        rig.until(rig.working_orders, limit=20)
        filled(rig, side)
        trade = trade_of(rig)
        assert side.sign * (trade.open_rate - entry) > 0, "the average entry has moved"
        assert side.sign * (trade.stop_loss - stop) >= 0
        assert (trade.is_stop_loss_trailing, stance(rig)["rule"]) == (True, "break_even")
        entry = trade.open_rate


def test_a_stop_that_cannot_be_worked_out_is_told_once(
    rigged: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    rig = barred(rigged)

    def spoilt(_: object) -> None:
        raise KeyError("stop")

    rig.bot.strategy.stances.stance = spoilt
    trade = hold(rig)
    rig.step(1, times=5)
    told = [one for one in caplog.messages if "cannot be worked out" in one.partition("Sending")[0]]
    assert len(told) == 1
    assert stands_at(trade, price_at(trade, -0.04)), "the head's own stop stands"
