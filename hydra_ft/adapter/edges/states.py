"""What was told of each pair's signal, and what there is to tell now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Change(StrEnum):
    """Why something is told."""

    BEGAN = "began"
    GOES_ON = "goes_on"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Edge:
    """A message about a pair's signal; ``expires_at`` (UTC ms) is 0 where it is off.

    After ``expires_at`` a receiver that has heard nothing more takes the signal for ended.
    """

    pair: str
    change: Change
    expires_at: int = 0

    @property
    def is_active(self) -> bool:
        """Whether the signal stands."""
        return self.change is not Change.ENDED


@dataclass(slots=True)
class _Told:
    is_active: bool
    expires_at: int


class SignalStates:
    """State of every pair as the receiver knows it; ``ttl_ms`` is how long a bar's signal lives."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._told: dict[str, _Told] = {}

    def see(self, pair: str, fired_at: int, now: int) -> Edge | None:
        """Return what is to be told of a pair; None for nothing.

        ``fired_at`` is the close of the newest bar that fires, 0 for none. It stands until it has
        outlived its time, whatever comes after it, be it nothing. The first state of a pair is
        told whatever it is; a signal that a further bar renews is told with its new end. Nothing
        is told twice. Times are UTC ms.
        """
        expires_at = fired_at + self._ttl_ms
        told = self._told.get(pair)
        if fired_at and now < expires_at:
            if told is not None and told.is_active:
                if expires_at <= told.expires_at:
                    return None
                return self._tell(Edge(pair, Change.GOES_ON, expires_at))
            return self._tell(Edge(pair, Change.BEGAN, expires_at))
        if told is None or told.is_active:
            return self._tell(Edge(pair, Change.ENDED))
        return None

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs of which the receiver knows a state."""
        return tuple(self._told)

    def leave(self, pair: str) -> Edge | None:
        """Return the end of a pair's signal where it stands, and forget the pair."""
        told = self._told.pop(pair, None)
        return Edge(pair, Change.ENDED) if told is not None and told.is_active else None

    def end(self) -> Iterator[Edge]:
        """End every signal that stands: nobody watches it from now on."""
        for pair, told in self._told.items():
            if told.is_active:
                yield self._tell(Edge(pair, Change.ENDED))

    def _tell(self, edge: Edge) -> Edge:
        self._told[edge.pair] = _Told(edge.is_active, edge.expires_at)
        return edge


def body(edge: Edge, strategy: str, signal: str, ttl_s: float) -> str:
    """JSON of an edge: the scalper's original fields, and how long it holds.

    ``symbol`` is base and quote in one word, as exchanges write them (``BTCUSDT``).
    """
    base, _, rest = edge.pair.partition("/")
    content = {
        "strategy_name": strategy,
        "symbol": base + rest.partition(":")[0],
        "settings": {"signal_active": edge.is_active},
        "pair": edge.pair,
        "signal": signal,
        "change": edge.change.value,
        "expires_at": edge.expires_at or None,
        "ttl_s": ttl_s,
    }
    return json.dumps(content)
