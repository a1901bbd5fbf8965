"""What can go wrong: the kinds, the requests that they fit, and their details."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultKind(StrEnum):
    """What can go wrong on demand."""

    ANSWER_LOST = "answer_lost"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ARRIVES_LATE = "arrives_late"
    RATE_LIMITED = "rate_limited"
    BANNED = "banned"
    UNAVAILABLE = "unavailable"
    SERVER_ERROR = "server_error"
    STATUS_UNKNOWN = "status_unknown"
    CANCEL_REJECTED = "cancel_rejected"
    UNKNOWN_ORDER = "unknown_order"
    CANCEL_MEETS_FILL = "cancel_meets_fill"
    FILL_AFTER_READ = "fill_after_read"
    POST_ONLY_REJECTED = "post_only_rejected"
    MARGIN_INSUFFICIENT = "margin_insufficient"
    CLOCK_SKEW = "clock_skew"
    SLOW = "slow"
    RESTART = "restart"


_ALL = ("POST", "DELETE", "GET")
FITS: dict[FaultKind, tuple[str, ...]] = {
    **dict.fromkeys(FaultKind, _ALL),
    FaultKind.ARRIVES_LATE: ("POST",),
    FaultKind.STATUS_UNKNOWN: ("POST", "DELETE"),
    FaultKind.CANCEL_REJECTED: ("DELETE",),
    FaultKind.UNKNOWN_ORDER: ("DELETE", "GET"),
    FaultKind.CANCEL_MEETS_FILL: ("DELETE",),
    FaultKind.FILL_AFTER_READ: ("GET",),
    FaultKind.POST_ONLY_REJECTED: ("POST",),
    FaultKind.MARGIN_INSUFFICIENT: ("POST",),
}
"""The methods of the requests that a kind can strike."""

DEFAULTS: dict[FaultKind, dict[str, float]] = {
    FaultKind.TIMEOUT_BEFORE: {"delay_s": 30.0},
    FaultKind.TIMEOUT_AFTER: {"delay_s": 30.0},
    FaultKind.ARRIVES_LATE: {"delay_s": 5.0},
    FaultKind.RATE_LIMITED: {"retry_after_s": 2.0},
    FaultKind.BANNED: {"retry_after_s": 5.0},
    FaultKind.CANCEL_MEETS_FILL: {"share": 0.5},
    FaultKind.FILL_AFTER_READ: {"share": 0.5},
    FaultKind.SLOW: {"delay_s": 1.5},
    FaultKind.RESTART: {"down_s": 2.0},
}
"""The details that a kind takes, with their values when none are given."""


@dataclass(slots=True)
class Fault:
    """A fault that strikes the next ``count`` requests of this method and path.

    Raises
    ------
    ValueError
        When the count is below one, the kind does not fit the method, or a detail is not the
        kind's own or out of range.
    """

    kind: FaultKind
    method: str
    path: str
    count: int = 1
    details: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(
                f"A fault strikes at least once; count was {self.count}. Give 1 or more."
            )
        if self.method not in FITS[self.kind]:
            raise ValueError(
                f"A fault {self.kind} strikes {' or '.join(FITS[self.kind])}; the method was "
                f"{self.method}. Change the method or the kind."
            )
        own = DEFAULTS.get(self.kind, {})
        for name, value in self.details.items():
            _check_detail(self.kind, name, value, own)
        self.details = MappingProxyType({**own, **self.details})


def _check_detail(kind: FaultKind, name: str, value: float, own: dict[str, float]) -> None:
    if name not in own:
        takes = ", ".join(own) or "no details"
        raise ValueError(f"A fault {kind} takes {takes}; it was given {name}. Leave it out.")
    most = 1.0 if name == "share" else 3600.0
    if not 0 <= value <= most:
        raise ValueError(f"{name} lies between 0 and {most:g}; it was {value}. Change it.")
