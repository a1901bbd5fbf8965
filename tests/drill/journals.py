"""Journals and notes of a drill, written by hand for the audit to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hydra_ft.cli.drill.facts import Facts, Loop, Span
from hydra_ft.types import Attempt, ChildState, Kind, ParentOrder, Side
from hydra_ft.types.books import BookedOrder, Books
from loopback_exchange import Event

PAIR, SYMBOL = "ETH/USDT:USDT", "ETHUSDT"
STEP = Decimal("0.1")
ENTRY, EXIT = f"{PAIR}|long|entry|0", f"{PAIR}|long|exit|9000"


@dataclass
class Story:
    """What happens to ETH, told step by step; every order is for ``quantity`` at 100."""

    events: list[Event] = field(default_factory=list)
    parents: list[ParentOrder] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    booked: list[BookedOrder] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    up: list[Span] = field(default_factory=lambda: [Span(0, 10**9)])
    position: Decimal = Decimal(0)
    stops: bool = False

    def placed(
        self,
        at: int,
        order: int,
        quantity: str,
        *,
        buys: bool = True,
        reduces: bool = False,
        algo: bool = False,
        at_market: bool = False,
        client_id: str = "",
    ) -> Story:
        zero = Decimal(0)
        self.events.append(
            Event(
                at=at,
                what="placed",
                symbol=SYMBOL,
                order_id=order,
                client_id=client_id or f"hydra-drill-{order}",
                is_buy=buys,
                reduce_only=reduces,
                price=Decimal(0 if at_market else 100),
                quantity=Decimal(quantity),
                filled=zero,
                position=self.position,
                is_algo=algo,
            )
        )
        return self

    def filled(self, at: int, order: int, quantity: str) -> Story:
        last = self._last(order)
        done = Decimal(quantity)
        self.position += done if last.is_buy else -done
        event = last._replace(
            at=at, what="filled", filled=last.filled + done, position=self.position
        )
        self.events.append(event)
        return self if event.filled < event.quantity else self.ended(at, order)

    def ended(self, at: int, order: int) -> Story:
        last = self._last(order)
        self.events.append(last._replace(at=at, what="ended", position=self.position))
        return self

    def _last(self, order: int) -> Event:
        return next(e for e in reversed(self.events) if e.order_id == order)

    def parent(self, key: str = ENTRY, quantity: float = 1.0, at: int = 0, **more: Any) -> Story:
        kind = Kind.EXIT if "exit" in key else Kind.ENTRY
        values = {"ended_at": 9999, "end_reason": "filled", **more}
        self.parents.append(ParentOrder(key, PAIR, Side.LONG, kind, quantity, 100.0, at, **values))
        return self

    def attempt(
        self, sent: int, known: int, quantity: float = 1.0, order: str = "", **more: Any
    ) -> Story:
        key = more.pop("key", ENTRY)
        values = {"state": ChildState.FILLED, "done_at": known, **more}
        self.attempts.append(
            Attempt(
                parent_key=key,
                pair=PAIR,
                side=Side.LONG,
                kind=Kind.EXIT if "exit" in key else Kind.ENTRY,
                quantity=quantity,
                price=100.0,
                sent_at=sent,
                id=len(self.attempts) + 1,
                order_id=order,
                known_at=known,
                **values,
            )
        )
        return self

    def book(self, order: int, filled: float, *, side: str = "buy", adopted: bool = False) -> Story:
        row = BookedOrder(PAIR, str(order), side, filled, is_open=False, is_adopted=adopted)
        self.booked.append(row)
        return self

    def looped(self, *spans: tuple[int, int]) -> Story:
        self.loops += [Loop(*span) for span in spans]
        return self

    def facts(self) -> Facts:
        return Facts(
            events=self.events,
            parents=self.parents,
            attempts=self.attempts,
            steps={PAIR: STEP},
            books=Books({}, tuple(self.booked)),
            loops=self.loops,
            both_up=self.up,
            stops=self.stops,
        )


def round_trip() -> Story:
    """An entry in two children, and an exit; nothing is wrong with it."""
    story = Story().parent(ENTRY, 1.0, at=1000).parent(EXIT, 1.0, at=9000)
    story.attempt(1000, 1100, order="1").attempt(3000, 3100, 0.6, order="2")
    story.attempt(9000, 9100, order="3", key=EXIT)
    story.placed(1010, 1, "1.0").filled(1500, 1, "0.4").ended(2500, 1)
    story.placed(3010, 2, "0.6").filled(3500, 2, "0.6")
    story.placed(9010, 3, "1.0", buys=False, reduces=True).filled(9500, 3, "1.0")
    return story.book(1, 0.4).book(2, 0.6).book(3, 1.0, side="sell")
