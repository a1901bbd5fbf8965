"""Breakers of the pairs and of the exchange, as freqtrade's pair locks.

A lock survives a restart, shows in ``/locks`` and in FreqUI, and is lifted with ``/unlock``.
It holds up entries only; no exit asks here. Freqtrade rounds the end of a lock up to the
end of a candle, so new entries pause for ``open_s`` at least; top-ups ask here and need not
wait for the candle.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade.persistence import PairLocks
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.adapter.trades import to_ms
from hydra_ft.execution.breaker import (
    REASON,
    Breaker,
    BreakerPolicy,
    BreakerState,
    Outcome,
    admits,
    advanced,
    half_opened,
    let_through,
    opened,
    reason,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from freqtrade.persistence import PairLock

    from hydra_ft.types import Side

logger = logging.getLogger(__name__)

EXCHANGE = "*"
"""Key of the breaker that stops the entries of all pairs; freqtrade's word for all pairs."""

_OF_EXCHANGE = frozenset({Outcome.REJECTED, Outcome.TIMED_OUT})
"""Failures that the exchange may be to blame for.

Slippage is the market of one pair, and want of margin the account's: every pair learns of
it by itself, and an exchange that says so works.
"""


class Breakers:
    """One breaker per pair, and one for the exchange that hears of all pairs.

    ``lock`` is freqtrade's ``strategy.lock_pair``, ``alert`` tells the operator: once when
    a breaker leaves CLOSED, however often it reopens, and once when it is CLOSED again.
    ``standing`` reads the locks of a pair that are in force at a time.
    """

    def __init__(
        self,
        policy: BreakerPolicy,
        lock: Callable[[str, datetime, str], None],
        alert: Callable[[str], None],
        standing: Callable[[str, datetime], Iterable[PairLock]] = PairLocks.get_pair_locks,
    ) -> None:
        self._policy = policy
        self._lock = lock
        self._alert = alert
        self._standing = standing
        self._breakers: dict[str, Breaker] = {}
        self._locked: set[str] = set()

    def restore(self, locks: Iterable[PairLock]) -> None:
        """Open again what was open when the bot stopped; locks of others are not ours."""
        for lock in filter(_is_ours, locks):
            # Freqtrade stores UTC without saying so.
            since = to_ms(lock.lock_time.replace(tzinfo=UTC))
            latest = max(since, self._breakers.get(lock.pair, Breaker()).since)
            self._breakers[lock.pair] = opened(latest)
            self._locked.add(lock.pair)
            logger.info("Breaker of %s is still open: %s.", lock.pair, lock.reason)

    def state(self, key: str, now: int) -> BreakerState:
        """Return the state of a pair's breaker, or of the exchange's, at ``now`` (UTC ms)."""
        return self._at(key, now).state

    def may_enter(self, pair: str, now: int) -> bool:
        """Whether an entry of a pair may go at ``now`` (UTC ms).

        Ask last: while a breaker is half open, a yes uses up one of its probes.
        """
        keys = (EXCHANGE, pair)
        if not all(admits(self._at(key, now), now, self._policy) for key in keys):
            return False
        for key in keys:
            self._breakers[key] = let_through(self._at(key, now), now, self._policy)
        return True

    def is_open(self, pair: str, now: int) -> bool:
        """Whether no entry of a pair may go at ``now``: nothing that works should be given up."""
        return any(self.state(key, now) is BreakerState.OPEN for key in (EXCHANGE, pair))

    def record(self, pair: str, outcome: Outcome, now: int) -> None:
        """Learn what became of an order of a pair, entry or exit, at ``now`` (UTC ms).

        What fails while the exchange's own breaker is open is not the fault of the pair.
        """
        of_exchange = self._tells_of_exchange(pair, outcome, now)
        is_excused = outcome in _OF_EXCHANGE and self.state(EXCHANGE, now) is BreakerState.OPEN
        if not is_excused:
            self._note(pair, pair, outcome, now)
        if of_exchange:
            self._note(EXCHANGE, pair, outcome, now)

    def _tells_of_exchange(self, pair: str, outcome: Outcome, now: int) -> bool:
        """Whether an outcome counts for the exchange as well.

        Failures count from all pairs, but one pair supplies half of the threshold at most,
        and none while its own breaker is not closed: a market that is halted or misconfigured
        pauses itself, and takes at least one other pair to pause them all.
        """
        if outcome is Outcome.SUCCESS:
            return True
        if outcome not in _OF_EXCHANGE or self.state(pair, now) is not BreakerState.CLOSED:
            return False
        share = sum(failure.pair == pair for failure in self._at(EXCHANGE, now).failures)
        return share < (self._policy.failures + 1) // 2

    def _at(self, key: str, now: int) -> Breaker:
        """Return a breaker as time and the operator have made it."""
        breaker = self._breakers.get(key, Breaker())
        if breaker.state is BreakerState.OPEN and self._is_lifted(key, now):
            logger.info("The lock of %s was lifted by hand: entries are tried again.", key)
            breaker = half_opened(now)
        breaker = advanced(breaker, now, self._policy)
        self._breakers[key] = breaker
        return breaker

    def _is_lifted(self, key: str, now: int) -> bool:
        """Whether a lock of ours was written and is not in force any more."""
        if key not in self._locked:
            return False
        try:
            return not any(_is_ours(lock) for lock in self._standing(key, _moment(now)))
        except SQLAlchemyError as error:
            logger.warning("The locks of %s cannot be read: %s", key, error)
            return False

    def _note(self, key: str, pair: str, outcome: Outcome, now: int) -> None:
        before = self._at(key, now)
        after = record(before, outcome, now, self._policy, pair)
        self._breakers[key] = after
        if after.state is before.state:
            return
        if after.state is BreakerState.OPEN:
            self._pause(key, after, now, is_first=before.state is BreakerState.CLOSED)
        else:
            self._locked.discard(key)
            self._alert(f"{_named(key)}: entries go on; {REASON} closed, orders succeed again.")

    def _pause(self, key: str, breaker: Breaker, now: int, *, is_first: bool) -> None:
        """Write the lock; tell the operator the first time, only the log after that."""
        why = reason(breaker, self._policy)
        text = (
            f"{_named(key)}: no entries for {self._policy.open_s:g} s at least, exits go on; {why}"
        )
        if is_first:
            self._alert(f"{text}. /locks shows it, /unlock lifts it.")
        else:
            logger.warning(text)
        self._locked.discard(key)
        try:
            self._lock(key, _moment(now + int(self._policy.open_s * 1000)), why)
        except SQLAlchemyError as error:
            # It holds all the same, as long as this process lives.
            logger.error("The lock of %s is not stored: %s", key, error)  # noqa: TRY400
        else:
            self._locked.add(key)


def _is_ours(lock: PairLock) -> bool:
    return str(lock.reason or "").startswith(REASON)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _named(key: str) -> str:
    return "All pairs" if key == EXCHANGE else key


def is_locked_by_others(pair: str, side: Side) -> bool:
    """Whether somebody has locked a pair; a breaker of ours pauses, and ends nothing."""
    return any(
        lock.pair in (pair, "*") and lock.side in (side.value, "*") and not _is_ours(lock)
        for lock in PairLocks.get_pair_locks(None)
    )
