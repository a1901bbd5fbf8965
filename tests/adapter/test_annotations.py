"""What FreqUI draws over the candles: regimes as boxes, stops and targets as lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from hydra_ft.adapter.charts.annotations import MOST_BOXES, MOST_ENTRIES, drawn
from hydra_ft.types import Regime

STEP = timedelta(minutes=5)
FIRST = pd.Timestamp("2026-03-03 12:00", tz="UTC")


def analysed(n: int = 40, price: float = 100.0) -> pd.DataFrame:
    """A frame of n flat bars, in an UP regime, without any entry."""
    constant = np.full(n, price)
    nothing, zero = np.full(n, np.nan), np.zeros(n, dtype=np.int64)
    return pd.DataFrame(
        {
            "date": pd.date_range(FIRST, periods=n, freq=STEP),
            **dict.fromkeys(("open", "high", "low", "close"), constant),
            "volume": 1.0,
            "hydra_regime": int(Regime.UP),
            "hydra_regime_confidence": 0.8,
            "hydra_signal": -1,
            **dict.fromkeys(("hydra_entry", "hydra_exit_long", "hydra_exit_short"), zero),
            **dict.fromkeys(("hydra_stop", "hydra_target"), nothing),
            "hydra_max_hold_s": 0,
        }
    )


def enter(frame: pd.DataFrame, row: int, side: int = 1, hold_s: int = 3600) -> None:
    """Decide an entry with a stop at 1 % and a target at 2 %."""
    columns = ["hydra_entry", "hydra_signal", "hydra_stop", "hydra_target", "hydra_max_hold_s"]
    frame.loc[row, columns] = (side, 0, 0.01, 0.02, hold_s)


def of_type(frame: pd.DataFrame, kind: str) -> list[Any]:
    """Annotations of a type, each checked by freqtrade's schema, which forbids other keys."""
    found = drawn(frame)
    for one in found:
        AnnotationTypeTA.validate_python(one, extra="forbid")
    return [one for one in found if one["type"] == kind]


def rows(one: Any) -> tuple[int, int]:
    """Rows at which an annotation starts and ends."""
    return int((one["start"] - FIRST) / STEP), int((one["end"] - FIRST) / STEP)


def test_each_run_of_a_regime_is_one_box_and_boxes_touch() -> None:
    frame = analysed(12)
    frame["hydra_regime"] = [2, 2, 2, 0, 0, 1, 3, 3, 3, 3, 2, 2]
    boxes = of_type(frame, "area")
    assert [box["label"] for box in boxes] == ["UP", "CHOPPY", "RANGING", "DOWN", "UP"]
    assert [rows(box) for box in boxes] == [(0, 3), (3, 5), (5, 6), (6, 10), (10, 11)]
    assert len({box["color"] for box in boxes}) == 4


def test_a_regime_that_is_not_known_has_no_box() -> None:
    frame = analysed(10)
    frame.loc[:3, "hydra_regime"] = int(Regime.CHOPPY)
    frame.loc[:3, "hydra_regime_confidence"] = np.nan
    assert [(box["label"], rows(box)) for box in of_type(frame, "area")] == [("UP", (4, 9))]


def test_too_many_boxes_lose_the_shortest() -> None:
    frame = analysed(3 * 400)
    lengths = [2, 4] * 200
    frame["hydra_regime"] = np.repeat([2, 3] * 200, lengths)
    boxes = of_type(frame, "area")
    assert len(boxes) == MOST_BOXES
    assert sum(box["label"] == "DOWN" for box in boxes) == 200
    assert [box["start"] for box in boxes] == sorted(box["start"] for box in boxes)


@pytest.mark.parametrize(("side", "stop", "target"), [(1, 99.0, 102.0), (-1, 101.0, 98.0)])
def test_stop_and_target_stand_where_they_were_decided(
    side: int, stop: float, target: float
) -> None:
    frame = analysed()
    enter(frame, 5, side)
    lines = of_type(frame, "line")
    assert [line["label"] for line in lines] == ["stop 1.0%", "target 2.0%"]
    assert [line["y_start"] for line in lines] == pytest.approx([stop, target])
    assert [line["y_end"] for line in lines] == pytest.approx([stop, target])
    assert [rows(line) for line in lines] == [(5, 17)] * 2


def test_lines_end_with_the_frame() -> None:
    frame = analysed()
    enter(frame, 5, hold_s=36 * 3600)
    assert [rows(line) for line in of_type(frame, "line")] == [(5, 39)] * 2


@pytest.mark.parametrize(
    ("side", "column", "value"),
    [
        (1, "low", 99.0),
        (1, "high", 102.0),
        (1, "hydra_exit_long", 2),
        (-1, "high", 101.0),
        (-1, "low", 98.0),
        (-1, "hydra_exit_short", 1),
    ],
)
def test_lines_end_where_the_position_would(side: int, column: str, value: float) -> None:
    frame = analysed()
    enter(frame, 5, side)
    frame.loc[9, column] = value
    assert [rows(line) for line in of_type(frame, "line")] == [(5, 9)] * 2


@pytest.mark.parametrize(
    ("side", "column", "value"),
    [
        (1, "low", 99.01),
        (1, "high", 101.99),
        (1, "hydra_exit_short", 1),
        (-1, "hydra_exit_long", 1),
    ],
)
def test_lines_go_on_where_the_position_would(side: int, column: str, value: float) -> None:
    frame = analysed()
    enter(frame, 5, side)
    frame.loc[9, column] = value
    assert [rows(line) for line in of_type(frame, "line")] == [(5, 17)] * 2


def test_the_bar_of_the_entry_itself_ends_nothing() -> None:
    """It is decided at its close: what the bar touched was before."""
    frame = analysed()
    enter(frame, 5)
    frame.loc[5, "low"] = 98.0
    assert [rows(line) for line in of_type(frame, "line")] == [(5, 17)] * 2


def test_bars_in_a_row_with_the_same_entry_draw_the_first() -> None:
    frame = analysed()
    for row in (5, 6, 7):
        enter(frame, row)
    enter(frame, 8, side=-1)
    enter(frame, 20)
    starts = [rows(line)[0] for line in of_type(frame, "line")]
    assert starts == [5, 5, 8, 8, 20, 20]


def test_another_signal_on_the_next_bar_is_another_entry() -> None:
    frame = analysed()
    for row in (5, 6):
        enter(frame, row)
    frame.loc[6, "hydra_signal"] = 1
    assert [rows(line)[0] for line in of_type(frame, "line")] == [5, 5, 6, 6]


@pytest.mark.parametrize(("hold_s", "end"), [(3600, 17), (3601, 18), (3899, 18), (0, 39)])
def test_lines_last_as_many_bars_as_the_hold_begins(hold_s: int, end: int) -> None:
    """A hold of 0 s is none that is known."""
    frame = analysed()
    enter(frame, 5, hold_s=hold_s)
    assert [rows(line) for line in of_type(frame, "line")] == [(5, end)] * 2


@pytest.mark.parametrize("column", ["hydra_stop", "hydra_target"])
def test_an_entry_without_one_of_its_numbers_has_no_lines(column: str) -> None:
    frame = analysed()
    enter(frame, 5)
    frame.loc[5, column] = np.nan
    assert of_type(frame, "line") == []


def test_the_newest_entries_are_drawn_where_there_are_many() -> None:
    frame = analysed(1000)
    for row in range(0, 1000, 4):
        enter(frame, row)
    starts = [rows(line)[0] for line in of_type(frame, "line")]
    assert len(starts) == 2 * MOST_ENTRIES
    assert (starts[0], starts[-1]) == (996 - 4 * (MOST_ENTRIES - 1), 996)


def test_an_entry_on_the_last_bar_has_no_lines_yet() -> None:
    frame = analysed()
    enter(frame, 39)
    assert of_type(frame, "line") == []


@pytest.mark.parametrize("column", ["hydra_signal", "hydra_max_hold_s", "hydra_exit_long"])
def test_what_is_not_in_the_frame_limits_nothing(column: str) -> None:
    frame = analysed()
    enter(frame, 5)
    assert len(of_type(frame.drop(columns=column), "line")) == 2


@pytest.mark.parametrize("column", ["hydra_stop", "hydra_target", "hydra_entry"])
def test_without_stops_and_targets_there_are_boxes_still(column: str) -> None:
    frame = analysed()
    enter(frame, 5)
    found = drawn(frame.drop(columns=column))
    assert [one["type"] for one in found] == ["area"]


def test_a_frame_that_was_never_decided_draws_nothing() -> None:
    assert drawn(analysed()[["date", "open", "high", "low", "close", "volume"]]) == []
    assert drawn(analysed(0)) == []
    assert len(drawn(analysed(1))) == 1


def test_a_thousand_candles_draw_their_stretches_and_the_newest_entries() -> None:
    frame = analysed(1000)
    frame["hydra_regime"] = np.repeat([2, 0, 3, 1], 25).tolist() * 10
    for row in range(0, 1000, 7):
        enter(frame, row, hold_s=24 * 3600)
    assert len(drawn(frame)) == 40 + 2 * MOST_ENTRIES
