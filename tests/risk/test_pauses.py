"""Pauses begin where they should, and all of them end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk.samples import DAY_MS, HOUR_MS, book, holding

from hydra_ft.risk.codes import OK, VETO_DAY_LOSS, VETO_DRAWDOWN
from hydra_ft.risk.pauses import (
    DRAWDOWN,
    FLATTEN,
    GAIN,
    LOSS,
    Drawdown,
    Pause,
    closed_pause,
    day_pause,
    drawdown_of,
    is_new,
)
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


def test_a_pause_that_an_open_loss_began_counts_the_peak_anew_like_a_closed_one() -> None:
    """At 1520 of 10000 it began, 1450 were lost in the end: the old peak is not come back to."""
    lost = Pause(
        VETO_DRAWDOWN, NOW + 2 * DAY_MS, "", kind=DRAWDOWN, at=NOW + DAY_MS, open_quote=-1_520.0
    )
    curve = [(NOW, 10_000.0), (NOW + DAY_MS + 1, 8_550.0), (NOW + 3 * DAY_MS, 8_550.0)]
    without = drawdown_of(curve, NOW + 3 * DAY_MS, RULES)
    assert without.peak_quote == 10_000
    found = drawdown_of(curve, NOW + 3 * DAY_MS, RULES, [lost])
    assert found == Drawdown(8_550.0, NOW + 2 * DAY_MS)
    of_day = Pause(VETO_DAY_LOSS, NOW + 2 * DAY_MS, kind=LOSS, at=NOW + DAY_MS)
    assert drawdown_of(curve, NOW + 3 * DAY_MS, RULES, [of_day]) == without


def test_an_open_loss_that_stays_pauses_once_and_one_that_grows_by_the_limit_again() -> None:
    lost = Pause(
        VETO_DRAWDOWN, NOW + 2 * DAY_MS, "", kind=DRAWDOWN, at=NOW + DAY_MS, open_quote=-1_520.0
    )
    for days, equity, paused in ((3, 8_480.0, False), (3, 7_300.0, False), (3, 7_200.0, True)):
        at = NOW + days * DAY_MS
        found = drawdown_of([(NOW, 10_000.0), (at, equity)], at, RULES, [lost])
        assert (found.paused_until > at) == paused


MIDNIGHT = NOW - NOW % DAY_MS
LATE = MIDNIGHT + 23 * HOUR_MS
"""An hour before the next day."""


def test_the_pause_of_a_bad_evening_goes_on_beyond_midnight_and_ends() -> None:
    results = [(LATE - HOUR_MS, -300.0), (LATE, -300.0), (LATE + 1, -10.0)]
    found = closed_pause(results, 9_390.0, LATE + 2 * HOUR_MS, AUDITED)
    assert (found.kind, found.at, found.until) == (LOSS, LATE, LATE + 4 * HOUR_MS)
    assert closed_pause(results, 9_390.0, LATE + 4 * HOUR_MS, AUDITED) == Pause()
    assert closed_pause(results[:1], 9_700.0, LATE, AUDITED) == Pause()


def test_a_pause_is_counted_from_the_trade_that_asked_for_it_and_not_from_the_look() -> None:
    """F-A22: however often it is looked at, the end stays."""
    results = [(MIDNIGHT, -600.0), (MIDNIGHT + HOUR_MS, -1.0), (MIDNIGHT + 2 * HOUR_MS, -1.0)]
    looks = range(MIDNIGHT, MIDNIGHT + 4 * HOUR_MS, HOUR_MS)
    ends = {closed_pause(results, 9_398.0, now, AUDITED).until for now in looks}
    assert ends == {MIDNIGHT + 4 * HOUR_MS}


def test_the_graver_pause_has_its_own_beginning() -> None:
    results = [(MIDNIGHT, -600.0), (MIDNIGHT + HOUR_MS, -100.0)]
    found = closed_pause(results, 9_300.0, MIDNIGHT + HOUR_MS, AUDITED)
    assert (found.kind, found.flatten, found.until) == (FLATTEN, True, MIDNIGHT + 9 * HOUR_MS)


def test_a_gain_rests_once_and_not_for_the_whole_day() -> None:
    results = [(MIDNIGHT, 1_200.0)]
    found = closed_pause(results, 11_200.0, MIDNIGHT + HOUR_MS, AUDITED)
    assert (found.kind, found.until) == (GAIN, MIDNIGHT + 8 * HOUR_MS)
    assert closed_pause(results, 11_200.0, MIDNIGHT + 8 * HOUR_MS, AUDITED) == Pause()


def test_every_day_is_counted_from_its_own_first_equity() -> None:
    results = [(MIDNIGHT - HOUR_MS, -500.0), (MIDNIGHT, -560.0)]
    assert closed_pause(results, 8_940.0, MIDNIGHT, AUDITED) == Pause()
    assert closed_pause(results, 8_600.0, MIDNIGHT, AUDITED).until == MIDNIGHT + 4 * HOUR_MS


def test_a_pause_that_is_kept_does_not_begin_again() -> None:
    lost = day_pause(book(closed_today=-600.0), MIDNIGHT, AUDITED)
    later = day_pause(book(closed_today=-650.0), MIDNIGHT + 5 * HOUR_MS, AUDITED)
    assert later.until > lost.until
    assert is_new(lost, [])
    assert not is_new(later, [lost])
    assert is_new(day_pause(book(closed_today=-700.0), MIDNIGHT, AUDITED), [lost])
    assert is_new(day_pause(book(closed_today=-650.0), MIDNIGHT + DAY_MS, AUDITED), [lost])
    assert not is_new(Pause(), [])


def test_a_drawdown_pauses_again_only_when_its_pause_has_ended() -> None:
    first = Pause(VETO_DRAWDOWN, NOW + DAY_MS, kind=DRAWDOWN, at=NOW)
    within = Pause(VETO_DRAWDOWN, NOW + 2 * DAY_MS, kind=DRAWDOWN, at=NOW + DAY_MS - 1)
    after = Pause(VETO_DRAWDOWN, NOW + 2 * DAY_MS, kind=DRAWDOWN, at=NOW + DAY_MS)
    assert not is_new(within, [first])
    assert is_new(after, [first])


RESULTS = st.lists(st.tuples(st.integers(0, 12), st.floats(-900, 900)), max_size=40)


@given(steps=RESULTS, waited=st.integers(0, 48))
def test_no_pause_of_a_day_outlives_its_length_from_the_last_trade(
    steps: list[tuple[int, float]], waited: int
) -> None:
    at, results = NOW, []
    for hours, made in steps:
        at += hours * HOUR_MS
        results.append((at, made))
    now = at + waited * HOUR_MS
    found = closed_pause(results, 10_000.0, now, AUDITED)
    assert found == Pause() or now < found.until <= at + 8 * HOUR_MS
    assert closed_pause(results, 10_000.0, at + 8 * HOUR_MS, AUDITED) == Pause()


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
