"""Seeded schedules: which order requests go wrong, and how, known before the first one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from loopback_exchange.faults.kinds import FITS, Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ORDER, _OPEN, _ALL = "/fapi/v1/order", "/fapi/v1/openOrders", "/fapi/v1/allOrders"
ORDER_REQUESTS = {
    ("POST", _ORDER): "place",
    ("DELETE", _ORDER): "cancel",
    ("GET", _ORDER): "read",
    ("GET", _OPEN): "list",
    ("GET", _ALL): "list",
}
"""The requests that a schedule decides on."""
_OF_ONE_ORDER = {FaultKind.UNKNOWN_ORDER, FaultKind.FILL_AFTER_READ}

MIX: dict[FaultKind, float] = {
    FaultKind.ANSWER_LOST: 10,
    # A time-out costs the client all the time that it is willing to wait.
    FaultKind.TIMEOUT_BEFORE: 1.5,
    FaultKind.TIMEOUT_AFTER: 2,
    FaultKind.ARRIVES_LATE: 6,
    FaultKind.RATE_LIMITED: 4,
    FaultKind.BANNED: 2,
    FaultKind.UNAVAILABLE: 6,
    FaultKind.SERVER_ERROR: 6,
    FaultKind.STATUS_UNKNOWN: 8,
    FaultKind.CANCEL_REJECTED: 5,
    FaultKind.UNKNOWN_ORDER: 6,
    FaultKind.CANCEL_MEETS_FILL: 10,
    FaultKind.FILL_AFTER_READ: 10,
    FaultKind.POST_ONLY_REJECTED: 6,
    FaultKind.MARGIN_INSUFFICIENT: 4,
    FaultKind.CLOCK_SKEW: 4,
    FaultKind.SLOW: 5,
    # One request in some 300 when a fifth of them are struck.
    FaultKind.RESTART: 1,
}
"""How often a kind is drawn, against the others that fit the request."""

_SHARES = (0.25, 0.5, 0.75, 1.0)
RANGES: dict[FaultKind, tuple[str, tuple[float, ...]]] = {
    FaultKind.ARRIVES_LATE: ("delay_s", (0.5, 1.0, 2.0, 5.0, 8.0)),
    FaultKind.RATE_LIMITED: ("retry_after_s", (1.0, 2.0, 3.0)),
    FaultKind.BANNED: ("retry_after_s", (2.0, 3.0, 5.0)),
    FaultKind.CANCEL_MEETS_FILL: ("share", _SHARES),
    FaultKind.FILL_AFTER_READ: ("share", _SHARES),
    FaultKind.SLOW: ("delay_s", (0.3, 0.8, 1.5, 2.5)),
    FaultKind.RESTART: ("down_s", (0.5, 1.0, 2.0, 4.0)),
}
"""The details that are drawn, and the values that they can take; the others are as given."""


class FaultSchedule:
    """Decides about order requests from a seed, the request's kind and its running number.

    Parameters
    ----------
    seed : int
        The same seed and the same requests meet the same faults.
    share : float
        Long-run share (0..1) of order requests that are struck.
    kinds : iterable or mapping, optional
        The kinds to draw from, or their weights; ``MIX`` by default. A request that none of
        them fits is never struck.
    """

    def __init__(
        self,
        seed: int,
        share: float,
        kinds: Iterable[FaultKind | str] | Mapping[FaultKind | str, float] | None = None,
    ) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share lies between 0 and 1; it was {share}. Change it.")
        self.seed, self.share = seed, share
        weights = _weights(MIX if kinds is None else kinds)
        self._fitting = {
            request: _fitting(weights, *request) for request in ORDER_REQUESTS
        }  # fmt: skip

    def strike(self, method: str, path: str, n: int) -> Fault | None:
        """Give the fault of the ``n``-th request of this method and path, or None."""
        weights = self._fitting.get((method, path))
        draw = random.Random(f"{self.seed}|{method}|{path}|{n}")
        if not weights or draw.random() >= self.share:
            return None
        (kind,) = draw.choices(list(weights), list(weights.values()))
        details = {}
        if kind in RANGES:
            name, values = RANGES[kind]
            details[name] = draw.choice(values)
        return Fault(kind, method, path, details=details)


def _weights(
    kinds: Iterable[FaultKind | str] | Mapping[FaultKind | str, float] | Mapping[FaultKind, float],
) -> dict[FaultKind, float]:
    pairs = kinds.items() if hasattr(kinds, "items") else ((kind, 1.0) for kind in kinds)
    weights = {FaultKind(kind): float(weight) for kind, weight in pairs}
    if not weights or min(weights.values()) <= 0:
        raise ValueError(
            f"A schedule draws from at least one kind, each with a weight above 0; it was "
            f"{weights}. Change the kinds."
        )
    return weights


def _fitting(weights: dict[FaultKind, float], method: str, path: str) -> dict[FaultKind, float]:
    names_one = path == _ORDER
    return {
        kind: weight
        for kind, weight in weights.items()
        if method in FITS[kind] and (names_one or kind not in _OF_ONE_ORDER)
    }
