"""What was seen of one crash, as plain values: the rules read nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_ft.cli.drill.facts import Facts
    from hydra_ft.types.books import BookedLock, BookedTrade


@dataclass(frozen=True, slots=True)
class Touch:
    """When the market first traded at or through the stop of a trade, and what followed.

    ``trade`` is its number, ``at`` UTC ms, ``first`` the price that did it; ``worst`` is the
    worst price of the bar that began with it, of ``bar_ms`` during which the bot was there.
    """

    trade: int
    at: int
    first: float
    worst: float


@dataclass(frozen=True, slots=True)
class Restart:
    """The trades as a killed bot left them, and as the next one had them after its first loops."""

    before: Sequence[BookedTrade]
    after: Sequence[BookedTrade]


@dataclass(frozen=True, slots=True)
class Crash:
    """One crash; amounts in quote currency, times UTC ms.

    ``facts`` are those of the drill. ``balance`` is that of the exchange when it all began,
    ``equity`` the balance with the open profit at the end. ``before`` are the trades as the fall
    began, ``after`` those at the end. ``exits`` is the average price at which each trade of
    ``before`` left, by number, ``flat_at`` when its position was gone. ``prices`` are the last
    ones by pair. ``quoted`` is the share of the price by which the book stood away from it.
    """

    facts: Facts
    began: int
    ended: int
    balance: float
    equity: float
    before: Sequence[BookedTrade]
    after: Sequence[BookedTrade]
    touches: Sequence[Touch]
    exits: Mapping[int, float]
    flat_at: Mapping[int, int]
    prices: Mapping[str, float]
    guarded: Mapping[str, float]
    locks: Sequence[BookedLock] = ()
    restart: Restart | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
