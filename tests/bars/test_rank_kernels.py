"""Ranks among the values before: the compiled loop against numpy's percentile."""

from __future__ import annotations

import numpy as np
import pytest

from hydra_ft.features.scalper import rank_before


@pytest.mark.parametrize("kind", ["floats", "few values", "one value", "negative"])
def test_a_rank_is_the_least_share_whose_percentile_reaches_the_value(kind: str) -> None:
    random = np.random.default_rng(3)
    values = {
        "floats": random.random(120),
        "few values": random.integers(1, 5, 120).astype(float),
        "one value": np.full(120, 7.0),
        "negative": -random.random(120),
    }[kind]
    ranks = rank_before(values, 20)
    assert np.isnan(ranks[:20]).all()
    for row in range(20, 120):
        before, rank = values[row - 20 : row], ranks[row]
        if rank > 1:
            assert (before < values[row]).all()
            continue
        assert np.quantile(before, rank) >= values[row] - 1e-8
        if rank > 1e-6:
            assert np.quantile(before, rank - 1e-6) < values[row]


@pytest.mark.parametrize("unknown", [np.nan, np.inf, -np.inf])
def test_a_rank_among_unknown_values_is_unknown(unknown: float) -> None:
    values = np.arange(1.0, 61.0)
    values[25] = unknown
    ranks = rank_before(values, 10)
    assert np.isnan(ranks[25:36]).all()
    assert np.isfinite(ranks[36:]).all()
    assert np.isfinite(ranks[10:25]).all()


def test_there_are_no_ranks_in_less_than_a_window() -> None:
    assert np.isnan(rank_before(np.arange(10.0), 10)).all()
    assert rank_before(np.empty(0), 10).shape == (0,)
