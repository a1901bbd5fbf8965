"""Breakers on freqtrade's own pair locks, in a database on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import time_machine
from freqtrade.persistence import PairLocks, Trade, init_db
from freqtrade.rpc.rpc import RPC
from sqlalchemy.exc import OperationalError

from hydra_ft.adapter.orders.breakers import EXCHANGE, Breakers
from hydra_ft.execution.breaker import BreakerPolicy, BreakerState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 3, 3, 12, 0, 5, tzinfo=UTC)
BTC, ETH, XRP = "BTC/USDT:USDT", "ETH/USDT:USDT", "XRP/USDT:USDT"
BAD = (Outcome.REJECTED, Outcome.TIMED_OUT, Outcome.SLIPPED, Outcome.UNFUNDED)


class Desk:
    """A bot's breakers, its operator's phone, and a clock."""

    def __init__(self, clock: time_machine.Traveller, policy: BreakerPolicy) -> None:
        self.clock = clock
        self.policy = policy
        self.told: list[str] = []
        self.start()

    def start(self) -> None:
        """Start the bot, or start it again on the same database."""
        Trade.session.remove()
        self.breakers = Breakers(self.policy, PairLocks.lock_pair, self.told.append)
        self.breakers.restore(PairLocks.get_pair_locks(None))

    @property
    def now(self) -> int:
        return int(datetime.now(UTC).timestamp() * 1000)

    def wait(self, seconds: float) -> None:
        self.clock.shift(seconds)

    def learn(self, outcome: Outcome, pair: str = BTC, *, times: int = 1) -> None:
        for _ in range(times):
            self.breakers.record(pair, outcome, self.now)

    def may_enter(self, pair: str = BTC) -> bool:
        return self.breakers.may_enter(pair, self.now)

    def state(self, key: str = BTC) -> BreakerState:
        return self.breakers.state(key, self.now)

    def stop_exchange(self) -> None:
        """Fail five times in each of two pairs."""
        self.learn(Outcome.TIMED_OUT, BTC, times=5)
        self.learn(Outcome.TIMED_OUT, ETH, times=5)

    def unlock(self, pair: str) -> None:
        """What /unlock does."""
        rpc = RPC(SimpleNamespace(config={}))
        rpc._rpc_delete_lock(pair=pair)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(PairLocks, "timeframe", "5m")
    monkeypatch.setattr(PairLocks, "use_db", True)
    init_db(f"sqlite:///{tmp_path / 'trades.sqlite'}")
    with time_machine.travel(START, tick=False) as clock:
        yield Desk(clock, BreakerPolicy())
    Trade.session.remove()


def test_a_tripped_breaker_is_a_lock_of_freqtrade_with_its_reason(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=6)
    desk.learn(Outcome.TIMED_OUT, times=4)
    (lock,) = PairLocks.get_pair_locks(BTC)
    assert lock.reason == "hydra breaker: 10 failures in 300 s (6 rejected, 4 timed out)"
    # A minute from now, rounded up by freqtrade to the end of the candle.
    assert lock.lock_end_time_utc == datetime(2026, 3, 3, 12, 5, tzinfo=UTC)
    assert PairLocks.is_pair_locked(BTC)
    assert not PairLocks.is_pair_locked(ETH)
    assert RPC(SimpleNamespace(config={}))._rpc_locks()["lock_count"] == 1


def test_an_open_breaker_lets_no_entry_through_and_other_pairs_go_on(desk: Desk) -> None:
    desk.learn(Outcome.SLIPPED, times=9)
    assert desk.may_enter()
    desk.learn(Outcome.SLIPPED)
    assert not desk.may_enter()
    assert desk.may_enter(ETH)


def test_after_its_pause_five_entries_are_let_through(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=10)
    desk.wait(60)
    assert [desk.may_enter() for _ in range(6)] == [True] * 5 + [False]


def test_lifting_the_lock_by_hand_lets_entries_be_tried_at_once(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=10)
    desk.wait(10)
    assert not desk.may_enter()
    desk.unlock(BTC)
    assert [desk.may_enter() for _ in range(6)] == [True] * 5 + [False]
    assert desk.state() is BreakerState.HALF_OPEN


def test_lifting_the_lock_of_another_reason_lifts_nothing_of_ours(desk: Desk) -> None:
    until = datetime(2026, 3, 3, 13, tzinfo=UTC)
    PairLocks.lock_pair(BTC, until, "by hand")
    desk.learn(Outcome.REJECTED, times=10)
    PairLocks.unlock_reason("by hand")
    assert not desk.may_enter()


def test_a_failure_after_lifting_locks_again(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=10)
    desk.unlock(BTC)
    assert desk.may_enter()
    desk.learn(Outcome.REJECTED)
    assert not desk.may_enter()
    assert PairLocks.is_pair_locked(BTC)


def test_it_is_told_once_when_it_opens_and_once_when_it_is_closed_again(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=15)
    for _ in range(3):
        desk.wait(60)
        desk.learn(Outcome.REJECTED)
    assert len(desk.told) == 1
    assert desk.told[0].startswith(f"{BTC}: no entries for 60 s at least, exits go on; ")
    desk.wait(60)
    desk.learn(Outcome.SUCCESS, times=5)
    assert len(desk.told) == 2
    assert "entries go on" in desk.told[1]
    desk.learn(Outcome.REJECTED, times=10)
    assert len(desk.told) == 3


def test_an_open_breaker_is_still_open_after_a_restart_and_not_told_again(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=10)
    desk.wait(30)
    desk.start()
    assert not desk.may_enter()
    assert len(desk.told) == 1
    desk.wait(30)
    assert desk.state() is BreakerState.HALF_OPEN
    desk.learn(Outcome.SUCCESS, times=2)
    assert "entries go on" in desk.told[1]


def test_a_lock_from_before_a_restart_can_be_lifted_too(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, times=10)
    desk.start()
    desk.unlock(BTC)
    assert desk.may_enter()


def test_locks_of_others_open_no_breaker_on_start(desk: Desk) -> None:
    PairLocks.lock_pair(BTC, datetime(2026, 3, 3, 13, tzinfo=UTC), "Cooldown period")
    desk.start()
    assert desk.state() is BreakerState.CLOSED


def test_failures_of_two_pairs_stop_the_entries_of_all(desk: Desk) -> None:
    desk.stop_exchange()
    (lock,) = PairLocks.get_pair_locks(None)
    assert (lock.pair, lock.side) == (EXCHANGE, "*")
    assert lock.reason == "hydra breaker: 10 failures in 300 s (10 timed out)"
    assert not desk.may_enter(XRP)
    assert len(desk.told) == 1
    assert desk.told[0].startswith("All pairs: no entries")


def test_one_pair_alone_never_stops_the_others(desk: Desk) -> None:
    for _ in range(200):
        desk.learn(Outcome.REJECTED)
        desk.wait(7)
    assert desk.state(EXCHANGE) is BreakerState.CLOSED
    assert desk.may_enter(ETH)


def test_a_pair_that_is_paused_itself_does_not_reopen_the_exchange(desk: Desk) -> None:
    desk.learn(Outcome.REJECTED, BTC, times=9)
    desk.learn(Outcome.REJECTED, ETH, times=4)
    desk.learn(Outcome.REJECTED, BTC)
    desk.learn(Outcome.REJECTED, ETH)
    assert desk.state(EXCHANGE) is BreakerState.OPEN
    desk.wait(60)
    desk.learn(Outcome.REJECTED, BTC)
    assert desk.state(EXCHANGE) is BreakerState.HALF_OPEN
    desk.learn(Outcome.REJECTED, ETH)
    assert desk.state(EXCHANGE) is BreakerState.OPEN


@pytest.mark.parametrize("outcome", [Outcome.SLIPPED, Outcome.UNFUNDED])
def test_slippage_and_want_of_margin_are_not_the_exchange(desk: Desk, outcome: Outcome) -> None:
    for pair in (BTC, ETH, XRP):
        desk.learn(outcome, pair, times=10)
        assert desk.state(pair) is BreakerState.OPEN
    assert desk.state(EXCHANGE) is BreakerState.CLOSED


def test_what_fails_while_the_exchange_is_down_does_not_pause_the_pair_too(desk: Desk) -> None:
    desk.stop_exchange()
    desk.learn(Outcome.TIMED_OUT, XRP, times=20)
    assert desk.state(XRP) is BreakerState.CLOSED
    desk.learn(Outcome.SLIPPED, XRP, times=10)
    assert desk.state(XRP) is BreakerState.OPEN


def test_lifting_the_lock_of_all_pairs_lets_all_be_tried(desk: Desk) -> None:
    desk.stop_exchange()
    desk.unlock(EXCHANGE)
    assert desk.may_enter(XRP)
    desk.learn(Outcome.SUCCESS, XRP, times=2)
    assert desk.state(EXCHANGE) is BreakerState.CLOSED


def test_a_refusal_uses_up_no_probe(desk: Desk) -> None:
    desk.learn(Outcome.SLIPPED, XRP, times=10)
    desk.stop_exchange()
    desk.unlock(EXCHANGE)
    assert not any(desk.may_enter(XRP) for _ in range(20))
    assert [desk.may_enter() for _ in range(6)] == [True] * 5 + [False]


def test_a_lock_that_cannot_be_stored_still_pauses_and_is_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("INSERT", {}, OSError("disk full"))

    breakers = Breakers(desk.policy, refuse, desk.told.append)
    for _ in range(10):
        breakers.record(BTC, Outcome.REJECTED, desk.now)
    assert not breakers.may_enter(BTC, desk.now)
    assert len(desk.told) == 1
    assert "is not stored" in caplog.text


def test_switched_off_nothing_is_locked(desk: Desk) -> None:
    desk.policy = BreakerPolicy(enabled=False)
    desk.start()
    for outcome in BAD:
        desk.learn(outcome, times=50)
    assert desk.may_enter()
    assert list(PairLocks.get_pair_locks(None)) == []
    assert desk.told == []
