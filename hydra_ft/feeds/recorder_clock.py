"""What time it is for a feed, and until when its connection is known to have lived."""

from __future__ import annotations

from statistics import median_low
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

AHEAD_MS: Final = 60_000
"""A trade that is further ahead of all others has no time of this venue."""
LEAST_TOLERANCE_MS: Final = 1_000
"""Trades are on their way for longer at one time than at another: by so much at least."""
MOST_UNHEARD_S: Final = 10.0
"""A line that has brought nothing for so long, not even an answer to a ping, is lost."""
LONGEST_PAUSE_S: Final = 3.0
"""A line on which so long nothing was heard, or nobody looked, has not stood meanwhile."""
_LONGEST_LOOK_S: Final = 0.5
_NEVER_S: Final = float("-inf")
_ALIKE: Final = 3
_ALIKE_OF_ONE_PAIR: Final = 20


class Pulse:
    """Until when a connection is known to have lived: its last message, or its last pong.

    A dead line looks as a quiet one does, until an answer to a ping is overdue. ``heard_s`` is
    when the client that was looked at last was heard; before, it was not.
    """

    def __init__(self) -> None:
        self.until_s = 0.0
        self.heard_s = _NEVER_S
        self._looked_s = self._unheard_s = 0.0
        # Two clients at most, while one takes over: held, so that no other gets the id of one.
        self._wires: dict[int, tuple[Any, dict[str, tuple[int | None, float]]]] = {}

    def begin(self, now_s: float) -> None:
        """Know that a new connection stands now."""
        self.until_s = self._looked_s = now_s
        self._unheard_s, self.heard_s = 0.0, _NEVER_S
        self._wires.clear()

    def look(self, client: Any, now_s: float) -> bool:
        """Whether a client has heard something on each of its wires since the look before."""
        known = self._wires.pop(id(client), (client, {}))[1]
        self._wires[id(client)] = (client, known)
        if len(self._wires) > 2:
            del self._wires[next(iter(self._wires))]
        for url, wire in client.clients.items():
            stamp, _ = known.get(url, (wire.last_message_at, _NEVER_S))
            if url not in known:
                known[url] = (stamp, _NEVER_S)
            elif stamp != wire.last_message_at:
                known[url] = (wire.last_message_at, now_s)
        self.heard_s = heard_s = min((at_s for _, at_s in known.values()), default=_NEVER_S)
        has_lived, self.until_s = heard_s > self.until_s, max(heard_s, self.until_s)
        # While this process was busy or asleep nothing could be heard, and no ping was sent.
        since_look_s = min(now_s - self._looked_s, _LONGEST_LOOK_S)
        self._unheard_s = 0.0 if has_lived else self._unheard_s + since_look_s
        self._looked_s = now_s
        return has_lived

    def complaint(self) -> str | None:
        """Say that nothing has been heard for too long, if so."""
        is_dead = self._unheard_s > MOST_UNHEARD_S
        return f"no answer for more than {MOST_UNHEARD_S:g} s" if is_dead else None


def doubtful(stamp: object, since: int, now: int) -> tuple[int, int]:
    """Stretch (ms) in which something happened that cannot be read, though its time may be.

    It is the time of its own, as ccxt has read it, where that is near; else all since then.
    """
    if isinstance(stamp, int) and since - AHEAD_MS <= stamp <= now + AHEAD_MS:
        return stamp, stamp + 1
    return min(since, now), now + 1


class Looks:
    """When a feed was looked at last, by two clocks: one of them stands while a machine sleeps."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._last: tuple[float, int] | None = None

    def look(self, now_s: float) -> float:
        """Look; how many seconds after the look before, 0 after none."""
        now = (now_s, self._wall_ms())
        last_s, last_ms = self._last or now
        self._last = now
        return max(now_s - last_s, (now[1] - last_ms) / 1000)


class FeedTime:
    """The time of a venue as its newest trades tell it; on between them by a clock.

    One stamp that is ahead of the others moves nothing. Where several trades, of two pairs if
    there are two, agree on a later time, that is the time: a machine that slept has a clock
    that did not go on.
    """

    def __init__(self, tolerance_ms: int, pairs: int, wall_ms: Callable[[], int]) -> None:
        self.latest_ms = 0
        self.pairs, self._tolerance_ms, self._wall_ms = pairs, tolerance_ms, wall_ms
        self._at_s, self._at_wall_ms = 0.0, 0
        self._ahead: list[tuple[str, int]] = []

    def idle_ms(self, now_s: float) -> int:
        """How long ago the newest trade came."""
        return round((now_s - self._at_s) * 1000) if self.latest_ms else 0

    def expected(self, now_s: float) -> int:
        """What time it is at the venue; that of this machine before the first trade."""
        if not self.latest_ms:
            return self._wall_ms()
        # The clock that counts seconds may have stood still, the wall clock may have been set.
        return self.latest_ms + max(self.idle_ms(now_s), self._wall_ms() - self._at_wall_ms)

    def hear(self, stamps: Mapping[str, Sequence[int]], now_s: float) -> int:
        """Take the times of trades, by pair; the latest time (ms) that is one of this venue."""
        # Before the first trade this machine's clock is all there is, and it may be behind.
        tolerance_ms = self._tolerance_ms if self.latest_ms else AHEAD_MS
        limit = self.expected(now_s) + tolerance_ms
        heard = [(pair, time) for pair, times in stamps.items() for time in times]
        plain = [time for _, time in heard if time <= limit]
        if plain:
            self._ahead.clear()
            self._know(max(plain), now_s)
        else:
            self._ahead = [*self._ahead, *heard][-_ALIKE_OF_ONE_PAIR:]
            if self._agree():
                self._know(median_low(time for _, time in self._ahead), now_s)
                self._ahead.clear()
        return self.expected(now_s) + AHEAD_MS

    def _agree(self) -> bool:
        if len({pair for pair, _ in self._ahead}) < min(2, self.pairs):
            return len(self._ahead) >= _ALIKE_OF_ONE_PAIR
        return len(self._ahead) >= _ALIKE

    def _know(self, time: int, now_s: float) -> None:
        self.latest_ms = max(self.latest_ms, time)
        self._at_s, self._at_wall_ms = now_s, self._wall_ms()
