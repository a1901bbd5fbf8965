"""How a parent order is chased: one frozen value, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.errors import PolicyError
from hydra_ft.execution.bounds import check_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

Peg = Literal["own", "micro", "mid", "far"]
Preset = Literal["passive", "balanced", "urgent", "adaptive"]


@dataclass(frozen=True, slots=True)
class ChasePolicy:
    """Price, rhythm and caps of one chase; all caps bind the parent, not the child.

    The quote starts at the peg and moves towards the far touch as urgency rises from 0 to
    1; at 1 it takes the far touch. Urgency is the weighted sum of elapsed time (share of
    the deadline), adverse imbalance of the touch (0..1) and how far the market moves
    between two requotes as against the spread (0..1).

    Raises
    ------
    PolicyError
        When a value is out of its bounds, or two values contradict each other.
    """

    preset: Annotated[
        Preset, Doc("named values that all other keys of this section start from")
    ] = "balanced"
    peg: Annotated[Peg, Doc("what the quote follows: own touch, microprice, mid or far touch")] = (
        "own"
    )
    offset_ticks: Annotated[
        int, Ge(-1000), Le(1000), Doc("ticks from the peg; positive is towards the far touch")
    ] = 0
    requote_threshold_ticks: Annotated[
        int, Ge(1), Le(10_000), Doc("least distance from the wanted price worth a requote")
    ] = 1
    min_requote_interval_s: Annotated[
        float, Ge(1), Le(3600), Doc("least time between two children of one parent")
    ] = 5.0
    max_requotes: Annotated[
        int, Ge(0), Le(1000), Doc("after this many requotes the last child rests to the deadline")
    ] = 20
    max_chase_bps: Annotated[
        float, Gt(0), Le(1000), Doc("furthest quote from the arrival price, against us")
    ] = 25.0
    max_slippage_bps: Annotated[
        float,
        Ge(0),
        Le(1000),
        Doc("how far beyond the far touch an order that crosses may trade"),
    ] = 5.0
    max_spread_bps: Annotated[
        float, Gt(0), Le(1000), Doc("wider than this, nothing is requoted or crossed")
    ] = 50.0
    max_quote_age_s: Annotated[
        float, Gt(0), Le(300), Doc("an older quote is no ground for a decision")
    ] = 10.0
    deadline_s: Annotated[
        float, Ge(1), Le(86_400), Doc("time from the decision to the end of the chase")
    ] = 120.0
    on_deadline: Annotated[
        Literal["abandon", "cross"],
        Doc("at the deadline give up the rest, or take it within max_chase_bps"),
    ] = "abandon"
    post_only: Annotated[
        bool, Doc("until the deadline, be rejected by the exchange rather than take liquidity")
    ] = False
    urgency_time: Annotated[
        float, Ge(0), Le(5), Doc("urgency that elapsed time adds until the deadline")
    ] = 0.0
    urgency_imbalance: Annotated[
        float, Ge(0), Le(5), Doc("urgency that a wholly adverse book imbalance adds")
    ] = 0.0
    urgency_volatility: Annotated[
        float, Ge(0), Le(5), Doc("urgency that a market much faster than its spread adds")
    ] = 0.0
    max_rejections: Annotated[
        int, Ge(1), Le(100), Doc("rejections in a row after which an entry is given up")
    ] = 5

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.post_only and self.peg == "far":
            raise PolicyError("expected a peg that rests, since post_only is set; peg was 'far'")


ENTRY_CHASE = ChasePolicy()
"""Entries are patient: what is not filled in time is left."""

EXIT_CHASE = ChasePolicy(
    max_chase_bps=100.0, max_slippage_bps=20.0, deadline_s=60.0, on_deadline="cross"
)
"""Exits get done: after a minute they take liquidity."""


@dataclass(frozen=True, slots=True)
class ChasePolicies:
    """The policy of entries and the policy of exits, and whether there is a chase at all."""

    enabled: Annotated[
        bool, Doc("false: orders and prices are plain freqtrade's, nothing is chased")
    ] = True
    entry: Annotated[ChasePolicy, Doc("how entries are chased")] = field(default=ENTRY_CHASE)
    exit: Annotated[ChasePolicy, Doc("how exits are chased")] = field(default=EXIT_CHASE)


def _named(name: Preset, entry: ChasePolicy, leave: ChasePolicy) -> ChasePolicies:
    return ChasePolicies(entry=replace(entry, preset=name), exit=replace(leave, preset=name))


PRESETS: Mapping[str, ChasePolicies] = MappingProxyType(
    {
        # Earns the spread or stays out: for entries that may be missed.
        "passive": _named(
            "passive",
            replace(ENTRY_CHASE, post_only=True, min_requote_interval_s=10.0, max_chase_bps=15.0),
            replace(EXIT_CHASE, post_only=True, min_requote_interval_s=5.0, deadline_s=120.0),
        ),
        # Follows the own touch; entries are left at the deadline, exits are taken.
        "balanced": _named("balanced", ENTRY_CHASE, EXIT_CHASE),
        # Starts in the middle and crosses at two thirds of a short deadline.
        "urgent": _named(
            "urgent",
            replace(
                ENTRY_CHASE,
                peg="mid",
                min_requote_interval_s=2.0,
                deadline_s=30.0,
                on_deadline="cross",
                urgency_time=1.5,
            ),
            replace(
                EXIT_CHASE,
                peg="mid",
                min_requote_interval_s=2.0,
                deadline_s=20.0,
                urgency_time=1.5,
            ),
        ),
        # Patient while the spread is wide and the book leans our way, quick when the market
        # moves by more than the spread between two looks.
        "adaptive": _named(
            "adaptive",
            replace(
                ENTRY_CHASE,
                peg="micro",
                min_requote_interval_s=3.0,
                deadline_s=90.0,
                urgency_time=0.4,
                urgency_imbalance=0.4,
                urgency_volatility=0.4,
            ),
            replace(
                EXIT_CHASE,
                peg="micro",
                min_requote_interval_s=3.0,
                urgency_time=0.6,
                urgency_imbalance=0.4,
                urgency_volatility=0.4,
            ),
        ),
    }
)
"""Named policies; a head or a configuration starts from one and changes what it will."""
