"""Stage B of a live bot: every outcome once, in freqtrade's hands, as the ledger tells it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from e2e.commands import rpc
from e2e.plan import PLAN
from e2e.planned import SIGNAL, TERMS, bars, outcomes, passes, rows, why
from e2e.rig import BTC, ETH, Rig
from freqtrade.persistence import PairLocks

from hydra_ft.decisions.rules import AdmissionRules
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rigged = Callable[..., Rig]

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))
MANY = 1000


@pytest.fixture
def planned(rigged: Rigged, capsys: pytest.CaptureFixture[str]) -> Iterator[Rigged]:
    """Build bots of the planned head, on BTC alone unless said otherwise.

    In the end ``hydra why`` says of every bar what the store does, in words.
    """
    TERMS.clear()
    rigs: list[Rig] = []

    def build(**config: Any) -> Rig:
        rigs.append(rigged(**{"head": "PlannedHead", "pairs": (BTC,)} | config))
        return rigs[-1]

    yield build
    for rig in rigs:
        for pair in rig.pairs:
            told = json.loads(why(rig, capsys, pair, "--last", "24h", "--json"))["decisions"]
            kept = [(row.at, row.outcome, row.detail) for row in rows(rig, pair)]
            assert [(one["at"], one["outcome"], one["detail"]) for one in told] == kept
            assert all(one["words"]["reason"] for one in told)


def admits(**changed: int) -> None:
    usual = {"max_day_trades": MANY, "max_losses": 100, "max_same_side": MANY}
    TERMS.admission = AdmissionRules(**usual | changed)


def decide(rig: Rig, side: Side | None = Side.LONG, pair: str = BTC) -> None:
    """Decide the next bar of a pair this way, and wait until its outcome is written."""
    PLAN.enter.clear()
    if side is not None:
        PLAN.enter[pair] = side
    bars(rig, 1)
    PLAN.enter.clear()


def open_trade(rig: Rig, side: Side = Side.LONG, pair: str = BTC) -> None:
    """Enter on the next bar, and fill."""
    decide(rig, side, pair)
    rig.fill(rig.quantity(pair), pair)
    rig.step(1, times=2)
    assert rig.trade(pair) is not None


def close_trade(rig: Rig) -> None:
    """Let the operator close what is held, wherever the market is, and wait out freqtrade's lock.

    Freqtrade locks a pair for the rest of the bar in which it was left.
    """
    rpc(rig)._rpc_force_exit("all", "market")
    rig.until(lambda: not rig.position(), limit=10)
    rig.step(1, times=2)
    assert rig.trade() is None
    bars(rig, 1)


def lose_trade(rig: Rig) -> None:
    """Enter long, and be stopped out."""
    open_trade(rig)
    rig.move(-0.03 * rig.bid)
    rig.until(lambda: not rig.position(), limit=10)
    rig.step(1, times=2)
    assert rig.closed()[-1].close_profit_abs < 0
    bars(rig, 1)


@BOTH
def test_a_pass_that_fills_is_filled_and_the_bars_after_it_are_in_trade(
    planned: Rigged, side: Side, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = planned()
    open_trade(rig, side)
    decide(rig, side)
    decide(rig, side)
    assert outcomes(rig, BTC) == ["filled", "in_trade", "in_trade"]
    first = passes(rig, BTC)[0]
    assert (first.signal, first.side) == (SIGNAL, side.value)
    assert first.at == int(rig.trade().open_date_utc.timestamp()) // 60 * 60_000
    told = why(rig, capsys, BTC)
    assert "a trade of this pair is open already" in told
    opened = rig.trade().open_date_utc.replace(second=0, tzinfo=None)
    assert "filled" in why(rig, capsys, BTC, "--at", opened.isoformat("T", "minutes"))


def test_an_abandoned_entry_was_not_filled_and_its_end_is_told(
    planned: Rigged, capsys: pytest.CaptureFixture[str]
) -> None:
    hydra = {"bot_name": "test", "chase": {"entry": {"deadline_s": 20}}}
    rig = planned(hydra=hydra)
    PLAN.enter[BTC] = Side.LONG
    rig.step(5, times=9)
    (row,) = passes(rig, BTC)
    assert (row.outcome, row.detail) == ("not_filled", "deadline")
    assert "deadline" in why(rig, capsys, BTC)


def test_a_wide_spread_refuses_until_it_narrows(planned: Rigged) -> None:
    rig = planned()
    rig.move(0, spread=500.0)
    decide(rig)
    assert outcomes(rig, BTC) == ["spread"]
    rig.move(0)
    open_trade(rig)
    assert outcomes(rig, BTC) == ["spread", "filled"]


@BOTH
def test_a_locked_pair_says_so_on_the_locked_side(planned: Rigged, side: Side) -> None:
    rig = planned()
    PairLocks.lock_pair(BTC, rig.clock_now(minutes=2), "test", side=side.value)
    decide(rig, side)
    assert outcomes(rig, BTC) == ["pair_locked"]
    assert passes(rig, BTC)[0].detail == "test"
    decide(rig, side.opposite)
    assert outcomes(rig, BTC) == ["pair_locked", "working"]


def test_a_lock_of_all_pairs_says_so(planned: Rigged) -> None:
    rig = planned()
    PairLocks.lock_pair("*", rig.clock_now(minutes=2), "test")
    decide(rig)
    assert outcomes(rig, BTC) == ["pair_locked"]


def test_a_lock_that_a_breaker_set_is_a_breaker(planned: Rigged) -> None:
    rig = planned(hydra={"bot_name": "test", "breaker": {"failures": 3}})
    rig.server.control.fault("unavailable", "POST", "/fapi/v1/order", 100)
    PLAN.enter[BTC] = Side.LONG
    rig.until(lambda: PairLocks.get_pair_locks(BTC), seconds=5, limit=60)
    bars(rig, 1)
    assert outcomes(rig, BTC)[-1] == "breaker"


def test_an_open_breaker_refuses_what_freqtrade_asks(planned: Rigged) -> None:
    rig = planned()
    rig.bot.strategy._entries._admits = lambda _pair, _now: False
    decide(rig)
    assert outcomes(rig, BTC) == ["breaker"]


def test_without_a_slot_a_pass_says_so(planned: Rigged) -> None:
    rig = planned(pairs=(BTC, ETH), max_open_trades=1)
    open_trade(rig)
    decide(rig, Side.LONG, ETH)
    assert outcomes(rig, ETH) == ["no_slot"]


@BOTH
def test_too_many_on_one_side_leave_the_other_side_free(planned: Rigged, side: Side) -> None:
    admits(max_same_side=1)
    rig = planned(pairs=(BTC, ETH))
    open_trade(rig, side)
    decide(rig, side, ETH)
    assert outcomes(rig, ETH) == ["veto_side"]
    decide(rig, side.opposite, ETH)
    assert outcomes(rig, ETH)[-1] in {"working", "filled"}


def test_a_full_day_ends_at_midnight_utc(
    planned: Rigged, capsys: pytest.CaptureFixture[str]
) -> None:
    """X43: a counter that nobody resets never opens again."""
    admits(max_day_trades=1)
    rig = planned(start=datetime(2026, 3, 3, 23, 55, 5, tzinfo=UTC))
    open_trade(rig)
    close_trade(rig)
    decide(rig)
    assert outcomes(rig, BTC) == ["filled", "veto_daily"]
    assert "the day's 1 trades are reached" in why(rig, capsys, BTC)
    while rig.clock_now().hour:
        decide(rig, None)
    open_trade(rig)
    assert outcomes(rig, BTC)[-1] == "filled"
    assert rig.trade().open_date_utc.day == 4


def test_losses_pause_the_entries_until_the_pause_expires(planned: Rigged) -> None:
    admits(max_losses=2, loss_pause_s=240)
    rig = planned()
    lose_trade(rig)
    lose_trade(rig)
    decide(rig)
    assert outcomes(rig, BTC) == ["filled", "filled", "veto_losses"]
    resumes = rig.closed()[-1].close_date_utc + timedelta(seconds=240)
    while rig.clock_now() < resumes:
        decide(rig, None)
    open_trade(rig)
    assert outcomes(rig, BTC)[-1] == "filled"


@BOTH
def test_a_signal_rests_after_its_entry_and_turns_sooner(planned: Rigged, side: Side) -> None:
    TERMS.cooldown_s, TERMS.flip_s = 600, 200
    rig = planned()
    open_trade(rig, side)
    close_trade(rig)
    decide(rig, side)
    decide(rig, side.opposite)
    while rig.clock_now() < rig.closed()[-1].open_date_utc + timedelta(seconds=200):
        decide(rig, None)
    decide(rig, side)
    open_trade(rig, side.opposite)
    assert outcomes(rig, BTC) == ["filled", "cooldown", "cooldown", "cooldown", "filled"]


def test_every_reason_of_a_refusal_is_told_the_first_one_first(planned: Rigged) -> None:
    admits(max_day_trades=1, max_same_side=1)
    rig = planned(pairs=(BTC, ETH))
    open_trade(rig)
    decide(rig, Side.LONG, ETH)
    (row,) = passes(rig, ETH)
    assert (row.outcome, row.outcomes) == ("veto_daily", ("veto_daily", "veto_side"))


def test_what_freqtrade_itself_declines_is_its_own_reason(planned: Rigged) -> None:
    rig = planned(stake_amount=5)
    decide(rig)
    assert outcomes(rig, BTC) == ["host_declined"]


def test_a_failure_of_stage_b_refuses_and_the_ledger_says_so(planned: Rigged) -> None:
    rig = planned()
    stage, fails = rig.bot.strategy.stage_b, [True]
    verdict = stage.admission.verdict

    def broken(*asked: Any) -> Any:
        if fails:
            raise ZeroDivisionError("a fault of ours")
        return verdict(*asked)

    stage.admission.verdict = broken
    decide(rig)
    assert rig.server.requests[("POST", "/fapi/v1/order")] == 0
    assert outcomes(rig, BTC) == ["adapter_error"]
    fails.clear()
    open_trade(rig)
    assert outcomes(rig, BTC) == ["adapter_error", "filled"]
