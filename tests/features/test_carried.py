"""Columns that are carried on are those that are computed on all bars, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import random_bars

import hydra_ft.features  # noqa: F401  (fills the registry)
from hydra_ft.bars.candles import grouped, part
from hydra_ft.features.carried import Carried
from hydra_ft.features.registry import FEATURES, Feature

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

WANTED = tuple(FEATURES.values())
SIZE = 300


def with_holes(bars: Bars) -> Bars:
    """Bars of which some lack what was recorded, and one has no volume."""
    lost = np.random.default_rng(5).random(len(bars)) < 0.02
    changed = {}
    for name in ("flow", "footprint", "book", "forced"):
        group = getattr(bars, name)
        columns = {
            field: np.where(lost, np.nan, getattr(group, field))
            for field in type(group).__dataclass_fields__
            if getattr(group, field).dtype.kind == "f"
        }
        changed[name] = replace(group, **columns)
    changed["long_liquidated"] = np.where(lost, np.nan, bars.long_liquidated)
    changed["volume"] = np.where(np.arange(len(bars)) == SIZE - 3, 0.0, bars.volume)
    return replace(bars, **changed)


BARS = {"whole": random_bars(360, seed=8), "holes": with_holes(random_bars(360, seed=9))}


def assert_whole(found: dict[str, FloatArray], bars: Bars) -> None:
    fresh = part(bars, None, None)  # Bars that nothing has been remembered of.
    for made in WANTED:
        np.testing.assert_array_equal(found[made.name], made(fresh), err_msg=made.name)


@pytest.mark.parametrize("name", BARS)
def test_a_window_that_moves_on_has_the_columns_of_its_bars(name: str) -> None:
    """By one bar, by several, while it grows and when its front is cut."""
    bars, carried = BARS[name], Carried(("close",))
    for start, stop in ((0, 300), (1, 301), (2, 302), (2, 303), (9, 310), (10, 350), (30, 351)):
        window = part(bars, start, stop)
        found = carried.columns(window, WANTED)
        assert_whole(found, window)
        np.testing.assert_array_equal(found["close"], window.close)


def test_a_window_that_is_not_the_one_before_is_computed_anew() -> None:
    """A corrected candle, a gap, a step back, fewer bars at the front, hardly any bars."""
    bars, carried = BARS["whole"], Carried()
    carried.columns(part(bars, 0, 300), WANTED)
    later = part(bars, 1, 301)
    corrected = replace(later, high=np.where(np.arange(SIZE) == 40, 2 * later.high, later.high))
    told = replace(later, funding_rate=np.where(np.arange(SIZE) == 260, 1e-3, later.funding_rate))
    gap = part(bars, 60, 360)
    for window in (corrected, later, told, gap, later, part(bars, 5, 301), part(bars, 5, 60)):
        assert_whole(carried.columns(window, WANTED), window)


def test_the_same_bars_have_the_very_same_columns() -> None:
    bars, carried = BARS["whole"], Carried()
    found = carried.columns(bars, WANTED)
    assert carried.columns(part(bars, None, None), WANTED) is found
    assert carried.columns(bars, WANTED[:3]) is not found


def test_columns_are_read_only_and_the_bars_that_some_of_them_are_stay_as_they_were() -> None:
    """``order_book`` has features that are columns of the bars."""
    first, carried = random_bars(SIZE, seed=8), Carried(("close",))
    for bars in (first, part(first, 1, None)):
        own = {"close": bars.close, **grouped(bars)}
        assert all(values.flags.writeable for values in own.values())
        found = carried.columns(bars, WANTED)
        assert [name for name, values in found.items() if values.flags.writeable] == []
        assert [name for name, values in own.items() if not values.flags.writeable] == []


def test_only_the_bars_within_the_lookbacks_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    computed = Feature.__call__
    monkeypatch.setattr(
        Feature, "__call__", lambda made, bars: asked.append(len(bars)) or computed(made, bars)
    )
    wanted, carried = (FEATURES["atr_14"], FEATURES["high_4"]), Carried()
    for stop in (300, 301, 303):
        carried.columns(part(BARS["whole"], stop - SIZE, stop), wanted)
    assert asked == [SIZE, SIZE, 113, 113, 114, 114]


def test_no_bars_and_no_features_are_nothing() -> None:
    carried = Carried()
    assert carried.columns(part(BARS["whole"], 0, 0), ()) == {}
    assert carried.columns(part(BARS["whole"], 0, 3), ()) == {}
    assert carried.columns(part(BARS["whole"], 1, 4), ()) == {}
    assert carried.columns(part(BARS["whole"], 2, 2), WANTED[:1])[WANTED[0].name].shape == (0,)
