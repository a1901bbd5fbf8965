"""The exchange goes away in mid-chase and comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from e2e.plan import PLAN
from e2e.rig import Rig
from freqtrade.exceptions import TemporaryError

from hydra_ft.types import Kind, Side
from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e
RETRY_S = 30
"""What freqtrade's Worker waits after a TemporaryError."""
BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A bot on an exchange that keeps its account on disk."""
    PLAN.clear()
    with Server(Market(seed=7), store=tmp_path / "exchange.sqlite", control=True) as server:
        made = Rig(server, tmp_path)
        try:
            yield made
        finally:
            made.close()


def lose_the_exchange(rig: Rig, loops: int) -> None:
    """Stop the server for so many loops, spaced as the Worker does after a TemporaryError."""
    rig.server.stop()
    with pytest.raises(TemporaryError):
        rig.bot.exchange.fetch_l2_order_book(rig.pairs[0], 5)
    for _ in range(loops):
        with suppress(TemporaryError):
            rig.step(RETRY_S)
    rig.server.start()
    rig.move(0)


def step_until_filled(rig: Rig, target: float) -> None:
    """Fill what works until the position stands at the target."""
    for _ in range(20):
        rig.step(5)
        if rig.working_orders():
            rig.fill(rig.quantity())
        if abs(rig.position()) >= target - 1e-12:
            break
    rig.step(1, times=2)


@BOTH
def test_a_working_entry_is_resumed_when_the_exchange_is_back(rig: Rig, side: Side) -> None:
    target = rig.enter(side)
    (parent,) = rig.parents()
    lose_the_exchange(rig, loops=2)
    rig.check_books()
    assert rig.parents()[0].key == parent.key
    assert rig.parents()[0].is_open
    rig.step(1, times=2)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.position() == target * side.sign
    rig.check_books()
    assert [p.end_reason for p in rig.parents()] == ["filled"]


def test_a_part_that_filled_before_the_outage_counts_after_it(rig: Rig) -> None:
    target = rig.enter()
    part = round(target * 0.5, 3)
    rig.fill(part)
    lose_the_exchange(rig, loops=2)
    rig.move(3)
    step_until_filled(rig, target)
    assert rig.position() == target
    rig.check_books()


def test_an_outage_past_the_deadline_ends_the_entry_and_leaves_no_order(rig: Rig) -> None:
    rig.enter()
    PLAN.enter.clear()
    lose_the_exchange(rig, loops=6)
    rig.step(5, times=4)
    assert rig.working_orders() == []
    assert rig.position() == 0
    rig.check_books()
    assert not rig.parents()[0].is_open


def test_an_exit_that_was_working_goes_on_after_an_outage(rig: Rig) -> None:
    rig.hold()
    PLAN.enter.clear()
    PLAN.leave[rig.pairs[0]] = Side.LONG
    rig.until(rig.working_orders, seconds=5, limit=30)
    lose_the_exchange(rig, loops=1)
    for _ in range(20):
        rig.step(5)
        if rig.working_orders():
            rig.fill(rig.quantity())
        if not rig.position():
            break
    rig.step(1, times=2)
    assert rig.position() == 0
    rig.check_books()
    ended = [p.end_reason for p in rig.parents() if p.kind is Kind.EXIT]
    assert ended == ["filled"]


def test_nothing_is_sent_while_the_exchange_is_away(rig: Rig) -> None:
    """A signal that stands throughout the outage is entered once, after it."""
    rig.step(1)
    PLAN.enter[rig.pairs[0]] = Side.LONG
    lose_the_exchange(rig, loops=2)
    rig.check_books()
    rig.until(rig.working_orders, seconds=5, limit=30)
    target = rig.quantity()
    rig.fill(target)
    rig.step(1, times=2)
    assert rig.position() == target
    rig.check_books()
