"""The promise: a day's closed and open loss exceeds its budget by the jumps over stops at most.

A stop is jumped over once, in one bar. A day that begins with more open risk than its budget,
because the equity has shrunk overnight, has that for its budget.

Days are simulated bar by bar. Every entry is judged and sized as the bot does it, prices run and
leap, stops follow their positions, and a stop that a bar opens beyond fills at that open.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from risk.samples import request

from hydra_ft.risk.codes import OK
from hydra_ft.risk.exits import Stance, stop_price
from hydra_ft.risk.limits import Book, Holding, judge, open_risk_quote, room
from hydra_ft.risk.pauses import day_pause
from hydra_ft.risk.policy import LimitRules, RiskPolicy, SizingRules
from hydra_ft.risk.sizing import size_entry
from hydra_ft.types import Side

PAIRS = ("BTC", "ETH", "SOL", "XRP")
BAR_MS = 300_000
DAY_BARS = 12
POLICY = RiskPolicy(
    SizingRules(risk_per_trade=0.01, max_stake_share=1.0, max_notional_share=10.0),
    LimitRules(day_loss=0.02, max_open_risk=0.02, max_side_share=20, max_correlated_share=20),
)
FEE = POLICY.sizing.round_trip_fee


@dataclass
class Position:
    """An open position, with the quantity it was sized to."""

    stance: Stance
    pair: str
    quantity: float

    def profit(self, price: float) -> float:
        gain = self.stance.side.sign * (price / self.stance.entry_price - 1) - FEE
        return self.quantity * self.stance.entry_price * gain

    def held(self, price: float) -> Holding:
        stop = self.stance.kept_stop
        away = max(0.0, self.stance.side.sign * (price - stop) / price)
        notional = self.quantity * price
        return Holding(self.pair, self.stance.side, notional, away, self.profit(price), notional)


@dataclass
class Account:
    """A bot in small: what is open, what it has won, and by how much stops were jumped over."""

    balance: float = 10_000.0
    day_balance: float = 10_000.0
    closed_today: float = 0.0
    jumped: float = 0.0
    carried: float = 0.0
    open: list[Position] = field(default_factory=list)
    prices: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PAIRS, 100.0))

    def book(self) -> Book:
        holdings = tuple(p.held(self.prices[p.pair]) for p in self.open)
        equity = self.balance + sum(h.profit_quote for h in holdings)
        return Book(holdings, equity, self.day_balance, self.closed_today)

    def close(self, position: Position, price: float) -> None:
        self.balance += position.profit(price)
        self.closed_today += position.profit(price)
        self.open.remove(position)

    def midnight(self) -> None:
        self.day_balance, self.closed_today, self.jumped = self.balance, 0.0, 0.0
        self.carried = open_risk_quote(self.book())

    def move(self, pair: str, leap: float, run: float, now: int) -> None:
        """The bar opens after a leap, and runs; stops are met on the way."""
        opened = self.prices[pair] * (1 + leap)
        closed = opened * (1 + run)
        for position in [p for p in self.open if p.pair == pair]:
            sign, stop = position.stance.side.sign, position.stance.kept_stop
            if sign * (opened - stop) <= 0:
                self.jumped += position.quantity * sign * (stop - opened)
                self.close(position, opened)
            elif sign * (closed - stop) <= 0:
                self.close(position, stop)
        self.prices[pair] = closed
        for position in [p for p in self.open if p.pair == pair]:
            stance = position.stance
            stance = replace(
                stance,
                highest=max(stance.highest, closed),
                lowest=min(stance.lowest, closed),
            )
            kept = stop_price(stance, POLICY.exits, closed, now)
            position.stance = replace(stance, kept_stop=kept)

    def enter(self, pair: str, side: Side, stop: float, now: int) -> bool:
        standing = self.book()
        if day_pause(standing, now, POLICY.limits).code != OK:
            return False
        verdict = judge(
            pair, side, "", standing, POLICY.limits, correlations=dict.fromkeys(PAIRS, 1)
        )
        if verdict.code != OK:
            return False
        free, price = room(side, "", standing, POLICY.limits), self.prices[pair]
        sized = size_entry(
            request(
                side=side,
                price=price,
                stop=stop,
                equity_quote=standing.equity_quote,
                peak_equity_quote=standing.equity_quote,
                risk_room_quote=free.risk_quote,
                notional_room_quote=free.notional_quote,
                leverage=3,
            ),
            POLICY,
        )
        if sized.code != OK:
            return False
        stance = Stance(side, price, stop, 0.5, FEE, now, 0, price, price, sized.stop_price)
        self.open.append(Position(stance, pair, sized.quantity))
        return True


STEPS = st.tuples(
    st.sampled_from(PAIRS),
    st.one_of(st.just(0.0), st.just(0.0), st.floats(-0.08, 0.08)),
    st.floats(-0.03, 0.03),
    st.sampled_from([None, *Side]),
    st.floats(0.003, 0.03),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, min_size=10, max_size=60))
def test_a_day_loses_its_budget_and_the_jumps_at_most(
    steps: list[tuple[str, float, float, Side | None, float]],
) -> None:
    account = Account()
    for bar, (pair, leap, run, side, stop) in enumerate(steps):
        if bar and bar % DAY_BARS == 0:
            account.midnight()
        account.move(pair, leap, run, bar * BAR_MS)
        if side is not None:
            account.enter(pair, side, stop, bar * BAR_MS)
        standing = account.book()
        # What stood open at midnight was sized by the equity of the day before.
        budget = max(POLICY.limits.day_loss * account.day_balance, account.carried)
        most = budget + account.jumped + 1e-6 * budget
        assert -standing.day_return * account.day_balance <= most
        assert -standing.day_at_stops * account.day_balance <= most


def test_the_simulation_enters_loses_and_stops_for_the_day() -> None:
    """So that the promise is not kept by standing still."""
    account, entered = Account(), []
    for bar in range(8):
        entered.append(account.enter("BTC", Side.LONG, 0.01, bar * BAR_MS))
        account.move("BTC", 0.0, -0.02, bar * BAR_MS)
    assert entered[:2] == [True, True]
    assert not any(entered[3:])
    assert account.closed_today <= -0.019 * account.day_balance
    account.midnight()
    assert account.enter("BTC", Side.LONG, 0.01, DAY_BARS * BAR_MS)


def test_a_jump_takes_more_than_the_budget_by_the_jump_alone() -> None:
    account = Account()
    assert account.enter("BTC", Side.LONG, 0.01, 0)
    assert account.enter("ETH", Side.LONG, 0.01, 0)
    account.move("BTC", -0.2, 0.0, BAR_MS)
    account.move("ETH", -0.2, 0.0, BAR_MS)
    lost = -account.closed_today
    assert lost > 0.15 * account.day_balance
    assert lost - account.jumped <= 0.02 * account.day_balance * (1 + 1e-9)
    assert day_pause(account.book(), BAR_MS, POLICY.limits).flatten
