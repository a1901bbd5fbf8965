"""The pure parts of the chase together, against a model of an exchange that misbehaves.

The machine plays the part of the adapter in its smallest form: ask ``decide``, cancel, wait
for what is unknown, send the rest. What must hold holds after every step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hydra_ft.execution.attempts import SeenOrder, match
from hydra_ft.execution.chase import decide, is_over, must_cross, next_child_at, next_price
from hydra_ft.execution.lifecycle import (
    ENDS,
    Progress,
    is_legal,
    progress,
    remaining,
    seen_as,
)
from hydra_ft.execution.policy import PRESETS, ChasePolicy
from hydra_ft.execution.pricing import buys
from hydra_ft.types import (
    Abandon,
    Attempt,
    ChildState,
    Keep,
    Kind,
    ParentOrder,
    Quote,
    Side,
    WorkingOrder,
)

PAIR, PREFIX, TICK, STEP = "BTC/USDT:USDT", "hydra-test-", 0.1, 0.001
TARGET = 0.083
START = 1_700_000_000_000
ABSENT_FOR_MS = 10_000
LATEST_MS = 8_000
"""A request that was lost arrives within this time, or never."""


@dataclass
class Resting:
    """An order on the model exchange."""

    id: str
    price: float
    quantity: float
    at: int
    filled: float = 0.0
    is_open: bool = True


class Chase(RuleBasedStateMachine):
    """One parent on one exchange, loop by loop."""

    @initialize(
        preset=st.sampled_from(sorted(PRESETS)),
        side=st.sampled_from(list(Side)),
        kind=st.sampled_from(list(Kind)),
    )
    def begin(self, preset: str, side: Side, kind: Kind) -> None:
        chosen = PRESETS[preset]
        self.policy: ChasePolicy = chosen.entry if kind is Kind.ENTRY else chosen.exit
        self.now = START
        self.bid, self.spread, self.sizes = 500_000, 1, (5.0, 5.0)
        self.parent = ParentOrder("k", PAIR, side, kind, TARGET, 50_000.05, START)
        self.orders: dict[str, Resting] = {}
        self.arriving: list[tuple[int, Resting]] = []
        self.attempts: list[Attempt] = []
        self.absent_since: dict[int, int] = {}
        self.count = 0

    # ---- the world

    @rule(by=st.integers(-30, 30), spread=st.integers(1, 12), share=st.floats(0.05, 0.95))
    def the_market_moves(self, by: int, spread: int, share: float) -> None:
        self.bid, self.spread = self.bid + by, spread
        self.sizes = (10 * share, 10 * (1 - share))

    @rule(share=st.floats(0.01, 1.0))
    def somebody_trades_with_us(self, share: float) -> None:
        for order in self.orders.values():
            if order.is_open:
                self._fill(order, share)

    def _fill(self, order: Resting, share: float) -> None:
        steps = max(1, round((order.quantity - order.filled) * share / STEP))
        order.filled = round(min(order.quantity, order.filled + steps * STEP), 9)
        order.is_open = order.filled < order.quantity - 1e-12

    # ---- the bot's loop

    @rule(
        seconds=st.sampled_from([0.3, 1.0, 3.0, 11.0]),
        answer=st.sampled_from(["placed", "placed", "rejected", "lost", "late", "never"]),
        cancel=st.sampled_from(["done", "done", "filled first", "refused"]),
        late_ms=st.integers(0, LATEST_MS),
    )
    def the_bot_looks(self, seconds: float, answer: str, cancel: str, late_ms: int) -> None:
        self.now += int(seconds * 1e3)
        self._arrive()
        self._settle()
        self._book()
        self._end()
        self._pursue(cancel)
        self._book()
        self._send(answer, late_ms)

    def _arrive(self) -> None:
        for at, order in list(self.arriving):
            if at <= self.now:
                self.arriving.remove((at, order))
                self.orders[order.id] = order

    def _settle(self) -> None:
        for attempt in self.attempts:
            if attempt.is_unknown:
                found = match(attempt, self._seen(), self._known(), PREFIX, STEP)
                assert len(found) <= 1
                if found:
                    order = self.orders[found[0].order_id]
                    order.is_open = False
                    state = ChildState.LOST_FILLED if order.filled else ChildState.LOST_CANCELLED
                    self._move(attempt, state, order_id=order.id, filled=order.filled)
                elif self.now - self.absent_since.setdefault(attempt.id, self.now) >= ABSENT_FOR_MS:
                    self._move(attempt, ChildState.NOT_SENT)

    def _seen(self) -> list[SeenOrder]:
        buying = buys(self.parent.side, self.parent.kind)
        return [
            SeenOrder(
                o.id, PREFIX + o.id, PAIR, buying, o.price, o.quantity, o.filled, o.is_open, o.at
            )
            for o in self.orders.values()
        ]

    def _known(self) -> set[str]:
        return {attempt.order_id for attempt in self.attempts if attempt.order_id}

    def _book(self) -> None:
        for attempt in self.attempts:
            if attempt.state in {ChildState.WORKING, ChildState.PART_FILLED}:
                order = self.orders[attempt.order_id]
                state = seen_as(order.quantity, order.filled, is_open=order.is_open)
                self._move(attempt, state, filled=order.filled)

    def _move(self, attempt: Attempt, state: ChildState, **changes: object) -> None:
        assert is_legal(attempt.state, state), (attempt.state, state)
        done = self.now if state in ENDS or state is ChildState.NOT_SENT else 0
        known = attempt.known_at or (0 if state is ChildState.UNKNOWN else self.now)
        moved = replace(attempt, state=state, known_at=known, done_at=done, **changes)
        self.attempts[attempt.id] = moved

    def _end(self) -> None:
        if not self.parent.is_open or self._working() or self._unknown():
            return
        reached = progress(self.parent, self._filled(), STEP)
        over = self.parent.kind is Kind.ENTRY and is_over(self.parent, self.policy, self.now)
        if reached is not Progress.REST or over:
            self.parent = replace(self.parent, ended_at=self.now, end_reason="over")

    def _pursue(self, cancel: str) -> None:
        attempt = self._working()
        if attempt is None:
            return
        order = self.orders[attempt.order_id]
        working = WorkingOrder(order.id, order.price, order.quantity, order.filled, order.at)
        action = decide(self.parent, working, self._quote(), self.policy, self.now)
        if isinstance(action, Abandon) and self.parent.is_open:
            self.parent = replace(self.parent, ended_at=self.now, end_reason=action.reason)
        if isinstance(action, Keep) or cancel == "refused":
            return
        if cancel == "filled first":
            self._fill(order, 0.5)
        order.is_open = False

    def _send(self, answer: str, late_ms: int) -> None:
        rest = remaining(self.parent, self._filled(), STEP)
        waits = (
            self._working() or self._unknown() or self.now < next_child_at(self.parent, self.policy)
        )
        if not self.parent.is_open or waits or not rest:
            return
        price = next_price(self.parent, self._quote(), self.policy, self.now)
        self._check_price(price)
        self.parent = replace(self.parent, last_quoted_at=self.now)
        attempt = Attempt(
            "k", PAIR, self.parent.side, self.parent.kind, rest, price, self.now, len(self.attempts)
        )
        self.attempts.append(attempt)
        self._answer(attempt, answer, late_ms)

    def _answer(self, attempt: Attempt, answer: str, late_ms: int) -> None:
        self.count += 1
        order = Resting(str(self.count), attempt.price, attempt.quantity, self.now)
        if answer == "rejected":
            self._move(attempt, ChildState.REJECTED)
            self.parent = replace(self.parent, rejections=self.parent.rejections + 1)
            return
        if answer == "placed":
            self.orders[order.id] = order
            self._move(attempt, ChildState.WORKING, order_id=order.id)
            self.parent = replace(self.parent, children=self.parent.children + 1, rejections=0)
            return
        if answer == "lost":
            self.orders[order.id] = order
        elif answer == "late":
            self.arriving.append((self.now + late_ms, order))
        self._move(attempt, ChildState.UNKNOWN)

    def _check_price(self, price: float) -> None:
        assert abs(price / TICK - round(price / TICK)) < 1e-6
        if self.parent.kind is Kind.EXIT:
            return
        room = self.parent.arrival_price * self.policy.max_chase_bps / 1e4 + 1e-6
        against = (price - self.parent.arrival_price) * self.parent.side.sign
        assert against <= room
        if self.policy.post_only and not must_cross(self.parent, self.policy, self.now):
            quote = self._quote()
            far = quote.best_ask if self.parent.side is Side.LONG else quote.best_bid
            assert price != far

    def _quote(self) -> Quote:
        bid, ask = self.bid * TICK, (self.bid + self.spread) * TICK
        return Quote(bid, ask, *self.sizes, TICK, self.now, volatility_bps=1.0)

    def _filled(self) -> float:
        return round(sum(attempt.filled for attempt in self.attempts), 9)

    def _working(self) -> Attempt | None:
        states = {ChildState.WORKING, ChildState.PART_FILLED}
        return next((attempt for attempt in self.attempts if attempt.state in states), None)

    def _unknown(self) -> bool:
        return any(attempt.is_unknown for attempt in self.attempts)

    # ---- what must hold

    @invariant()
    def the_exchange_never_holds_or_offers_more_than_the_target(self) -> None:
        held = sum(order.filled for order in self.orders.values())
        offered = sum(o.quantity - o.filled for o in self.orders.values() if o.is_open)
        coming = sum(order.quantity for _, order in self.arriving)
        assert held + offered + coming <= TARGET + STEP + 1e-9

    @invariant()
    def one_child_at_a_time_and_none_beside_an_unknown_one(self) -> None:
        states = {ChildState.WORKING, ChildState.PART_FILLED}
        working = [attempt for attempt in self.attempts if attempt.state in states]
        assert len(working) + sum(attempt.is_unknown for attempt in self.attempts) <= 1

    @invariant()
    def an_ended_parent_has_a_reason(self) -> None:
        assert self.parent.is_open or self.parent.end_reason

    def teardown(self) -> None:
        """Left alone with an exchange that works, every parent ends and nothing rests."""
        if not hasattr(self, "parent"):
            return
        for _ in range(400):
            if not self.parent.is_open and not self._working() and not self._unknown():
                break
            self.the_bot_looks(1.0, "placed", "done", 0)
            if self.parent.kind is Kind.EXIT:
                self.somebody_trades_with_us(1.0)
        assert not self.parent.is_open
        assert not any(order.is_open for order in self.orders.values())
        held = sum(order.filled for order in self.orders.values())
        assert abs(self._filled() - held) < 1e-9


TestChase = Chase.TestCase
TestChase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
