"""The ledger's table: rows that count equal bars, outcomes, thresholds, and its bound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from hydra_ft.store.decisions import DecisionRow, DecisionStore, counted, upsert

if TYPE_CHECKING:
    from hydra_ft.store.database import Database

BAR = 300_000
BLOCKED = DecisionRow("P", 10 * BAR, 10 * BAR, 1, "regime_choppy", ("regime_choppy", "no_signal"))
ENTRY = DecisionRow(
    pair="P",
    at=20 * BAR,
    until=20 * BAR,
    bars=1,
    code="ok",
    codes=(),
    side="long",
    signal="trend_pullback",
    confidence=0.74,
    stop=0.012,
    target=0.024,
    regime="UP",
    regime_confidence=0.8,
    bias="LONG",
    bias_strength=0.4,
    trend=0.55,
    entry_state="PULLBACK_READY",
    light=True,
    numbers={"chop_score": 0.25, "reward_to_risk": 1.875},
)


@pytest.fixture
def store(database: Database) -> DecisionStore:
    return DecisionStore(database, "a")


def span(at: int, bars: int, **changes: object) -> DecisionRow:
    """A row that stands for bars from ``at`` on, both in bars."""
    values = {"at": at * BAR, "until": (at + bars - 1) * BAR, "bars": bars}
    return replace(BLOCKED, **(values | changes))  # type: ignore[arg-type]


def test_a_row_comes_back_as_it_was_written(store: DecisionStore) -> None:
    asked = replace(ENTRY, at=1, outcome="spread", outcomes=("spread", "slippage"), detail="wide")
    store.record([ENTRY, asked, BLOCKED])
    assert store.since(0) == [asked, BLOCKED, ENTRY]


def test_numbers_that_are_not_finite_are_left_out_and_others_keep_six_digits(
    store: DecisionStore,
) -> None:
    numbers = {"a": float("nan"), "b": float("inf"), "c": -1.23456789e-7, "d": 0.0}
    store.record([replace(ENTRY, numbers=numbers)])
    assert store.since(0)[0].numbers == {"c": -1.23457e-7, "d": 0.0}


def test_a_bar_that_is_recorded_again_replaces_its_row(store: DecisionStore) -> None:
    store.record([BLOCKED])
    store.record([replace(BLOCKED, code="warmup", codes=("warmup",))])
    assert [row.code for row in store.since(0)] == ["warmup"]


def test_a_restart_does_not_forget_what_became_of_the_bar(store: DecisionStore) -> None:
    store.record([ENTRY])
    store.note_outcomes([("P", ENTRY.at, "filled", (), "at 100.2")])
    store.record([ENTRY])
    assert store.last("P") == replace(ENTRY, outcome="filled", detail="at 100.2")
    store.record([replace(ENTRY, code="veto_rr")])
    assert store.last("P") == replace(ENTRY, code="veto_rr")


def test_two_bots_of_one_database_do_not_see_each_other(database: Database) -> None:
    one, other = DecisionStore(database, "a"), DecisionStore(database, "b")
    one.record([ENTRY])
    one.note_rules(5, "{}")
    other.note_outcomes([("P", ENTRY.at, "filled", (), "")])
    other.extend([("P", ENTRY.at, ENTRY.at + BAR, 2)])
    other.forget_before(10**15)
    assert one.since(0) == [ENTRY]
    assert (other.since(0), other.pairs(), other.rules_at(9)) == ([], [], "")


def test_an_extended_row_stands_for_more_bars(store: DecisionStore) -> None:
    store.record([span(10, 1), span(10, 1, pair="Q")])
    store.extend([("P", 10 * BAR, 13 * BAR, 4)])
    assert [(row.pair, row.until, row.bars) for row in store.since(0)] == [
        ("P", 13 * BAR, 4),
        ("Q", 10 * BAR, 1),
    ]


@pytest.mark.parametrize(
    ("bar", "expected"), [(9, None), (10, 10), (12, 10), (13, 13), (19, 13), (20, 20), (99, 20)]
)
def test_the_row_that_covers_a_time_is_found_or_the_last_before(
    store: DecisionStore, bar: int, expected: int | None
) -> None:
    store.record([span(10, 3), span(13, 2), ENTRY, span(1, 1, pair="Q")])
    found = store.covering("P", bar * BAR)
    assert (found and found.at // BAR) == expected


def test_the_newest_row_of_a_pair_is_its_last(store: DecisionStore) -> None:
    store.record([ENTRY, BLOCKED])
    assert store.last("P") == ENTRY
    assert store.last("Q") is None


def test_since_has_the_row_that_reaches_into_the_time_and_one_pair_where_asked(
    store: DecisionStore,
) -> None:
    store.record([span(1, 5), span(6, 2), span(8, 1), span(8, 1, pair="Q")])
    assert [row.at // BAR for row in store.since(5 * BAR, "P")] == [1, 6, 8]
    assert [row.at // BAR for row in store.since(6 * BAR, "P")] == [6, 8]
    assert [row.pair for row in store.since(8 * BAR)] == ["P", "Q"]
    assert store.pairs() == ["P", "Q"]


def test_bars_are_counted_from_the_asked_time_on_also_within_a_row(store: DecisionStore) -> None:
    store.record(
        [span(1, 10, pair="Q"), span(1, 10), ENTRY, replace(ENTRY, at=21 * BAR, until=21 * BAR)]
    )
    store.note_outcomes([("P", 20 * BAR, "filled", (), "")])
    assert store.counts() == ({"regime_choppy": 20, "ok": 2}, {"filled": 1, "": 1})
    assert store.counts(8 * BAR, "P") == ({"regime_choppy": 3, "ok": 2}, {"filled": 1, "": 1})
    assert store.counts(21 * BAR) == ({"ok": 1}, {"": 1})


@given(st.integers(1, 50), st.integers(-5, 60))
def test_the_bars_of_a_row_before_and_after_a_time_are_all_of_them(bars: int, cut: int) -> None:
    row = span(1, bars)
    assert row.bars_from(cut * BAR) == len([bar for bar in range(1, bars + 1) if bar >= cut])


def test_rows_are_continued_by_equal_bars_but_never_by_one_that_may_trade() -> None:
    after = replace(BLOCKED, at=11 * BAR, numbers={"chop_score": 0.9}, trend=0.1)
    assert after.continues(BLOCKED)
    for change in (
        {"code": "warmup"},
        {"codes": ()},
        {"regime": "UP"},
        {"bias": "LONG"},
        {"signal": "s"},
        {"side": "long"},
        {"entry_state": "EXTENDED"},
        {"light": True},
        {"pair": "Q"},
    ):
        assert not replace(after, **change).continues(BLOCKED)  # type: ignore[arg-type]
    assert not replace(ENTRY, at=21 * BAR).continues(ENTRY)


def test_what_ended_before_a_time_is_forgotten(store: DecisionStore) -> None:
    store.record([span(1, 3), span(4, 3), ENTRY])
    store.forget_before(5 * BAR)
    assert [row.at // BAR for row in store.since(0)] == [4, 20]


def test_equal_thresholds_are_written_once(store: DecisionStore, database: Database) -> None:
    for at in range(9):
        store.note_rules(at, "{}")
    with database.transaction() as connection:
        assert connection.execute(text("SELECT at FROM hydra_rules")).scalars().all() == [0]


def test_thresholds_are_written_when_they_change_and_found_by_time(store: DecisionStore) -> None:
    assert store.rules_at(5) == ""
    for at, rules in ((10, '{"a": 1}'), (20, '{"a": 1}'), (30, '{"a": 2}'), (40, '{"a": 1}')):
        store.note_rules(at, rules)
    assert [store.rules_at(at) for at in (5, 10, 29, 30, 39, 40)] == [
        '{"a": 1}',
        '{"a": 1}',
        '{"a": 1}',
        '{"a": 2}',
        '{"a": 2}',
        '{"a": 1}',
    ]


def test_the_thresholds_in_force_outlive_the_ones_before_them(store: DecisionStore) -> None:
    for at in (10, 20, 30):
        store.note_rules(at, f'{{"a": {at}}}')
    store.forget_before(25)
    assert (store.rules_at(5), store.rules_at(31)) == ('{"a": 20}', '{"a": 30}')


def test_nothing_to_write_writes_nothing(store: DecisionStore) -> None:
    store.record([])
    store.extend([])
    store.note_outcomes([])
    assert store.tallies() == []
    assert counted([]) == ({}, {})


def test_postgresql_is_told_to_replace_the_row_too() -> None:
    told = str(upsert("postgresql").compile(dialect=postgresql.dialect()))
    assert "ON CONFLICT (bot, pair, at) DO UPDATE SET until = excluded.until" in told
    assert "outcome = CASE WHEN (excluded.outcome = " in told
