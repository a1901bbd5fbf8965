"""How a parent order is chased: frozen values, validated where they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from typing_extensions import Doc


@dataclass(frozen=True, slots=True)
class ChasePolicy:
    """Caps and rhythm of one chase; all caps bind the parent, not the child."""

    offset_ticks: Annotated[
        int, Ge(-1000), Le(1000), Doc("ticks from the own touch; positive improves it")
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
        bool, Doc("passive children are rejected by the exchange rather than take liquidity")
    ] = False


ENTRY_CHASE = ChasePolicy()
"""Entries are patient: what is not filled in time is left."""

EXIT_CHASE = ChasePolicy(max_chase_bps=100.0, deadline_s=60.0, on_deadline="cross")
"""Exits get done: after a minute they take liquidity."""


@dataclass(frozen=True, slots=True)
class ChasePolicies:
    """The policy of entries and the policy of exits."""

    entry: Annotated[ChasePolicy, Doc("how entries are chased")] = field(default=ENTRY_CHASE)
    exit: Annotated[ChasePolicy, Doc("how exits are chased")] = field(default=EXIT_CHASE)
