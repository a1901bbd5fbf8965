"""Entries are chased within the candle and end exactly at their target."""

from __future__ import annotations

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, Rig

from hydra_ft.types import Side

pytestmark = pytest.mark.e2e


def enter(rig: Rig, side: Side = Side.LONG) -> float:
    """Start an entry; return its target quantity."""
    PLAN.enter[BTC] = side
    rig.until(rig.working_orders, seconds=5, limit=15)
    return float(rig.working()["origQty"])


def test_an_entry_is_requoted_with_the_touch_and_filled(rig: Rig, touch: tuple[float, float]) -> None:
    bid, ask = touch
    target = enter(rig)
    assert rig.price() == bid
    rig.book(bid + 5, ask + 5)
    rig.step(5, times=2)
    assert rig.price() == bid + 5
    assert float(rig.working()["origQty"]) == target
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()
    (parent,) = rig.parents()
    assert (parent.end_reason, parent.requotes, parent.quantity) == ("filled", 1, target)
