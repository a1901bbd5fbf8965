"""The ledger of a live bot: every bar once, both stages add up, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.planned import (
    SIGNAL,
    TERMS,
    bars,
    ledger,
    newest_close,
    outcomes,
    passes,
    rows,
    summary,
    told_once,
)
from e2e.rig import BTC, ETH, Rig
from sqlalchemy import event

from hydra_ft.errors import StoreError
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    Rigged = Callable[..., Rig]

pytestmark = pytest.mark.e2e
OFF = {"bot_name": "test", "chase": {"enabled": False}}


def break_ledger(rig: Rig) -> Callable[[], None]:
    """Refuse whatever the ledger asks of its database; return what mends it."""

    def broken(*_args: object, **_kwargs: object) -> None:
        raise StoreError("the disk is full")

    store = rig.bot.strategy.stage_b._ledger._store
    names = ("write", "note_rules", "last", "forget_before")
    for name in names:
        assert hasattr(store, name)
        setattr(store, name, broken)

    def mend() -> None:
        for name in names:
            delattr(store, name)

    return mend


def test_equal_bars_share_a_row_and_passes_have_their_own(planned: Rigged) -> None:
    rig = planned()
    bars(rig, 3)
    PLAN.enter[BTC] = Side.LONG
    bars(rig, 2)
    PLAN.enter.clear()
    bars(rig, 2)
    found = told_once(rig, BTC)
    merged = Counter[str]()
    for row in found:
        merged[row.code] += row.bars
        assert row.bars == 1 or row.code == "no_signal"
    assert merged == {"no_signal": 5, "ok": 2}
    assert len(found) < 7
    assert found[-1].until == newest_close(rig)


def test_both_stages_add_up(planned: Rigged, capsys: pytest.CaptureFixture[str]) -> None:
    rig = planned(max_open_trades=1)
    bars(rig, 2)
    PLAN.enter.update({BTC: Side.LONG, ETH: Side.SHORT})
    bars(rig, 1)
    rig.fill(rig.quantity())
    bars(rig, 3)
    PLAN.enter.clear()
    bars(rig, 2)
    first, second = ledger(rig).counts()
    assert sum(first.values()) == 2 * 8
    assert first["ok"] == sum(second.values()) == 8
    assert second == {"filled": 1, "in_trade": 3, "no_slot": 4}
    told = summary(rig, capsys)
    assert [(one["entered"], one["passed"]) for one in told["stages"]] == [(16, 8), (8, 1)]
    assert all(one["adds_up"] for one in told["stages"])
    assert told["signals"] == [{"signal": SIGNAL, "candidates": 8, "ok": 8, "filled": 1}]


def test_a_bar_is_written_in_one_transaction_and_nothing_when_nothing_is_new(
    planned: Rigged,
) -> None:
    rig = planned()
    bars(rig, 1)
    changing: list[Any] = []

    def on_statement(connection: Any, _u: Any, statement: str, *_: Any) -> None:
        # Once a minute the bot also tells other bots how it stands.
        if "hydra_decisions" in statement and not statement.startswith("SELECT"):
            changing.append(connection.get_transaction())

    event.listen(rig.bot.strategy.database._engine, "before_cursor_execute", on_statement)
    for pair in (BTC, ETH):
        PLAN.enter[pair] = Side.LONG
        rig.bot.strategy.lock_pair(pair, rig.clock_now(minutes=60), "test")
    for _ in range(10):
        changing.clear()
        bars(rig, 1)
        assert len(changing) == 2, "one statement for the rows, one for their outcomes"
        assert changing[0] is changing[1]
        changing.clear()
        rig.step(5, times=3)
        assert changing == []
    assert outcomes(rig, BTC)[-10:] == outcomes(rig, ETH)[-10:] == ["pair_locked"] * 10


@pytest.mark.parametrize("hydra", [{"bot_name": "test"}, OFF], ids=["chased", "plain"])
def test_an_outage_of_the_ledger_holds_up_no_trade_and_is_made_up_for(
    planned: Rigged, hydra: dict[str, Any]
) -> None:
    rig = planned(hydra=hydra)
    mend = break_ledger(rig)
    bars(rig, 2)
    PLAN.enter[BTC] = Side.LONG
    bars(rig, 1)
    rig.fill(rig.quantity())
    bars(rig, 2)
    assert rig.position() > 0
    assert rows(rig, BTC) == []
    mend()
    rig.step(1)
    found = told_once(rig, BTC)
    assert sum(row.bars for row in found) == 5
    assert outcomes(rig, BTC) == ["filled", "in_trade", "in_trade"]
    assert ledger(rig).rules_at(found[-1].at)


def test_a_loop_that_took_longer_than_a_bar_writes_every_bar(planned: Rigged) -> None:
    rig = planned()
    bars(rig, 2)
    rig.step(4 * 60)
    rig.step(1, times=2)
    found = told_once(rig, BTC)
    assert found[-1].until == newest_close(rig)
    assert sum(row.bars for row in found) == 2 + 4


def test_a_pass_that_the_bot_came_too_late_for_says_so(planned: Rigged) -> None:
    rig = planned(pairs=(BTC,))
    bars(rig, 1)
    PLAN.enter[BTC] = Side.LONG
    TERMS.fires_on = 3
    rig.step(3 * 60)
    rig.step(1, times=2)
    assert outcomes(rig, BTC) == ["host_declined", "host_declined", "working"]
    assert "next bar" in passes(rig, BTC)[0].detail


def test_a_pass_that_overtakes_an_entry_of_the_other_side_has_its_own_outcome(
    planned: Rigged,
) -> None:
    rig = planned(pairs=(BTC,))
    PLAN.enter[BTC] = Side.LONG
    bars(rig, 1)
    PLAN.enter[BTC] = Side.SHORT
    bars(rig, 1)
    rig.until(lambda: rig.working_orders() and rig.working()["side"] == "SELL", limit=20)
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    first, second = passes(rig, BTC)
    assert (first.outcome, first.detail) == ("not_filled", "reversed")
    assert (second.outcome, second.side) == ("filled", "short")


def test_an_entry_chased_into_the_next_pass_fills_the_bar_that_decided_it(planned: Rigged) -> None:
    rig = planned(pairs=(BTC,))
    PLAN.enter[BTC] = Side.LONG
    bars(rig, 2)
    rig.move(5)
    rig.step(5, times=3)
    assert rig.parents()[0].requotes
    rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert outcomes(rig, BTC) == ["filled", "in_trade"]


@pytest.mark.parametrize("side", list(Side))
def test_without_the_chase_outcomes_come_from_the_books_of_freqtrade(
    planned: Rigged, side: Side
) -> None:
    TERMS.cooldown_s = 600
    timeout = {"entry": 1, "exit": 1, "unit": "minutes"}
    rig = planned(pairs=(BTC,), hydra=OFF, unfilledtimeout=timeout)
    PLAN.enter[BTC] = side
    bars(rig, 1)
    PLAN.enter.clear()
    bars(rig, 2)
    assert rig.trade() is None
    assert outcomes(rig, BTC) == ["not_filled"]
    PLAN.enter[BTC] = side
    bars(rig, 1)
    rig.fill(rig.quantity())
    bars(rig, 1)
    rig.bot.rpc._rpc._rpc_force_exit("all", "market")
    rig.until(lambda: not rig.position(), limit=10)
    bars(rig, 2)
    assert outcomes(rig, BTC) == ["not_filled", "filled", "in_trade", "cooldown", "cooldown"]
