"""What an order cost adds up, by hand-worked numbers and for any fills."""

from dataclasses import fields, replace
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.execution.cost import execution_cost, fee_saving_bps
from hydra_ft.types import ExecutionCost, Fill, Kind, ParentOrder, Side

START = 1_700_000_000_000
END = START + 120_000


def parent(**changes: object) -> ParentOrder:
    """Buy 10 at 100 decided; when the first child went out, the mid was 100.1."""
    base = ParentOrder(
        key="k",
        pair="BTC/USDT:USDT",
        side=Side.LONG,
        kind=Kind.ENTRY,
        quantity=10.0,
        arrival_price=100.1,
        decided_at=START,
        children=4,
        decision_price=100.0,
    )
    return replace(base, **changes)


def fill(price: float, quantity: float, *, after_s: int = 30, **changes: object) -> Fill:
    return replace(Fill(price, quantity, START + after_s * 1000), **changes)


def test_a_complete_buy_pays_delay_trading_and_fees() -> None:
    """0.1 * 10 delay, 0.05 * 4 - 0.1 * 6 trading and 0.3 fee, of 1000: 10, -4 and 3 bps."""
    fills = [
        fill(100.15, 4, after_s=12, fee_quote=0.2),
        fill(100.0, 6, after_s=40, fee_quote=0.1, is_maker=True),
    ]
    cost = execution_cost(parent(ended_at=END, end_price=105.0), fills, END)
    assert cost.delay_bps == pytest.approx(10)
    assert cost.trading_bps == pytest.approx(-4)
    assert cost.fee_bps == pytest.approx(3)
    assert cost.opportunity_bps == 0
    assert cost.total_bps == pytest.approx(9)
    assert (cost.fill_ratio, cost.seconds, cost.requotes) == (1.0, 40.0, 3)
    assert cost.maker_share == pytest.approx(0.6)


def test_what_is_left_unfilled_costs_the_way_the_market_went() -> None:
    """4 of 10 at 100.1: 4 bps delay, and 6 * 0.5 of 1000 missed: 30 bps."""
    ended = parent(ended_at=END, end_price=100.5)
    cost = execution_cost(ended, [fill(100.1, 4)], END + 999_000)
    assert cost.delay_bps == pytest.approx(4)
    assert cost.trading_bps == pytest.approx(0)
    assert cost.opportunity_bps == pytest.approx(30)
    assert cost.fill_ratio == pytest.approx(0.4)
    assert cost.seconds == 120.0


def test_an_order_that_never_filled_costs_the_whole_move_or_gains_it() -> None:
    missed = execution_cost(parent(ended_at=END, end_price=100.5), [], END)
    lucky = execution_cost(parent(ended_at=END, end_price=99.5), [], END)
    assert missed.total_bps == missed.opportunity_bps == pytest.approx(50)
    assert lucky.total_bps == pytest.approx(-50)
    assert missed.fill_ratio == 0
    assert isnan(missed.maker_share)


@pytest.mark.parametrize(
    ("side", "kind", "sign"),
    [
        (Side.LONG, Kind.ENTRY, 1),
        (Side.SHORT, Kind.EXIT, 1),
        (Side.SHORT, Kind.ENTRY, -1),
        (Side.LONG, Kind.EXIT, -1),
    ],
)
def test_paying_more_is_a_cost_of_who_buys_and_a_gain_of_who_sells(
    side: Side, kind: Kind, sign: int
) -> None:
    cost = execution_cost(parent(side=side, kind=kind), [fill(100.3, 10)], END)
    assert cost.delay_bps == pytest.approx(10 * sign)
    assert cost.trading_bps == pytest.approx(20 * sign)
    assert cost.total_bps == pytest.approx(30 * sign)


def test_a_fee_is_a_cost_on_either_side_and_a_rebate_a_gain() -> None:
    for side in Side:
        even = parent(side=side, arrival_price=100.0)
        assert execution_cost(even, [fill(100, 10, fee_quote=0.5)], END).total_bps == 5
        assert execution_cost(even, [fill(100, 10, fee_quote=-0.1)], END).total_bps == -1


def test_without_a_decision_price_the_arrival_price_stands_in() -> None:
    cost = execution_cost(parent(decision_price=0.0, arrival_price=200.0), [fill(201, 10)], END)
    assert cost.delay_bps == 0
    assert cost.trading_bps == cost.total_bps == pytest.approx(50)


def test_without_an_arrival_price_there_is_no_delay() -> None:
    cost = execution_cost(parent(arrival_price=0.0), [fill(101, 10)], END)
    assert (cost.delay_bps, cost.trading_bps) == (0, pytest.approx(100))


def test_without_any_price_or_target_no_cost_is_claimed() -> None:
    for odd in (parent(decision_price=0.0, arrival_price=0.0), parent(quantity=0.0)):
        cost = execution_cost(odd, [fill(100, 1)], END)
        assert isnan(cost.total_bps)
        assert isnan(cost.fee_bps)


def test_an_open_order_is_timed_to_now_and_has_missed_nothing_yet() -> None:
    cost = execution_cost(parent(), [fill(100.1, 4)], START + 77_000)
    assert (cost.seconds, cost.opportunity_bps) == (77.0, 0.0)


def test_a_gap_of_rounding_is_neither_missed_nor_timed_to_the_end() -> None:
    thirds = [fill(100.1, 10 / 3 - 1e-12, after_s=9) for _ in range(3)]
    cost = execution_cost(parent(ended_at=END, end_price=500.0), thirds, END)
    assert (cost.fill_ratio, cost.opportunity_bps, cost.seconds) == (1.0, 0.0, 9.0)


def test_more_than_the_target_shows_as_more() -> None:
    assert execution_cost(parent(), [fill(100, 16)], END).fill_ratio == 1.6


def test_the_saving_is_what_the_taker_would_have_paid_on_top() -> None:
    """X80: of 10,000 $ a taker pays 10 $ and a maker 2 $; half and half pays 6 $."""
    assert fee_saving_bps(1.0, 2, 10) == 8
    assert 10 - fee_saving_bps(0.5, 2, 10) == 6
    assert fee_saving_bps(0.0, 2, 10) == 0


prices = st.floats(50, 150)
all_fills = st.lists(
    st.builds(
        Fill,
        price=prices,
        quantity=st.floats(0.001, 3),
        at=st.integers(START, END),
        fee_quote=st.floats(-1, 1),
        is_maker=st.booleans(),
    ),
    max_size=6,
)
parents = st.builds(
    parent,
    side=st.sampled_from(Side),
    kind=st.sampled_from(Kind),
    decision_price=prices,
    arrival_price=prices,
    end_price=prices,
    ended_at=st.just(END),
)


@given(parents, all_fills)
def test_the_parts_sum_to_the_total(order: ParentOrder, fills: list[Fill]) -> None:
    """The total by its definition: paid for what filled, and missed on what did not."""
    cost = execution_cost(order, fills, END)
    parts = cost.delay_bps + cost.trading_bps + cost.fee_bps + cost.opportunity_bps
    assert cost.total_bps == pytest.approx(parts, abs=1e-6)
    sign = order.side.sign * (1 if order.kind is Kind.ENTRY else -1)
    filled = sum(one.quantity for one in fills)
    paid = sum(one.price * one.quantity for one in fills) - order.decision_price * filled
    missed = (order.end_price - order.decision_price) * max(0.0, order.quantity - filled)
    fees = sum(one.fee_quote for one in fills)
    whole = 1e4 * (sign * (paid + missed) + fees) / (order.quantity * order.decision_price)
    assert cost.total_bps == pytest.approx(whole, rel=1e-6, abs=1e-3)


@given(parents, all_fills)
def test_the_mirrored_market_costs_the_other_side_the_same(
    order: ParentOrder, fills: list[Fill]
) -> None:
    """Every price reflected at the decision price, for the opposite direction."""

    def mirrored(price: float) -> float:
        return 2 * order.decision_price - price

    twin = replace(
        order,
        side=order.side.opposite,
        # A mirrored end of exactly 0 would read as unknown.
        end_price=mirrored(order.end_price) or 1e-12,
        arrival_price=mirrored(order.arrival_price) or 1e-12,
    )
    cost = execution_cost(order, fills, END)
    other = execution_cost(twin, [replace(f, price=mirrored(f.price)) for f in fills], END)
    for name in (field.name for field in fields(ExecutionCost)):
        expected = pytest.approx(getattr(cost, name), abs=1e-6, nan_ok=True)
        assert getattr(other, name) == expected, name
