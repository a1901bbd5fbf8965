"""What may become of a child, and what its last state means for its parent.

::

    written --> working --> part_filled --> filled
       |           |             +--------> cancelled
       |           +----------------------> filled, cancelled
       +--> unknown --> working, rejected, not_sent, lost_cancelled, lost_filled
       +--> rejected, not_sent
                          +--> lost_cancelled, lost_filled     (it arrived late)

A step that is not in the table is not taken: somebody's reading is wrong, and what is
true is found out by reading the exchange again, never by sending another order.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from hydra_ft.execution.ticks import floor_steps, is_dust
from hydra_ft.types import ChildState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import ParentOrder

_LOST = frozenset({ChildState.LOST_CANCELLED, ChildState.LOST_FILLED})
_DONE = frozenset({ChildState.FILLED, ChildState.CANCELLED})

LEGAL: Mapping[ChildState, frozenset[ChildState]] = MappingProxyType(
    {
        ChildState.WRITTEN: _DONE
        | _LOST
        | {
            ChildState.WORKING,
            ChildState.UNKNOWN,
            ChildState.REJECTED,
            ChildState.NOT_SENT,
        },
        ChildState.UNKNOWN: _DONE
        | _LOST
        | {ChildState.WORKING, ChildState.REJECTED, ChildState.NOT_SENT},
        ChildState.WORKING: _DONE | {ChildState.PART_FILLED},
        ChildState.PART_FILLED: _DONE,
        # A request that timed out here may reach the exchange after it was given up.
        ChildState.NOT_SENT: _LOST,
        ChildState.REJECTED: frozenset(),
        ChildState.FILLED: frozenset(),
        ChildState.CANCELLED: frozenset(),
        ChildState.LOST_CANCELLED: frozenset(),
        ChildState.LOST_FILLED: frozenset(),
    }
)
"""Every legal transition of a child; a state with no way out is an end."""

ENDS = frozenset(state for state, following in LEGAL.items() if not following)


def is_legal(before: ChildState, after: ChildState) -> bool:
    """Whether a child may go from one state to another; staying is always legal."""
    return before is after or after in LEGAL[before]


def seen_as(quantity: float, filled: float, *, is_open: bool) -> ChildState:
    """State of a child as freqtrade or the exchange shows it (quantities in base units)."""
    if filled >= quantity * (1 - 1e-9):
        return ChildState.FILLED
    if not is_open:
        return ChildState.CANCELLED
    return ChildState.PART_FILLED if filled else ChildState.WORKING


class End(StrEnum):
    """Every reason for which a parent can end."""

    FILLED = "filled"
    DUST = "dust"
    REST_BELOW_MIN = "rest_below_min"
    REST_UNFUNDED = "rest_unfunded"
    DEADLINE = "deadline"
    DEADLINE_BEYOND_CAP = "deadline_beyond_cap"
    REJECTED = "rejected"
    REVERSED = "reversed"
    EXIT_SIGNAL = "exit_signal"
    EXIT = "exit"
    STOP_LOSS = "stop_loss"
    PAIR_LOCKED = "pair_locked"
    OPERATOR = "operator"
    CANCELLED_ELSEWHERE = "cancelled_elsewhere"
    CLOSED_ELSEWHERE = "closed_elsewhere"
    LOST_FILL_CLOSED = "lost_fill_closed"


class Progress(StrEnum):
    """Where a parent stands, given what its children have filled (reference table T6)."""

    DONE = "done"
    REST = "rest"
    DUST = "dust"


def remaining(parent: ParentOrder, filled: float, step_size: float) -> float:
    """Quantity that is still missing, in whole steps (base units, never negative)."""
    return floor_steps(max(0.0, parent.quantity - filled), step_size)


def progress(parent: ParentOrder, filled: float, step_size: float) -> Progress:
    """Whether the parent is complete, has a rest to trade, or one too small to trade."""
    missing = parent.quantity - filled
    if missing <= parent.quantity * 1e-9:
        return Progress.DONE
    return Progress.DUST if is_dust(missing, step_size) else Progress.REST
