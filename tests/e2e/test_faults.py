"""Every fault struck into a chased entry, its top-up and an exit: nothing lost or doubled.

Audit items 4-04 and 4-14: the cancel race, "not found", the partial fill that was forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.rig import BTC, STEP, Exposure, Rig
from e2e.test_entries import part

from hydra_ft.types import ChildState, Kind, Side
from loopback_exchange.faults import FITS, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loopback_exchange.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.ci]
ORDER, HISTORY, OPEN = "/fapi/v1/order", "/fapi/v1/allOrders", "/fapi/v1/openOrders"
POSITIONS, BOOK = "/fapi/v3/positionRisk", "/fapi/v1/depth"
FOR_GOOD = 6
"""Strikes that outlast every retry of freqtrade."""
TIMEOUT_MS = 700
"""Of ccxt, in real time; a time-out here lasts longer."""


@dataclass(frozen=True)
class Case:
    """A fault on the requests of one kind, so many times, after an answer that was lost or not."""

    kind: FaultKind
    method: str
    path: str = ORDER
    count: int = 1
    details: dict[str, float] = field(default_factory=dict)
    lost_first: bool = False

    def strike(self, rig: Rig) -> None:
        if self.lost_first:
            rig.server.control.fault("answer_lost", "POST", ORDER)
        rig.server.control.fault(self.kind, self.method, self.path, self.count, **self.details)

    def __str__(self) -> str:
        times = f" x{self.count}" if self.count > 1 else ""
        return f"{self.kind}{times} {self.method} {self.path.rsplit('/', 1)[1]}"


_DETAILS: dict[FaultKind, dict[str, float]] = {
    FaultKind.TIMEOUT_BEFORE: {"delay_s": 1.0},
    FaultKind.TIMEOUT_AFTER: {"delay_s": 1.0},
    FaultKind.ARRIVES_LATE: {"delay_s": 4.0},
    FaultKind.RATE_LIMITED: {"retry_after_s": 1.0},
    FaultKind.BANNED: {"retry_after_s": 1.0},
    FaultKind.SLOW: {"delay_s": 0.2},
    FaultKind.RESTART: {"down_s": 0.2},
}


def case(kind: FaultKind, method: str, path: str = ORDER, **more: Any) -> Case:
    return Case(kind, method, path, details=_DETAILS.get(kind, {}), **more)


PLACED = [case(kind, "POST") for kind in FaultKind if "POST" in FITS[kind]]
CANCELLED = [case(kind, "DELETE") for kind in FaultKind if "DELETE" in FITS[kind]]
READ = [
    case(kind, "GET")
    for kind in (
        # What a reading adds to the faults of a cancel, which is read back after it.
        FaultKind.FILL_AFTER_READ,
        FaultKind.UNKNOWN_ORDER,
        FaultKind.TIMEOUT_BEFORE,
        FaultKind.RESTART,
    )
]
FAILED_FOR_GOOD = [
    Case(FaultKind.SERVER_ERROR, "DELETE", count=FOR_GOOD),
    Case(FaultKind.ANSWER_LOST, "DELETE", count=FOR_GOOD),
    Case(FaultKind.SERVER_ERROR, "GET", count=FOR_GOOD),
    Case(FaultKind.SERVER_ERROR, "GET", BOOK, count=3 * FOR_GOOD),
    Case(FaultKind.SERVER_ERROR, "GET", POSITIONS, count=FOR_GOOD),
]
UNKNOWN = [
    case(kind, "GET", path, lost_first=True)
    for kind in (FaultKind.ANSWER_LOST, FaultKind.SERVER_ERROR, FaultKind.FILL_AFTER_READ)
    for path in (HISTORY, OPEN)
]


@pytest.fixture
def exposure(server: Server) -> Iterator[Exposure]:
    watcher = Exposure(BTC)
    server.watchers.append(watcher)
    yield watcher
    server.watchers.remove(watcher)


def struck(rig: Rig) -> int:
    return len(rig.server.faults.journal)


def under_fire(rig: Rig, fault: Case, side: Side, seconds: float = 2) -> None:
    """Strike, and chase until it was met and what it did is known.

    ``seconds`` is the time of a loop until the first strike.
    """
    before = struck(rig)
    strikes = fault.count + fault.lost_first
    fault.strike(rig)
    for _ in range(40):
        rig.move(2 * side.sign)
        rig.step(2 if struck(rig) > before else seconds)
        if struck(rig) - before >= strikes and not rig.orders().open_attempts():
            return
    raise AssertionError(f"{fault}: {struck(rig) - before} strikes")


def fill_all(rig: Rig, kind: Kind) -> None:
    """Fill what works until no parent of this kind is open."""
    for _ in range(40):
        if not any(p.is_open and p.kind is kind for p in rig.parents()):
            return
        for order in rig.working_orders():
            rest = float(order["origQty"]) - float(order["executedQty"])
            rig.server.control.fill("BTCUSDT", order["orderId"], round(rest, 9))
        rig.step(2)
    raise AssertionError("a parent did not end")


def decide(rig: Rig, fault: Case, side: Side) -> None:
    """Meet the fault while the next bar's decision is carried out; PLAN says which it is."""
    if fault.method != "POST" and not fault.lost_first:
        rig.until(rig.working_orders, seconds=20, limit=5)
    under_fire(rig, fault, side, seconds=20)


def journey(rig: Rig, fault: Case, side: Side) -> None:
    """Enter, complete and leave; the fault strikes each of the three."""
    rig.endures = True
    PLAN.enter[BTC] = side
    decide(rig, fault, side)
    rig.until(rig.working_orders, seconds=2, limit=40)
    rig.fill(part(rig.quantity(), 0.3))
    under_fire(rig, fault, side)
    fill_all(rig, Kind.ENTRY)
    rig.until(lambda: rig.position() and not rig.working_orders(), seconds=2, limit=40)
    PLAN.enter.clear()
    PLAN.leave[BTC] = side
    decide(rig, fault, side.opposite)
    fill_all(rig, Kind.EXIT)
    PLAN.leave.clear()
    rig.step(2, times=4)


def broken(rig: Rig, exposure: Exposure) -> list[str]:
    """Name what does not hold after a fault, though it has to."""
    rig.check_books()
    parents, orders = rig.parents(), rig.orders()
    hasty = [
        pair
        for children in rig.children().values()
        for pair in pairwise(children)
        if pair[0].known_at > pair[1].sent_at
    ]
    found = {
        "a position is left": rig.position() != 0,
        "an overfill": exposure.worst > max(p.quantity for p in parents) + STEP,
        "a parent without an end": not all(p.end_reason for p in parents),
        "an outcome not known": bool(orders.open_attempts()),
        "a child not booked": bool(orders.working_attempts()),
        "a child sent while one was unknown": bool(hasty),
    }
    return [name for name, holds in found.items() if holds]


def both(cases: list[Case]) -> pytest.MarkDecorator:
    """Give the cases, long and short in turn."""
    sides = [Side.LONG if n % 2 else Side.SHORT for n in range(len(cases))]
    return pytest.mark.parametrize(("fault", "side"), list(zip(cases, sides, strict=True)), ids=str)


@pytest.fixture
def fight(rigged: Callable[..., Rig], exposure: Exposure) -> Callable[[Case, Side], list[str]]:
    """Go through all with a fault, and give what is broken after it."""

    def go(fault: Case, side: Side) -> list[str]:
        waits = fault.kind in {FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER}
        rig = rigged(timeout_ms=TIMEOUT_MS if waits else None)
        journey(rig, fault, side)
        return broken(rig, exposure)

    return go


@both(PLACED)
def test_an_order_that_meets_a_fault_is_neither_lost_nor_doubled(fight, fault, side) -> None:
    assert fight(fault, side) == []


@both(CANCELLED)
def test_a_cancel_that_meets_a_fault_leaves_no_second_order(fight, fault, side) -> None:
    assert fight(fault, side) == []


@both(READ)
def test_a_reading_that_meets_a_fault_is_not_believed(fight, fault, side) -> None:
    assert fight(fault, side) == []


@both(FAILED_FOR_GOOD)
def test_requests_that_fail_again_and_again_leave_nothing_behind(fight, fault, side) -> None:
    assert fight(fault, side) == []


@both(UNKNOWN)
def test_a_lost_order_is_found_although_the_reading_fails(fight, fault, side) -> None:
    assert fight(fault, side) == []


REFUSALS = [
    FaultKind.POST_ONLY_REJECTED,
    FaultKind.MARGIN_INSUFFICIENT,
    FaultKind.RATE_LIMITED,
    FaultKind.CLOCK_SKEW,
]


@pytest.mark.parametrize("share", [0.0, 0.3], ids=["first child", "top-up"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_what_was_surely_refused_is_sent_again_without_a_long_wait(
    rig: Rig, kind: FaultKind, share: float
) -> None:
    """An order of unknown outcome is awaited for ten seconds; a refused one does not exist."""
    target = rig.enter()
    if share:
        rig.fill(part(target, share))
    case(kind, "POST").strike(rig)
    rig.move(3)
    rig.until(lambda: struck(rig), limit=10)
    refused = rig.clock_now()
    rig.until(rig.working_orders, limit=10)
    assert (rig.clock_now() - refused).total_seconds() <= 6
    assert rig.server.requests[("GET", HISTORY)] == 0
    (children,) = rig.children().values()
    assert [child.state for child in children if child.state is ChildState.REJECTED] != []


def test_an_exit_that_was_refused_is_sent_again_without_a_long_wait(rig: Rig) -> None:
    target = rig.hold()
    PLAN.enter.clear()
    PLAN.leave[BTC] = Side.LONG
    case(FaultKind.POST_ONLY_REJECTED, "POST").strike(rig)
    rig.until(lambda: struck(rig), seconds=5, limit=15)
    refused = rig.clock_now()
    rig.until(rig.working_orders, limit=10)
    assert (rig.clock_now() - refused).total_seconds() <= 6
    rig.fill(target)
    rig.step(1, times=3)
    assert rig.position() == 0
    rig.check_books()


def test_rejections_again_and_again_are_spaced_and_end_the_entry(rig: Rig) -> None:
    rig.enter()
    Case(FaultKind.POST_ONLY_REJECTED, "POST", count=50).strike(rig)
    PLAN.enter.clear()
    rig.move(3)
    rig.step(1, times=100)
    assert rig.parents()[0].end_reason == "rejected"
    assert struck(rig) == rig.bot.strategy.policies.entry.max_rejections
    assert rig.position() == 0
    rig.check_books()
