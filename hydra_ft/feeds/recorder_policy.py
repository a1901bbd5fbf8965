"""How a recorder behaves: its waits, its bounds, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from hydra_ft.errors import PolicyError

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from hydra_ft.types import Feed

_POSITIVE = (
    "drain_every_s",
    "write_every_s",
    "connect_s",
    "backoff_base_s",
    "backoff_cap_s",
    "refresh_every_s",
    "refetch_within_s",
    "most_cached",
    "most_held",
    "most_queued",
    "keep_alive_s",
    "ping_every_s",
)

PUSHED_MS: Final = 1_000
"""Binance sends the last forced order of a second when that second is over."""
_FETCHED_WITHIN: Final = 20
"""Pairs that are fetched for within ``refetch_within_s``; more take as much longer."""


@dataclass(frozen=True, slots=True)
class RecorderPolicy:
    """Numbers of a recorder.

    ``grace_ms`` is how long a sub-bar waits for trades that are late; ``quiet_s`` how long
    nothing at all may come before bars are closed by the clock; ``silence_s`` how long before
    the connection is taken for dead. Every ``ping_every_s`` the venue is asked whether the line
    lives: quiet is only what lies before its last answer. Skipped ids are asked for by REST after
    ``refetch_after_s``, at most ``refetch_most`` of them in one go and ``refetch_per_minute``
    times a minute (of a thousand ids each); what has not come ``refetch_within_s`` after that
    is marked, so that bars are never held back for long. ``sound_after_s``: a connection that
    stood for so long is tried again at once when it is lost. ``refresh_every_s``: a connection
    is replaced, before it ends, by a new one. ``resume_most_ms``: what was left longer ago than
    this is not gone on from. Raises PolicyError for a number that cannot be.
    """

    step_ms: int = 60_000
    sub_ms: int = 10_000
    grace_ms: int = 2_000
    quiet_s: float = 5.0
    silence_s: float = 30.0
    drain_every_s: float = 0.1
    write_every_s: float = 1.0
    connect_s: float = 20.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 60.0
    sound_after_s: float = 10.0
    refresh_every_s: float = 12 * 3_600.0
    keep_alive_s: float = 20.0
    ping_every_s: float = 1.0
    refetch_after_s: float = 2.0
    refetch_within_s: float = 30.0
    refetch_most: int = 20_000
    refetch_per_minute: float = 60.0
    resume_most_ms: int = 24 * 3_600_000
    most_cached: int = 20_000
    most_held: int = 50_000
    most_queued: int = 20_000
    book_levels: int = 20
    book_every_s: float = 1.0
    stop_s: float = 10.0
    keeps_trades: bool = False
    bin_ticks: Mapping[str, int] = field(default_factory=dict)
    """Ticks in a level of the footprint, by pair; about a basis point where none is given."""

    @property
    def late_ms(self) -> int:
        """How long after a liquidation a venue may tell of it: Binance does so once a second."""
        return max(self.grace_ms, PUSHED_MS)

    def for_pairs(self, pairs: int) -> RecorderPolicy:
        """Return it with the time to fetch that so many pairs take, one call after another.

        ccxt's limiter lets one call for trades of Binance through a second, whatever is allowed
        here; after an outage each pair needs one at least, and a few need more.
        """
        within_s = self.refetch_within_s * max(1.0, pairs / _FETCHED_WITHIN)
        return replace(self, refetch_within_s=within_s)

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise PolicyError(f"{name}: expected more than 0, was {getattr(self, name)}")
        if self.sub_ms <= 0 or self.step_ms <= 0 or self.step_ms % self.sub_ms:
            raise PolicyError(
                f"step_ms: expected a multiple of sub_ms = {self.sub_ms}, was {self.step_ms}"
            )


def backoff_s(attempt: int, base_s: float, cap_s: float, chance: random.Random) -> float:
    """How long to wait before attempt 1, 2, ...: anything up to a bound that doubles.

    Full jitter (Brooker, "Exponential Backoff and Jitter", 2015): many clients that were cut
    off together do not come back together.
    """
    return chance.uniform(0.0, min(cap_s, base_s * 2.0 ** min(attempt, 32)))


class Allowance:
    """So many calls a minute, saved up to a minute's worth."""

    def __init__(self, per_minute: float, now_s: float) -> None:
        self._per_s, self._most = per_minute / 60.0, max(per_minute, 1.0)
        self._left, self._at_s = self._most, now_s

    def take(self, now_s: float) -> bool:
        """Whether one more call may be made now; it then counts as made."""
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(slots=True)
class FeedCounts:
    """What a feed has done so far; ``last_event_s`` and ``since_s`` are of the monotonic clock."""

    feed: Feed
    is_connected: bool = False
    since_s: float = 0.0
    last_event_s: float | None = None
    events: int = 0
    refused: int = 0
    overflows: int = 0
    connections: int = 0
    losses: int = 0
    refreshes: int = 0
    refused_why: str = ""
    """Why the last of those that could not be read was refused."""
    last_error: str = ""
    wants_anew: bool = False
    """Something has not come for so long that a connection beside this one is to be tried."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Trades of one pair so far."""

    pair: str
    counted: int
    duplicates: int
    late: int
    refetched: int
    missing: int
    held: int
    last_id: int
    closed_until: int | None
    off_grid: int = 0
    """Trades that the steps of price and quantity do not fit, which the venue may have changed."""
