"""Stage B: the day, the losses, the side and the cooldown, each at its edge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.decisions.admission import (
    DAY_MS,
    Entered,
    admit,
    cooldown_end,
    entries_on,
    loss_pause_end,
)
from hydra_ft.decisions.rules import AdmissionRules
from hydra_ft.signals import trend_pullback
from hydra_ft.types import Side

RULES = AdmissionRules(max_day_trades=4, max_losses=3, loss_pause_s=3600, max_same_side=2)
SIGNAL = replace(trend_pullback, cooldown_s=7200, flip_s=14_400)
NOON = 20_000 * DAY_MS + DAY_MS // 2
HOUR = 3_600_000
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def closed(at: int, profit: float, hold: int = HOUR // 2) -> Entered:
    return Entered(ETH, Side.LONG, "other", at - hold, at, profit)


def judged(trades: list[Entered], at: int = NOON, side: Side = Side.LONG) -> tuple[str, ...]:
    verdict = admit(BTC, side, SIGNAL, at, trades, RULES)
    assert verdict.allowed == (verdict.code == "ok")
    return verdict.codes or (verdict.code,)


def test_nothing_stands_and_nothing_is_refused() -> None:
    assert judged([]) == ("ok",)


@pytest.mark.parametrize(("count", "expected"), [(3, ("ok",)), (4, ("veto_daily",))])
def test_the_fifth_entry_of_a_day_is_one_too_many(count: int, expected: tuple[str, ...]) -> None:
    assert judged([closed(NOON - i * HOUR, 1.0) for i in range(count)]) == expected


def test_four_entries_of_yesterday_count_nothing_today() -> None:
    """X43, F-A22, F-A23: the original was vetoed for ever; its counter counted signals."""
    yesterday = [closed(NOON - i * HOUR, 1.0) for i in range(4)]
    midnight = NOON + DAY_MS // 2
    assert judged(yesterday, midnight - 1) == ("veto_daily",)
    assert judged(yesterday, midnight) == ("ok",)
    assert entries_on([*yesterday, closed(midnight + HOUR, 1.0, 0)], midnight + HOUR) == 1


def test_three_losses_in_a_row_pause_and_the_pause_expires() -> None:
    """F-A22: only a win could reset the original, and without trades there is none."""
    losses = [closed(NOON - i * HOUR, -1.0) for i in range(3)]
    assert judged(losses) == ("veto_losses",)
    assert judged(losses, NOON + HOUR - 1) == ("veto_losses",)
    assert judged(losses, NOON + HOUR) == ("ok",)
    assert judged(losses[:2]) == ("ok",)


def test_a_win_and_a_trade_without_loss_start_a_new_count() -> None:
    for profit in (1.0, 0.0):
        trades = [closed(NOON - i * HOUR, p) for i, p in enumerate((-1.0, -1.0, profit, -1.0))]
        assert judged(trades) != ("veto_losses",)


def test_losses_count_from_the_pause_on_anew() -> None:
    four = [closed(NOON - i * 2 * HOUR, -1.0) for i in range(4)]
    assert loss_pause_end(four, NOON, RULES) == NOON - 2 * HOUR + HOUR
    six = [closed(NOON - i * 2 * HOUR, -1.0) for i in range(6)]
    assert loss_pause_end(six, NOON, RULES) == NOON + HOUR


def test_a_loss_that_is_not_closed_yet_pauses_nothing() -> None:
    later = [closed(NOON + (1 + i) * HOUR, -1.0) for i in range(3)]
    assert loss_pause_end(later, NOON, RULES) == 0


@pytest.mark.parametrize(("side", "expected"), [(Side.LONG, "veto_side"), (Side.SHORT, "ok")])
def test_a_third_position_on_a_side_is_one_too_many(side: Side, expected: str) -> None:
    held = [Entered(pair, Side.LONG, "other", NOON - DAY_MS) for pair in (ETH, "SOL/USDT:USDT")]
    assert judged(held, side=side) == (expected,)
    assert judged(held[:1], side=side) == ("ok",)


@pytest.mark.parametrize(
    ("side", "rest_s"), [(Side.LONG, SIGNAL.cooldown_s), (Side.SHORT, SIGNAL.flip_s)]
)
def test_a_signal_rests_after_its_entry_and_longer_for_the_other_side(
    side: Side, rest_s: int
) -> None:
    last = [Entered(BTC, Side.LONG, SIGNAL.name, NOON, NOON + 1, 5.0)]
    assert judged(last, NOON + rest_s * 1000 - 1, side) == ("cooldown",)
    assert judged(last, NOON + rest_s * 1000, side) == ("ok",)


def test_other_pairs_and_other_signals_rest_by_themselves() -> None:
    elsewhere = Entered(ETH, Side.LONG, SIGNAL.name, NOON, NOON + 1, 5.0)
    another = Entered(BTC, Side.LONG, "another", NOON, NOON + 1, 5.0)
    assert cooldown_end([elsewhere, another], BTC, Side.LONG, SIGNAL) == 0


def test_all_failing_steps_are_named_in_their_order() -> None:
    trades = [
        *(closed(NOON - i, -1.0) for i in range(4)),
        Entered(BTC, Side.LONG, SIGNAL.name, NOON - 5),
        Entered(ETH, Side.LONG, "other", NOON - 6),
    ]
    assert judged(trades) == ("veto_daily", "veto_losses", "veto_side", "cooldown")


TRADE = st.builds(
    lambda at, hold, profit, side: Entered(
        BTC, side, SIGNAL.name, at, None if hold is None else at + hold, profit
    ),
    st.integers(NOON - 2 * DAY_MS, NOON),
    st.none() | st.integers(0, DAY_MS),
    st.floats(-100, 100),
    st.sampled_from(Side),
)


@given(st.lists(TRADE, max_size=12))
def test_every_refusal_ends_by_itself_when_nothing_is_held(trades: list[Entered]) -> None:
    """F-A22: no history locks the head for ever."""
    ended = [t for t in trades if t.closed_at is not None and t.closed_at <= NOON]
    assert judged(ended, NOON + 2 * DAY_MS) == ("ok",)


def test_the_first_millisecond_of_a_day_belongs_to_it() -> None:
    """X43: the day is counted from midnight UTC on, and from there only."""
    midnight = NOON + DAY_MS // 2
    trades = [closed(at, 1.0, 0) for at in (midnight - 1, midnight, midnight + 1)]
    trades = [replace(trade, at=trade.closed_at) for trade in trades]
    assert entries_on(trades, midnight + HOUR) == 2
    assert entries_on(trades, midnight) == 1


def test_a_trade_without_loss_breaks_a_streak_and_is_no_part_of_one() -> None:
    """F-A22: by a cent of profit as by nothing; one loss more is needed than without it."""
    for profit in (0.0, 0.01, 0.99):
        mixed = [closed(NOON - i * HOUR, p) for i, p in enumerate((-1.0, -1.0, profit, -1.0))]
        assert loss_pause_end(mixed, NOON, RULES) == 0
        again = [closed(NOON - i * HOUR, p) for i, p in enumerate((-1.0, -0.01, -1.0, profit))]
        assert loss_pause_end(again, NOON, RULES) == NOON + HOUR
