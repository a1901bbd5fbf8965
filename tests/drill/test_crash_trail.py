"""When a stop was touched, how long its bar is, and at what price a position left."""

from __future__ import annotations

from types import SimpleNamespace

from drill.journals import Story
from drill.test_crash_rules import trade

from hydra_ft.cli.drill.crash.trail import exits_of, flat_at, touches_of
from hydra_ft.cli.drill.facts import Span
from loopback_exchange import Course, LedMarket

SINCE = 29_000_000 * 60_000
UP = [Span(SINCE, SINCE + 3_600_000)]


def world() -> SimpleNamespace:
    """A market of ETH that falls by a fifth within a minute."""
    market = LedMarket(7, ["ETHUSDT"])
    market.lead(Course(((SINCE, 1.0), (SINCE + 60_000, 0.8))))
    return SimpleNamespace(market=market)


def test_a_stop_that_rests_has_a_bar_of_one_trade_and_another_one_a_minute() -> None:
    one = world()
    spec = one.market.spec("ETHUSDT")
    stop = float(spec.price(one.market.last_trade("ETHUSDT", SINCE).price)) * 0.95
    held = trade(1, stop=stop)
    (watched,) = touches_of(one, [held], SINCE, SINCE + 600_000, UP, [])
    assert watched.first <= stop
    assert watched.worst < 0.9 * stop
    story = Story().placed(SINCE - 5, 1_000_001, "1.0", buys=False, reduces=True, algo=True)
    price = spec.price(round(stop / float(spec.tick)))
    near = [event._replace(price=price) for event in story.events]
    (resting,) = touches_of(one, [held], SINCE, SINCE + 600_000, UP, near)
    assert resting.worst == resting.first == watched.first
    gone = [*near, near[0]._replace(what="ended", at=watched.at - 1)]
    assert touches_of(one, [held], SINCE, SINCE + 600_000, UP, gone) == [watched]


def test_a_stop_that_the_market_never_met_was_not_touched() -> None:
    assert touches_of(world(), [trade(1, stop=1.0)], SINCE, SINCE + 600_000, UP, []) == []


def test_a_position_left_at_the_average_of_what_took_from_it() -> None:
    story = Story().placed(10, 1, "2.0").filled(11, 1, "2.0")
    for number, (at, price) in enumerate(((50, "98"), (60, "94")), start=2):
        story.placed(at, number, "1.0", buys=False, reduces=True).filled(at, number, "1.0")
        story.events[-2] = story.events[-2]._replace(fill_price=type(story.position)(price))
    held = trade(1)
    assert exits_of([held], story.events, 40) == {1: 96.0}
    assert flat_at([held], story.events, 40) == {1: 60}
    assert exits_of([held], story.events, 70) == {}
