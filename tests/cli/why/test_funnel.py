"""The funnel adds up, whatever was decided."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.cli.why.funnel import signals, stages
from hydra_ft.decisions.reasons import CODES, FILLED, REASONS
from hydra_ft.decisions.wording import PENDING
from hydra_ft.store.decision_row import Tally

SECOND = [code for code, reason in REASONS.items() if reason.stage == "B"]
ROWS = st.lists(
    st.builds(
        Tally,
        code=st.sampled_from(["ok", "ok", *CODES, "of_tomorrow"]),
        outcome=st.sampled_from([FILLED, PENDING, "of_tomorrow", *SECOND]),
        signal=st.sampled_from(["", "a", "b"]),
        bars=st.integers(1, 10_000),
    ),
    max_size=40,
)


@given(ROWS)
def test_every_bar_passes_a_stage_or_is_stopped_by_one_first_step(rows: list[Tally]) -> None:
    first, second = stages(rows)
    assert first.adds_up
    assert second.adds_up
    assert first.entered == sum(row.bars for row in rows)
    assert first.passed == second.entered
    assert second.passed == sum(r.bars for r in rows if r.code == "ok" and r.outcome == FILLED)


@given(ROWS)
def test_what_is_left_after_a_step_is_what_came_less_what_it_stopped(rows: list[Tally]) -> None:
    for stage in stages(rows):
        left = stage.entered
        for step in stage.steps:
            left -= step.bars
            assert (step.left, step.bars > 0) == (left, True)
        assert left == stage.passed


@given(ROWS)
def test_the_candidates_of_all_signals_are_the_bars_that_had_one(rows: list[Tally]) -> None:
    found = signals(rows)
    assert sum(one.candidates for one in found) == sum(row.bars for row in rows if row.signal)
    assert all(one.filled <= one.ok <= one.candidates for one in found)


def test_steps_stand_in_the_order_of_the_pipeline_and_signals_are_one_step() -> None:
    rows = [
        Tally("veto_rr", "", "a", 1),
        Tally("regime_not_allowed:trend_pullback", "", "", 2),
        Tally("regime_not_allowed:adx_expansion", "", "", 3),
        Tally("of_tomorrow", "", "", 4),
        Tally("data_stale:funding", "", "", 5),
        Tally("ok", "", "a", 6),
        Tally("ok", "not_filled", "a", 7),
        Tally("ok", "in_trade", "a", 8),
        Tally("ok", "of_tomorrow", "a", 2),
        Tally("ok", FILLED, "a", 9),
    ]
    first, second = stages(rows)
    assert [(step.code, step.bars, step.left) for step in first.steps] == [
        ("data_stale:funding", 5, 42),
        ("regime_not_allowed", 5, 37),
        ("veto_rr", 1, 36),
        ("of_tomorrow", 4, 32),
    ]
    assert [(step.code, step.bars, step.left) for step in second.steps] == [
        ("in_trade", 8, 24),
        ("not_filled", 7, 17),
        ("of_tomorrow", 2, 15),
        (PENDING, 6, 9),
    ]
    assert (second.passed, all(step.text for step in (*first.steps, *second.steps))) == (9, True)


def test_a_stage_that_loses_a_bar_says_that_it_does_not_add_up() -> None:
    first, _ = stages([Tally("ok", "", "", 3), Tally("warmup", "", "", 2)])
    assert not replace(first, passed=2).adds_up
