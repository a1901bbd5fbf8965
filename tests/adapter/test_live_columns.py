"""A bot's frame holds its signals before freqtrade asks for them; what is asked for counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from bars.synthetic import random_frames
from decisions.heads import HEAD, LIGHT

from hydra_ft.adapter.decisions.columns import (
    decision_columns,
    enter_tags,
    exit_tags,
    no_tags,
    with_signals,
)
from hydra_ft.adapter.frames import with_columns
from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.types import Bias, Regime

if TYPE_CHECKING:
    from hydra_ft.types import Bars


@pytest.fixture(scope="module")
def bars() -> dict[str, Bars]:
    return random_frames(40, seed=12, volatility=0.0009)


@pytest.fixture(scope="module")
def decisions(bars: dict[str, Bars]) -> Decisions:
    return decide(bars, HEAD, LIGHT)


@pytest.fixture
def candles(decisions: Decisions) -> pd.DataFrame:
    return pd.DataFrame({"date": pd.to_datetime(decisions.time, unit="ms", utc=True)})


def test_a_bots_frame_is_that_of_a_test_and_its_signals(
    candles: pd.DataFrame, decisions: Decisions
) -> None:
    columns = {**decisions.columns, **decision_columns(decisions)}
    live = with_signals(candles, columns, decisions)
    tested = with_columns(candles, columns)
    pd.testing.assert_frame_equal(live[tested.columns], tested)
    signals = live.drop(columns=tested.columns)
    assert sorted(signals) == sorted(
        ["enter_long", "enter_short", "enter_tag", "exit_long", "exit_short", "exit_tag"]
    )
    assert (signals[["enter_tag", "exit_tag"]] == "").all(axis=None)
    for side, sign in (("long", 1), ("short", -1)):
        entered, left = signals[f"enter_{side}"], signals[f"exit_{side}"]
        np.testing.assert_array_equal(entered, decisions.side == sign)
        np.testing.assert_array_equal(left, getattr(decisions, f"exit_{side}"))
        assert entered.any()
        assert left.any()


def test_what_one_bot_writes_into_its_frame_is_in_no_other(
    candles: pd.DataFrame, decisions: Decisions
) -> None:
    first = with_signals(candles, {}, decisions)
    first.loc[:, "enter_tag"] = "mine"
    first.loc[3, "exit_tag"] = "mine"
    first.loc[3, "enter_long"] = 7
    second = with_signals(candles, {}, decisions)
    assert (second[["enter_tag", "exit_tag"]] == "").all(axis=None)
    assert second["enter_long"].max() == 1
    assert (no_tags(len(candles)) == "").all(axis=None)


def test_a_frame_with_an_index_of_its_own_keeps_its_rows(
    candles: pd.DataFrame, decisions: Decisions
) -> None:
    candles.index = candles.index + 5
    live = with_signals(candles, {}, decisions)
    assert list(live.index) == list(candles.index)
    np.testing.assert_array_equal(live["enter_long"], decisions.side == 1)


def test_whole_numbers_that_are_others_replace_those_of_before() -> None:
    frame = pd.DataFrame({"enter_long": np.array([0, 1, 0], dtype=np.int8), "score": 1.0})
    same = with_columns(frame, {"enter_long": np.array([0, 1, 0], dtype=np.int8)})
    assert same is frame
    other = with_columns(frame, {"enter_long": np.array([0, 0, 1], dtype=np.int8)})
    assert list(other["enter_long"]) == [0, 0, 1]
    assert list(frame["enter_long"]) == [0, 1, 0]
    wider = with_columns(frame, {"enter_long": np.array([0, 1, 0], dtype=np.int64)})
    assert wider["enter_long"].dtype == np.int64


def test_tags_name_what_was_decided_on_their_bar(
    candles: pd.DataFrame, decisions: Decisions
) -> None:
    frame = with_columns(candles, decision_columns(decisions))
    tags = list(enter_tags(frame, decisions.side, HEAD, light=True))
    for row, tag in enumerate(tags):
        if not decisions.side[row]:
            assert pd.isna(tag)
            continue
        regime, bias = Regime(int(decisions.regime[row])), Bias(int(decisions.bias[row]))
        name = HEAD.signals[int(decisions.signal[row])].name
        assert tag == f"{name}|{regime.name}|{bias.name}|light"
    assert len({tag for tag in tags if not pd.isna(tag)}) > 1


@pytest.mark.parametrize("long", range(len(EXIT_TAGS)))
@pytest.mark.parametrize("short", range(len(EXIT_TAGS)))
def test_an_exit_names_the_reasons_of_both_sides_once(long: int, short: int) -> None:
    (tag,) = exit_tags(np.array([long]), np.array([short]))
    reasons = {EXIT_TAGS[long], EXIT_TAGS[short]} - {""}
    assert (set() if pd.isna(tag) else set(tag.split("+"))) == reasons


def test_a_name_given_to_the_columns_of_a_frame_is_in_no_other(candles: pd.DataFrame) -> None:
    first = with_columns(candles, {"score": np.zeros(len(candles))})
    first.columns.name = "mine"
    second = with_columns(candles, {"score": np.zeros(len(candles))})
    assert second.columns.name is None
    assert list(second.columns) == list(first.columns)
