"""Each rule of the crash is broken by a planted breach, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from drill.journals import PAIR, Story

from hydra_ft.cli.drill.crash.facts import Crash, Restart, Touch
from hydra_ft.cli.drill.crash.policy import LADDERED, POLICY, TRADES, is_short, stop_of
from hydra_ft.cli.drill.crash.rules import at_stops, budget, judge, lost, promise
from hydra_ft.cli.drill.crash.variants import VARIANTS, fall, rise
from hydra_ft.types.books import BookedLock, BookedTrade
from loopback_exchange import symbols

BEGAN, ENDED = 100_000, 400_000
STANCE = {"stop": 0.01, "target": 0.03, "max_hold_s": 0, "r_quote": 100.0, "rule": "break_even"}
PAUSE = BookedLock("*", "hydra risk veto_day_loss: lost", 200_000, 200_000 + 14_400_000)


def trade(number: int, **changed: Any) -> BookedTrade:
    """A long of 90 at 100, its stop 1 % away, without fees: 90 are lost at the stop."""
    usual: dict[str, Any] = {
        "number": number,
        "pair": PAIR,
        "is_short": False,
        "is_open": True,
        "quantity": 90.0,
        "open_rate": 100.0,
        "stop": 99.0,
        "profit_quote": 0.0,
        "fee_open": 0.0,
        "fee_close": 0.0,
        "exit_reason": "",
        "opened_at": number,
        "stance": STANCE,
    }
    return BookedTrade(**(usual | changed))


def closed(number: int, profit: float) -> BookedTrade:
    return trade(number, is_open=False, quantity=0.0, profit_quote=profit, closed_at=BEGAN + 5000)


def crash(**changed: Any) -> Crash:
    """Twenty longs that left at 97, two below their stops: 5,400 lost, and nothing wrong."""
    numbers = range(1, TRADES + 1)
    story = Story()
    usual: dict[str, Any] = {
        "facts": story.facts(),
        "began": BEGAN,
        "ended": ENDED,
        "balance": 100_000.0,
        "equity": 94_600.0,
        "before": [trade(number) for number in numbers],
        "after": [closed(number, -270.0) for number in numbers],
        "touches": [Touch(number, BEGAN + 1000, 98.5, 97.0) for number in numbers],
        "exits": dict.fromkeys(numbers, 97.0),
        "flat_at": dict.fromkeys(numbers, BEGAN + 5000),
        "prices": {PAIR: 80.0},
        "guarded": {},
        "locks": [PAUSE],
        "steps": {PAIR: 0.1},
    }
    return Crash(**(usual | changed))


def rules(one: Crash) -> list[str]:
    return sorted({found.rule for found in judge(one)})


def test_a_crash_as_it_should_be_breaks_nothing() -> None:
    assert judge(crash()) == []
    assert (lost(crash()), at_stops(crash()), budget(crash())) == (5400.0, 1800.0, 2000.0)


def test_nineteen_trades_are_too_few() -> None:
    few = crash(before=[trade(n) for n in range(1, TRADES)], touches=())
    assert "too_few_trades" in rules(few)


def test_a_book_beyond_its_budget_is_seen_before_the_fall() -> None:
    wide = [trade(number, stop=98.0) for number in range(1, TRADES + 1)]
    assert "budget_before" in rules(crash(before=wide))


def test_a_loss_beyond_budget_and_gaps_breaks_the_promise() -> None:
    # 20 positions of 90, each with a gap of 99 less 97 and 2.4 % of it.
    allowed = 2000 + TRADES * 90 * (99 - 97 * (1 - 0.024))
    kept, broken = (crash(equity=100_000 - allowed + way) for way in (1, -1))
    assert list(promise(kept)) == []
    assert [found.rule for found in promise(broken)] == ["promise"]


def test_a_loss_that_stops_and_jumps_do_not_explain_is_seen() -> None:
    after = [closed(number, -280.0) for number in range(1, TRADES + 1)]
    assert rules(crash(equity=94_400.0, after=after)) == ["loss_unexplained"]


def test_a_stop_that_was_never_done_is_seen() -> None:
    flat = dict.fromkeys(range(2, TRADES + 1), BEGAN + 5000)
    assert rules(crash(flat_at=flat)) == ["stop_not_done"]
    late = dict.fromkeys(range(1, TRADES + 1), BEGAN + 62_000)
    assert rules(crash(flat_at=late)) == ["stop_not_done"]


def test_an_exit_worse_than_the_market_of_its_bar_is_seen() -> None:
    exits = {**crash().exits, 1: 94.0}
    assert rules(crash(exits=exits)) == ["beyond_the_gap"]


@pytest.mark.parametrize("stop", [0.0, 85.0])
def test_an_open_position_without_a_stop_that_guards_is_seen(stop: float) -> None:
    after = [*crash().after[1:], trade(1, stop=stop)]
    assert "unprotected" in rules(crash(after=after))


def test_with_stops_on_the_exchange_an_open_position_needs_one_of_its_size() -> None:
    facts = replace(Story().facts(), stops=True)
    after = [*crash().after[1:], trade(1, stop=75.0)]
    for rests, found in ((90.0, False), (80.0, True), (0.0, True)):
        seen = rules(crash(after=after, facts=facts, guarded={PAIR: rests}))
        assert ("unprotected" in seen) is found


def test_an_entry_beside_an_open_trade_is_averaging_down() -> None:
    facts = Story().parent(f"{PAIR}|long|entry|7", at=BEGAN + 1000).facts()
    assert rules(crash(facts=facts)) == ["averaged_down"]


@pytest.mark.parametrize(
    ("locks", "rule"),
    [([], "no_pause"), ([replace(PAUSE, until=2**50)], "pause_without_end")],
)
def test_a_lost_budget_needs_a_pause_that_ends(locks: list[BookedLock], rule: str) -> None:
    assert rules(crash(locks=locks)) == [rule]


def test_an_entry_in_the_pause_is_seen() -> None:
    assert rules(crash(facts=Story().placed(300_000, 9, "1.0").facts())) == ["entry_in_pause"]
    before = Story().placed(150_000, 9, "1.0").facts()
    assert rules(crash(facts=before)) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"stop": 98.0},
        {"stance": {**STANCE, "target": 0.02}},
        {"stance": {**STANCE, "r_quote": 50.0}},
        {"stance": {**STANCE, "rule": "stop"}},
        {"stance": {}},
        {"taken": 0.0},
    ],
)
def test_what_a_restart_forgets_is_seen(changed: dict[str, Any]) -> None:
    before = trade(1, taken=36.0)
    kept = Restart([before], [replace(before, stop=99.5)])
    assert rules(crash(restart=kept)) == []
    lost_one = Restart([before], [replace(before, **changed)])
    assert rules(crash(restart=lost_one)) == ["restart_forgot"]


def test_money_that_the_books_have_and_the_exchange_has_not_is_seen() -> None:
    after = [*crash().after[1:], closed(1, -200.0)]
    assert rules(crash(after=after)) == ["money_differs"]


# ---- the plan


def test_twenty_trades_fit_into_the_budget_of_the_policy() -> None:
    assert 0.4 < TRADES * POLICY.sizing.risk_per_trade / POLICY.limits.max_open_risk < 1
    assert POLICY.limits.max_open_risk == POLICY.limits.day_loss
    assert LADDERED.exits.partial_1_share + LADDERED.exits.partial_2_share == 0.8
    pairs = [f"{name.removesuffix('USDT')}/USDT:USDT" for name in symbols(TRADES)]
    assert sum(map(is_short, pairs)) == 2
    assert {0.009 < stop_of(pair) < 0.014 for pair in pairs} == {True}


@pytest.mark.parametrize("gap", [False, True])
def test_all_prices_fall_by_a_fifth(*, gap: bool) -> None:
    course = fall(50_000, 60_000, gap=gap, before=rise(1000))
    for symbol in symbols(TRADES):
        knots = course.of(symbol)
        top = max(factor for at, factor in knots if at <= 50_000 and factor >= 1)
        assert knots[-1][1] == pytest.approx(0.8 * top)
        assert knots[-1][0] == (50_000 if gap else 110_000)


def test_every_variant_can_be_asked_for() -> None:
    from hydra_ft.cli.drill.crash import NAMES

    assert tuple(VARIANTS) == NAMES
