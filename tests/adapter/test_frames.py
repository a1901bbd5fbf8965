"""Freqtrade's frames are read to the millisecond, and columns are put in without loss."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hydra_ft.adapter.frames import times, with_columns


@pytest.fixture
def frame() -> pd.DataFrame:
    dates = pd.date_range("2025-03-30 00:00", periods=4, freq="5min", tz="UTC")
    return pd.DataFrame({"date": dates, "close": [1.0, 2.0, 3.0, 4.0]})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_times_are_utc_milliseconds_in_every_unit_and_zone(
    frame: pd.DataFrame, unit: str, zone: str
) -> None:
    frame["date"] = frame["date"].dt.as_unit(unit).dt.tz_convert(zone)
    found = times(frame)
    assert found.dtype == np.int64
    assert list(found) == [1_743_292_800_000 + row * 300_000 for row in range(4)]


def test_columns_keep_their_types_and_replace_what_was_there(frame: pd.DataFrame) -> None:
    frame["enter_tag"] = ""
    before = frame.copy()
    tags = np.array([None, "a", None, "b"], dtype=object)
    added = {
        "code": np.array([1, 2, 3, 4], dtype=np.int16),
        "enter_tag": tags,
        "score": np.array([0.5, np.nan, 1.0, 2.0]),
        "flag": np.array([0, 1, 0, 1], dtype=np.int16),
        "row": np.arange(4),
    }
    found = with_columns(frame, added)
    assert sorted(found.columns) == sorted([*frame.columns, "code", "score", "flag", "row"])
    assert found["code"].dtype == found["flag"].dtype == np.int16
    assert found["row"].dtype == np.int64
    assert list(found["enter_tag"].fillna("")) == ["", "a", "", "b"]
    for name in ("code", "score", "flag", "row"):
        np.testing.assert_array_equal(found[name].to_numpy(), added[name])
    pd.testing.assert_frame_equal(frame, before)


def test_what_is_put_in_later_changes_neither_the_arrays_nor_the_frame(frame: pd.DataFrame) -> None:
    score = np.zeros(4)
    found = with_columns(frame, {"score": score})
    found.loc[1, "score"] = 7.0
    assert not score.any()
    assert "score" not in frame
