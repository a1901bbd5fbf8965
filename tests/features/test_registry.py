"""Declarations are complete, unique, and known by name."""

from __future__ import annotations

import sys
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import pytest
from bars.synthetic import random_frames
from decisions.heads import HEAD

import hydra_ft.features  # noqa: F401  (fills the registry)
from hydra_ft.decisions.pipeline import decide
from hydra_ft.errors import DeclarationError
from hydra_ft.features.documentation import render
from hydra_ft.features.registry import FEATURES, column_key, feature, selected, split_key
from hydra_ft.types import Bars, Feed, FloatArray

if TYPE_CHECKING:
    from types import FrameType

GOOD = {
    "feeds": (Feed.CANDLES,),
    "formula": "close",
    "reference": "none",
    "lookback": 0,
    "units": "quote",
    "panel": "main",
}


def ema_20(bars: Bars) -> FloatArray:
    """Bear the name of a feature that exists."""
    return bars.close


def unheard_of(bars: Bars) -> FloatArray:
    """Bear a new name."""
    return bars.close


def test_a_name_cannot_be_declared_twice() -> None:
    with pytest.raises(DeclarationError, match=r"'ema_20'.*twice"):
        feature(**GOOD)(ema_20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"formula": " "},
        {"reference": ""},
        {"units": ""},
        {"panel": ""},
        {"feeds": ()},
        {"lookback": -1},
        {"low": 2.0, "high": 1.0},
    ],
)
def test_a_bad_declaration_is_refused_and_not_registered(wrong: dict[str, object]) -> None:
    with pytest.raises(DeclarationError, match="unheard_of"):
        feature(**{**GOOD, **wrong})(unheard_of)
    assert "unheard_of" not in FEATURES


def test_a_declaration_error_is_an_import_error() -> None:
    """So that freqtrade skips the one strategy file and lists the others."""
    assert issubclass(DeclarationError, ImportError)


def test_the_registry_and_its_entries_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        FEATURES["x"] = FEATURES["ema_20"]  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        FEATURES["ema_20"].lookback = 1  # type: ignore[misc]


def test_a_column_key_splits_at_its_last_underscore() -> None:
    assert column_key("ema_20", "1h") == "ema_20_1h"
    assert split_key("ema_20_1h") == ("ema_20", "1h")


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(DeclarationError, match="ema_21"):
        selected(["ema_20", "ema_21"])


def test_selection_is_sorted_and_without_doubles() -> None:
    assert [f.name for f in selected(["sma_10", "ema_20", "sma_10"])] == ["ema_20", "sma_10"]


def test_no_lookback_on_an_hour_outlasts_30_days_of_warm_up() -> None:
    assert max(made.lookback for made in FEATURES.values()) <= 250


def test_the_reference_page_is_up_to_date(pytestconfig: pytest.Config) -> None:
    page = pytestconfig.rootpath / "docs" / "features.md"
    assert page.read_text(encoding="utf-8") == render(FEATURES)


def test_what_no_rule_of_a_head_reads_is_not_computed() -> None:
    """A declaration costs a bot nothing: the scalper's features are not HydraFlow's."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_globals.get("__name__", ""))

    frames = random_frames(14)
    sys.setprofile(note)
    try:
        decide(frames, HEAD, HEAD.feeds)
    finally:
        sys.setprofile(None)
    families = {name.rpartition(".")[2] for name in called if name.startswith("hydra_ft.features.")}
    assert {"trend", "averages", "funding"} <= families
    assert not families & {"scalper", "liquidity", "variance_ratio", "basis", "book", "vpin"}
