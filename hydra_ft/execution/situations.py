"""Named situations of a chase, to be handed to ``decide``: for the page and for its test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hydra_ft.execution.chase import CROSSING_GRACE_MS, decide
from hydra_ft.execution.pricing import buys
from hydra_ft.types import Kind, ParentOrder, Quote, Side, WorkingOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.execution.policy import ChasePolicy
    from hydra_ft.types import ChaseAction

TICK, BID, ASK = 0.01, 100.00, 100.04
"""The market of the examples: a spread of four ticks, 4 bps."""

START = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a decision rests on; prices are those of a buy and are mirrored for a sell."""

    policy: ChasePolicy
    kind: Kind
    elapsed: float = 0.2
    touch_ticks: int = 0
    spread_ticks: int = 4
    own_size: float = 5.0
    far_size: float = 5.0
    next_ticks: int = 0
    volatility_bps: float = 0.0
    age_s: float = 0.0
    since_child_s: float | None = None
    requotes: int = 0
    rejections: int = 0
    urgent: bool = False
    end_reason: str = ""
    extra_ms: int = 0

    @property
    def is_buy(self) -> bool:
        """Entries are those of a long, so exits sell."""
        return buys(Side.LONG, self.kind)

    @property
    def now(self) -> int:
        """UTC ms; ``elapsed`` is a share of the deadline."""
        return START + int(self.elapsed * self.policy.deadline_s * 1e3) + self.extra_ms

    def price(self, ticks_up: int) -> float:
        """Price so many ticks from our own touch towards the far one, before it moved."""
        own = BID + ticks_up * TICK if self.is_buy else ASK - ticks_up * TICK
        return round(own, 2)

    def parent(self) -> ParentOrder:
        """Return the intent: one unit, of which nothing is filled."""
        waited = self.policy.min_requote_interval_s + 0.001
        waited = waited if self.since_child_s is None else self.since_child_s
        return ParentOrder(
            key="example",
            pair="EXAMPLE",
            side=Side.LONG,
            kind=self.kind,
            quantity=1.0,
            arrival_price=(BID + ASK) / 2,
            decided_at=START,
            children=self.requotes + 1,
            last_quoted_at=self.now - int(waited * 1e3),
            urgent=self.urgent,
            rejections=self.rejections,
            ended_at=self.now if self.end_reason else 0,
            end_reason=self.end_reason,
        )

    def quote(self) -> Quote:
        """Return the book, with our child of one unit at the touch that was."""
        own, far = self.price(self.touch_ticks), self.price(self.touch_ticks + self.spread_ticks)
        behind = self.price(self.touch_ticks - self.next_ticks) if self.next_ticks else 0.0
        sizes = (self.own_size, self.far_size)
        bid_size, ask_size = sizes if self.is_buy else sizes[::-1]
        return Quote(
            best_bid=min(own, far),
            best_ask=max(own, far),
            bid_size=bid_size,
            ask_size=ask_size,
            tick_size=TICK,
            at=self.now - int(self.age_s * 1e3),
            volatility_bps=self.volatility_bps,
            next_bid=behind if self.is_buy else 0.0,
            next_ask=0.0 if self.is_buy else behind,
        )

    def answer(self) -> ChaseAction:
        """Ask ``decide``."""
        parent = self.parent()
        working = WorkingOrder("1", self.price(0), 1.0, 0.0, parent.last_quoted_at)
        return decide(parent, working, self.quote(), self.policy, self.now)


def _beyond_cap(scene: Scene) -> Scene:
    """Twice as far as the cap of the policy lets a quote go."""
    return replace(scene, touch_ticks=int(2 * scene.policy.max_chase_bps))


def _wide(scene: Scene) -> Scene:
    """A spread of twice what the policy acts in."""
    return replace(scene, touch_ticks=1, spread_ticks=int(2 * scene.policy.max_spread_bps))


BOTH, ENTRIES, EXITS = (Kind.ENTRY, Kind.EXIT), (Kind.ENTRY,), (Kind.EXIT,)

SITUATIONS: tuple[tuple[str, tuple[Kind, ...], Callable[[Scene], Scene]], ...] = (
    ("at the touch, others beside us", BOTH, lambda s: s),
    (
        "alone at the touch, the next level two ticks behind",
        BOTH,
        lambda s: replace(s, own_size=1.0, next_ticks=2),
    ),
    ("the touch moved a tick away from us", BOTH, lambda s: replace(s, touch_ticks=1)),
    (
        "the same, half a `min_requote_interval_s` after the last child",
        BOTH,
        lambda s: replace(s, touch_ticks=1, since_child_s=s.policy.min_requote_interval_s / 2),
    ),
    (
        "the same, `max_requotes` spent",
        BOTH,
        lambda s: replace(s, touch_ticks=1, requotes=s.policy.max_requotes),
    ),
    (
        "the same, an interval after the third rejection in a row",
        BOTH,
        lambda s: replace(s, touch_ticks=1, rejections=3),
    ),
    ("the same, but the spread is twice `max_spread_bps`", BOTH, _wide),
    (
        "the same, but the quote is older than `max_quote_age_s`",
        BOTH,
        lambda s: replace(s, touch_ticks=1, age_s=s.policy.max_quote_age_s + 1),
    ),
    ("the touch is twice `max_chase_bps` away", BOTH, _beyond_cap),
    ("60 % of the time is over", BOTH, lambda s: replace(s, elapsed=0.6)),
    (
        "60 % of the time is over, nine tenths of the book are on our side",
        BOTH,
        lambda s: replace(s, elapsed=0.6, own_size=10.0, far_size=1.0),
    ),
    (
        "60 % of the time is over, the market moves 12 bps a second",
        BOTH,
        lambda s: replace(s, elapsed=0.6, volatility_bps=12.0),
    ),
    ("80 % of the time is over", BOTH, lambda s: replace(s, elapsed=0.8)),
    ("the deadline", BOTH, lambda s: replace(s, elapsed=1.0)),
    (
        "the deadline, the far touch twice `max_chase_bps` away",
        BOTH,
        lambda s: replace(_beyond_cap(s), elapsed=1.0),
    ),
    (
        f"{CROSSING_GRACE_MS // 1000} s after the deadline",
        BOTH,
        lambda s: replace(s, elapsed=1.0, extra_ms=CROSSING_GRACE_MS),
    ),
    (
        "a stop",
        EXITS,
        lambda s: replace(s, urgent=True),
    ),
    (
        "a stop, the spread twice `max_spread_bps`",
        EXITS,
        lambda s: replace(_wide(s), urgent=True),
    ),
    (
        "a stop, the far touch twice `max_chase_bps` away",
        EXITS,
        lambda s: replace(_beyond_cap(s), urgent=True),
    ),
    (
        "the parent has ended (the signal turned)",
        ENTRIES,
        lambda s: replace(s, end_reason="reversed"),
    ),
)
"""What happened, for which kinds, and the scene of it."""
