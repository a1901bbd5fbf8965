"""Pauses begin where they should, and all of them end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk.samples import DAY_MS, HOUR_MS, book, holding

from hydra_ft.risk.codes import OK, VETO_DAY_LOSS, VETO_DRAWDOWN
from hydra_ft.risk.pauses import Drawdown, Pause, day_pause, drawdown_of
from hydra_ft.risk.policy import LimitRules

NOW = 1_700_000_000_000
AUDITED = LimitRules(day_loss=0.06, day_flatten_loss=0.07, day_gain=0.12)
RULES = LimitRules(drawdown_pause_s=24 * 3600)


@pytest.mark.parametrize(
    ("gained", "hours", "flatten"),
    [
        (-599.0, 0, False),
        (-600.0, 4, False),
        (-699.0, 4, False),
        (-700.0, 8, True),
        (-5000.0, 8, True),
        (1199.0, 0, False),
        (1200.0, 8, False),
    ],
)
def test_x48_the_day_pauses_at_6_flattens_at_7_and_rests_after_12_percent(
    gained: float, hours: int, flatten: bool
) -> None:
    found = day_pause(book(closed_today=gained), NOW, AUDITED)
    assert (found.until, found.flatten) == (NOW + hours * HOUR_MS if hours else 0, flatten)
    assert found.code == (VETO_DAY_LOSS if hours else OK)


def test_open_losses_count_like_closed_ones() -> None:
    standing = book(holding(profit_quote=-300.0), closed_today=-300.0)
    assert day_pause(standing, NOW, AUDITED).code == VETO_DAY_LOSS
    winning = book(holding(profit_quote=300.0), closed_today=-300.0)
    assert day_pause(winning, NOW, AUDITED) == Pause()


def test_the_next_day_begins_without_a_pause() -> None:
    """F-A22: what is closed before midnight does not count after it."""
    assert day_pause(book(closed_today=-900.0), NOW, AUDITED).code == VETO_DAY_LOSS
    assert day_pause(book(closed_today=0.0, equity=9_100.0), NOW, AUDITED) == Pause()


def test_a_gain_pauses_only_where_it_is_asked_for() -> None:
    assert day_pause(book(closed_today=5_000.0), NOW, RULES) == Pause()


def test_a_day_that_is_not_known_pauses() -> None:
    assert day_pause(book(closed_today=float("nan")), NOW, RULES).code == VETO_DAY_LOSS


def test_a_drawdown_pauses_at_its_limit_and_the_pause_ends() -> None:
    curve = [(NOW, 10_000.0), (NOW + HOUR_MS, 8_501.0), (NOW + 2 * HOUR_MS, 8_500.0)]
    assert drawdown_of(curve[:2], NOW + HOUR_MS, RULES) == Drawdown(10_000.0, 0)
    tripped = drawdown_of(curve, NOW + 3 * HOUR_MS, RULES)
    assert tripped == Drawdown(8_500.0, NOW + 26 * HOUR_MS)
    assert tripped.pause(NOW + 26 * HOUR_MS - 1).code == VETO_DRAWDOWN
    assert tripped.pause(NOW + 26 * HOUR_MS) == Pause()


def test_a_second_drawdown_from_the_new_peak_pauses_again() -> None:
    curve = [(NOW, 10_000.0), (NOW + 1, 8_500.0), (NOW + 2 * DAY_MS, 7_225.0)]
    found = drawdown_of(curve, NOW + 2 * DAY_MS, RULES)
    assert found == Drawdown(7_225.0, NOW + 3 * DAY_MS)


def test_a_peak_is_forgotten_after_its_window() -> None:
    """Sizes near the limit may be under the exchange's minimum: that must not last for ever."""
    curve = [(NOW, 10_000.0), (NOW + DAY_MS, 8_600.0)]
    last = NOW + DAY_MS + RULES.drawdown_window_s * 1000
    assert drawdown_of(curve, last - 1, RULES).peak_quote == 10_000
    assert drawdown_of(curve, last, RULES).peak_quote == 8_600


def test_a_peak_before_the_window_does_not_make_a_drawdown() -> None:
    """15.5 % under the peak of 40 days ago, 14.6 % under what stood 30 days ago."""
    curve = [(NOW, 10_000.0), (NOW + DAY_MS, 9_900.0), (NOW + 40 * DAY_MS, 8_450.0)]
    assert drawdown_of(curve, NOW + 40 * DAY_MS, RULES) == Drawdown(9_900.0, 0)


def test_an_equity_stands_until_the_next_one() -> None:
    """Nothing was traded for 60 days: the peak is still that of the day before the loss."""
    curve = [(NOW, 10_000.0), (NOW + 60 * DAY_MS, 8_400.0)]
    found = drawdown_of(curve, NOW + 60 * DAY_MS, RULES)
    assert found.paused_until == NOW + 61 * DAY_MS


def test_what_comes_later_is_not_known_yet() -> None:
    curve = [(NOW, 10_000.0), (NOW + DAY_MS, 1.0)]
    assert drawdown_of(curve, NOW + DAY_MS - 1, RULES) == Drawdown(10_000.0, 0)
    assert drawdown_of([], NOW, RULES) == Drawdown(0.0, 0)


CURVES = st.lists(st.tuples(st.integers(1, 20 * 24), st.floats(0.7, 1.3)), min_size=1, max_size=40)


@given(steps=CURVES)
def test_the_fold_finds_the_peak_of_the_window_as_looking_at_all_of_it_does(
    steps: list[tuple[int, float]],
) -> None:
    rules = LimitRules(max_drawdown=0.9)
    at, equity, curve = NOW, 10_000.0, [(NOW, 10_000.0)]
    for hours, change in steps:
        at, equity = at + hours * HOUR_MS, min(max(equity * change, 5_000.0), 20_000.0)
        curve.append((at, equity))
    since = at - rules.drawdown_window_s * 1000
    ends = [t for t, _ in curve[1:]] + [at + 1]
    alive = [e for (_, e), end in zip(curve, ends, strict=True) if end > since]
    assert drawdown_of(curve, at, rules) == Drawdown(max(alive), 0)


@given(steps=CURVES)
def test_every_pause_ends(steps: list[tuple[int, float]]) -> None:
    at, equity, curve = NOW, 10_000.0, []
    for hours, change in steps:
        at, equity = at + hours * HOUR_MS, equity * change
        curve.append((at, equity))
    found = drawdown_of(curve, at, RULES)
    assert found.paused_until <= at + RULES.drawdown_pause_s * 1000
    assert found.pause(at + RULES.drawdown_pause_s * 1000) == Pause()
