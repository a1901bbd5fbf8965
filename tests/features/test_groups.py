"""Columns that are laid only for features that name them: each that reads them does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.made_columns import with_made_columns
from bars.synthetic import random_frames

import hydra_ft.features  # noqa: F401  (fills the registry)
from hydra_ft.errors import DeclarationError
from hydra_ft.features.registry import FEATURES, NAMED_GROUPS, feature
from hydra_ft.types import Bars, Feed, FloatArray


@pytest.mark.parametrize("group", NAMED_GROUPS)
def test_every_feature_that_reads_a_group_names_it(group: str) -> None:
    """Without the group a feature that reads it knows nothing, and no other one differs."""
    whole = with_made_columns(random_frames(9, seed=5)["1h"])
    assert getattr(whole, group) is not None
    torn = replace(whole, **{group: None})
    reads = set()
    for name, made in FEATURES.items():
        values, without = made(whole), made(torn)
        if not np.array_equal(values, without, equal_nan=True):
            assert np.isnan(without).all(), name
            reads.add(name)
    assert reads == {name for name, made in FEATURES.items() if group in made.groups}
    assert reads


def unheard_of(bars: Bars) -> FloatArray:
    """Bear a new name."""
    return bars.close


def test_a_group_that_is_always_laid_is_not_named() -> None:
    with pytest.raises(DeclarationError, match=r"unheard_of.*forced.*reference.*flow"):
        feature(
            feeds=(Feed.TRADES,), formula="x", reference="x", lookback=0, units="x", panel="x",
            groups=("flow",),
        )(unheard_of)  # fmt: skip
