"""What may go wrong on the wire of the streams; set from any thread, at any time."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field


@dataclass
class StreamFaults:
    """Faults of all connections, from now on.

    Attributes
    ----------
    drop_share : float
        Share (0..1) of the events that are lost on their way, one by one, per connection.
    twice_share : float
        Share (0..1) of the events that are sent twice.
    delay_s : float
        How long each event is held back; their order stays.
    dropped, doubled : int
        How many events were lost and sent twice so far.
    """

    drop_share: float = 0.0
    twice_share: float = 0.0
    delay_s: float = 0.0
    seed: int = 1
    dropped: int = 0
    doubled: int = 0
    _silent_until: float = 0.0
    _frozen_until: float = 0.0
    _refused_until: float = 0.0
    _drop_next: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def silence(self, duration_s: float) -> None:
        """Send no events for a while; pings and requests are answered."""
        self._silent_until = time.monotonic() + duration_s

    def freeze(self, duration_s: float) -> None:
        """Send nothing at all for a while, not even answers to pings."""
        self._frozen_until = time.monotonic() + duration_s

    def refuse(self, duration_s: float) -> None:
        """Answer attempts to connect with 503 for a while."""
        self._refused_until = time.monotonic() + duration_s

    def drop_next(self, count: int) -> None:
        """Lose the next so many events."""
        self._drop_next = count

    def clear(self) -> None:
        """Let all go well again; the counts stay."""
        self.drop_share = self.twice_share = self.delay_s = 0.0
        self._silent_until = self._frozen_until = self._refused_until = 0.0
        self._drop_next = 0

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is sent now."""
        return time.monotonic() < self._frozen_until

    @property
    def is_refusing(self) -> bool:
        """Whether connections are refused now."""
        return time.monotonic() < self._refused_until

    def copies(self) -> int:
        """How often the next event is sent: 0, 1 or 2 times."""
        if self._drop_next > 0:
            self._drop_next -= 1
            self.dropped += 1
            return 0
        now = time.monotonic()
        if now < max(self._silent_until, self._frozen_until):
            self.dropped += 1
            return 0
        if self.drop_share and self._random.random() < self.drop_share:
            self.dropped += 1
            return 0
        if self.twice_share and self._random.random() < self.twice_share:
            self.doubled += 1
            return 2
        return 1
