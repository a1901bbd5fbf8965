"""The page of the features: every picture that it shows is there, and can be drawn again."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.recorded import pictures
from benchmarks.recorded.svg import Panel, chart
from hydra_ft.features.documentation import ARRAY_FUNCTIONS, PICTURES, render
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from pathlib import Path

HOME = os.environ.get("HYDRA_TEST_DATA", "")


def parsed(page: str) -> ET.Element:
    return ET.fromstring(page)  # noqa: S314 - our own file


def test_every_picture_of_the_page_is_there_and_no_other(pytestconfig: pytest.Config) -> None:
    docs = pytestconfig.rootpath / "docs"
    shown = re.findall(r"\]\((pictures/\w+\.svg)\)", render(FEATURES))
    assert sorted(shown) == sorted(f"pictures/{name}.svg" for name in PICTURES)
    assert {f"pictures/{path.name}" for path in (docs / "pictures").iterdir()} == set(shown)
    for name in shown:
        assert parsed((docs / name).read_text(encoding="utf-8")).tag.endswith("svg")


def test_older_trades_that_a_value_needs_are_named_with_its_lookback() -> None:
    """A bar's profile begins half an hour or a day before it, which no number of bars tells."""
    page = render(FEATURES)
    rolling = {"poc_distance_14", "node_distance_14", "value_width_ratio_48"}
    rolling |= {"value_high_distance_14", "value_low_distance_14"}
    for made in FEATURES.values():
        assert bool(made.reach) == (made.family == "value"), made.name
        if made.reach:
            assert ("the half hour before" in made.reach) == (made.name in rolling), made.name
            assert f"| {made.lookback}; {made.reach} |" in page


def test_what_drifts_is_marked_with_its_lookback_and_nothing_else_is() -> None:
    page = render(FEATURES)
    drifting = [made for made in FEATURES.values() if made.drifts]
    assert [made.name for made in drifting] == ["vpin_240"]
    assert page.count("drifts in its last digits |") == len(drifting)
    (row,) = (line for line in page.splitlines() if line.startswith("| `vpin_240` |"))
    assert "| 239; drifts in its last digits |" in row


def test_functions_of_arrays_are_on_the_page_with_what_they_give() -> None:
    page = render(FEATURES)
    for function in ARRAY_FUNCTIONS:
        module = function.__module__.rpartition(".")[2]
        assert f"`{module}.{function.__name__}`" in page


def test_a_chart_breaks_its_lines_where_a_value_is_unknown() -> None:
    line = np.array([1.0, 2.0, np.nan, 1.0, 3.0])
    page = chart("<title>", np.arange(5) * 60_000, [Panel("one", {"a & b": line})])
    root = parsed(page)
    drawn = [e.attrib["d"] for e in root.iter() if e.tag.endswith("path")]
    assert len(drawn) == 1
    assert (drawn[0].count("M"), drawn[0].count("L")) == (2, 2)
    words = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert {"<title>", "a & b", "3", "1", "1970-01-01 00:00 UTC", "1970-01-01 00:04 UTC"} == {
        *words
    }


def test_a_chart_of_nothing_known_is_a_chart() -> None:
    flat = [Panel("flat", {"x": np.full(3, 2.0)}), Panel("none", {"y": np.full(3, np.nan)})]
    assert parsed(chart("t", np.arange(3), flat)) is not None


@pytest.mark.ci
@pytest.mark.skipif(not HOME, reason="HYDRA_TEST_DATA does not name the recorded data")
def test_all_pictures_are_drawn_from_recorded_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["pictures", "--out", str(tmp_path)])
    pictures.main()
    drawn = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(drawn) == set(PICTURES)
    for family in {made.family for made in FEATURES.values()} & set(PICTURES):
        for made in FEATURES.values():
            assert made.family != family or f">{made.name}<" in drawn[family]
    assert all(page.count("<path") > 1 for page in drawn.values())
