"""The faults that are still to strike, and the journal of those that did."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from loopback_exchange.clock import now_ms
from loopback_exchange.faults.schedule import ORDER_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_exchange.faults.kinds import Fault, FaultKind
    from loopback_exchange.faults.schedule import FaultSchedule


class Strike(NamedTuple):
    """A fault that struck; ``n`` counts the requests of its method and path, from 1."""

    at_ms: int
    n: int
    method: str
    path: str
    kind: FaultKind
    symbol: str
    order_id: str
    client_id: str


class Faults:
    """Planned faults, oldest first, and one schedule that draws the others.

    Attributes
    ----------
    journal : list of Strike
        Everything that struck, planned or drawn, in order.
    seen, hit : int
        Order requests since ``follow``, pauses excepted, and those of them that were struck.
    """

    def __init__(self) -> None:
        self.journal: list[Strike] = []
        self.seen = self.hit = 0
        self._waiting: list[Fault] = []
        self._schedule: FaultSchedule | None = None
        self._paused = False
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        with self._lock:
            self._waiting.append(fault)

    def follow(self, schedule: FaultSchedule) -> None:
        """Let a schedule decide from now on, with all counts at zero."""
        with self._lock:
            self._schedule, self._paused = schedule, False
            self.seen = self.hit = 0
            self._counts.clear()

    def pause(self) -> None:
        """Let the schedule rest; requests are not counted until ``resume``."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """Go on with the schedule where it was paused."""
        with self._lock:
            self._paused = False

    def take(self, method: str, path: str, params: Mapping[str, str]) -> Fault | None:
        """Give the fault that strikes this request and note it, or None."""
        with self._lock:
            follows = self._schedule is not None and not self._paused
            counted = follows and (method, path) in ORDER_REQUESTS
            if counted:
                self.seen += 1
                self._counts[method, path] += 1
            n = self._counts[method, path]
            fault = self._planned(method, path)
            if fault is None and counted and self._schedule is not None:
                fault = self._schedule.strike(method, path, n)
            if fault is not None:
                self.hit += counted
                self.journal.append(_strike(fault, n, params))
            return fault

    def _planned(self, method: str, path: str) -> Fault | None:
        for fault in self._waiting:
            if (fault.method, fault.path) == (method, path):
                fault.count -= 1
                if not fault.count:
                    self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Call off all faults and the schedule, and forget the journal."""
        with self._lock:
            self._waiting.clear()
            self._schedule, self._paused = None, False
            self._counts.clear()
            self.journal.clear()
            self.seen = self.hit = 0


def _strike(fault: Fault, n: int, params: Mapping[str, str]) -> Strike:
    names = ("newClientOrderId", "origClientOrderId", "clientAlgoId")
    client_id = next((params[name] for name in names if params.get(name)), "")
    order_id = params.get("orderId") or params.get("algoId", "")
    symbol = params.get("symbol", "")
    return Strike(now_ms(), n, fault.method, fault.path, fault.kind, symbol, order_id, client_id)
