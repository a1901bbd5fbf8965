"""Where a child is quoted between its peg and the far touch."""

from execution.test_chase import later, parent, passive_price, quote, working

from hydra_ft.execution.chase import decide, next_price
from hydra_ft.execution.policy import ChasePolicy
from hydra_ft.types import Requote, Side


def test_a_tick_is_a_tick_at_any_price() -> None:
    """F-E6: 0.9999 of the ask is one tick at 100 and fifty at 50,000."""
    near = ChasePolicy(offset_ticks=1000)
    assert passive_price(parent(), quote(), near) == 49_999.9


def test_urgency_brings_a_quote_to_the_far_touch_and_no_further() -> None:
    policy = ChasePolicy(peg="mid", urgency_time=1.0, deadline_s=100.0, on_deadline="abandon")
    book = {"bid": 49_999.0, "ask": 50_000.0}
    prices = [
        next_price(parent(), quote(**book, at=later(s)), policy, later(s)) for s in (0, 50, 99)
    ]
    assert prices == [49_999.5, 49_999.7, 49_999.9]
    crossed = next_price(parent(), quote(**book, at=later(100)), policy, later(100))
    assert crossed >= 50_000.0


def test_adverse_imbalance_hurries_and_friendly_imbalance_does_not() -> None:
    policy = ChasePolicy(peg="mid", urgency_imbalance=0.8)
    wide = {"bid": 49_999.0, "ask": 50_000.0}
    adverse = quote(**wide, bid_size=9.0, ask_size=1.0)
    friendly = quote(**wide, bid_size=1.0, ask_size=9.0)
    assert passive_price(parent(), adverse, policy) == 49_999.8
    assert passive_price(parent(), friendly, policy) == 49_999.5
    assert passive_price(parent(side=Side.SHORT), friendly, policy) == 49_999.2


def test_our_own_order_is_no_imbalance() -> None:
    policy = ChasePolicy(peg="mid", urgency_imbalance=5.0)
    ours = working(49_999.8)
    seen = quote(at=later(9), bid_size=5.01, ask_size=5.0)
    assert decide(parent(), ours, seen, policy, later(9)) == Requote(49_999.9)
