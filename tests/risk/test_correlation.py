"""Returns on common times, and their shrunk correlation against an independent implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.errors import DataError
from hydra_ft.risk.correlation import common_returns, correlations_with, shrunk_correlation

STEP = 3_600_000


def returns(rows: int, count: int, seed: int = 1, together: float = 0.7) -> np.ndarray:
    """Returns with a common part."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(rows, 1)) * together**0.5
    return 0.01 * (common + random.normal(size=(rows, count)) * (1 - together) ** 0.5)


def closes(moves: np.ndarray, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Times and closes of one pair, from the returns between them."""
    times = first + STEP * np.arange(moves.shape[0] + 1)
    return times, 100 * np.exp(np.concatenate(([0.0], np.cumsum(moves))))


@pytest.mark.parametrize(("rows", "count"), [(30, 5), (100, 3), (500, 12)])
def test_the_shrinkage_is_that_of_ledoit_and_wolf(rows: int, count: int) -> None:
    covariance = pytest.importorskip("sklearn.covariance")
    moves = returns(rows, count)
    scaled = (moves - moves.mean(axis=0)) / moves.std(axis=0)
    fitted = covariance.LedoitWolf(assume_centered=True).fit(scaled).covariance_
    assert shrunk_correlation(moves) == pytest.approx(fitted, abs=1e-12)


def test_much_data_is_shrunk_little_and_noise_much() -> None:
    alike = shrunk_correlation(returns(5000, 3))
    assert alike[0, 1] == pytest.approx(0.7, abs=0.03)
    few = returns(20, 10, together=0.0)
    raw = np.corrcoef(few.T)
    assert np.abs(shrunk_correlation(few) - np.eye(10)).max() < 0.7 * np.abs(raw - np.eye(10)).max()


def test_levels_that_trend_are_not_correlated_by_it() -> None:
    """F-C16: two independent walks that both rise have closes correlated near 1."""
    moves = returns(1000, 2, together=0.0) + 0.005
    walks = {name: closes(moves[:, i]) for i, name in enumerate("ab")}
    assert np.corrcoef(walks["a"][1], walks["b"][1])[0, 1] > 0.8
    _, common = common_returns(walks, STEP, 1000)
    assert abs(shrunk_correlation(common)[0, 1]) < 0.1


def test_returns_are_taken_on_common_times() -> None:
    """The same walk, cut, with a gap and shifted by a bar: only true neighbours are compared."""
    moves = returns(200, 1)[:, 0]
    times, prices = closes(moves)
    kept = np.ones(201, dtype=bool)
    kept[50:60] = False
    pairs, common = common_returns(
        {"b": (times[kept], prices[kept]), "a": (times[20:], prices[20:])}, STEP, 500
    )
    assert pairs == ("a", "b")
    assert common[:, 0] == pytest.approx(common[:, 1])
    assert common.shape[0] == 200 - 20 - 11
    assert common[:30, 0] == pytest.approx([*moves[20:50][:29].tolist(), moves[60]])


def test_only_the_last_bars_count() -> None:
    moves = returns(200, 1)[:, 0]
    _, common = common_returns({"a": closes(moves)}, STEP, 50)
    assert common[:, 0] == pytest.approx(moves[-50:])


def test_an_unknown_close_takes_its_two_returns_away() -> None:
    times, prices = closes(returns(100, 1)[:, 0])
    prices[40] = np.nan
    prices[70] = 0.0
    _, common = common_returns({"a": (times, prices)}, STEP, 500)
    assert common.shape[0] == 96


def test_pairs_without_common_times_have_no_returns() -> None:
    moves = returns(10, 1)[:, 0]
    _, common = common_returns({"a": closes(moves), "b": closes(moves, 100 * STEP)}, STEP, 50)
    assert common.shape == (0, 2)
    assert common_returns({}, STEP, 50)[1].shape == (0, 0)


def test_times_that_do_not_rise_are_refused() -> None:
    times, prices = closes(returns(10, 1)[:, 0])
    with pytest.raises(DataError, match="a: expected as many closes as times"):
        common_returns({"a": (times[::-1], prices)}, STEP, 50)
    with pytest.raises(DataError, match="11 closes for 10 times"):
        common_returns({"a": (times[1:], prices)}, STEP, 50)


def test_a_series_that_does_not_move_counts_as_wholly_correlated() -> None:
    moves = returns(100, 3)
    moves[:, 1] = 0.0
    found = shrunk_correlation(moves)
    assert found[1].tolist() == [1, 1, 1]
    assert 0.5 < found[0, 2] < 0.9


def test_too_little_data_counts_as_wholly_correlated() -> None:
    moves = returns(47, 2)
    walks = {name: closes(moves[:, i]) for i, name in enumerate("ab")}
    assert correlations_with("a", walks, STEP, 500, 48) == {"a": 1.0, "b": 1.0}
    assert correlations_with("a", walks, STEP, 500, 47)["b"] < 0.95
    assert correlations_with("c", walks, STEP, 500, 47) == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert shrunk_correlation(moves[:1]).tolist() == [[1, 1], [1, 1]]


def test_a_pair_with_a_short_history_says_nothing_about_the_others() -> None:
    moves = returns(300, 3)
    walks = {name: closes(moves[:, i]) for i, name in enumerate("abc")}
    walks["c"] = closes(moves[:5, 2])
    found = correlations_with("a", walks, STEP, 500, 48)
    assert found["c"] == 1
    assert found["b"] == pytest.approx(shrunk_correlation(moves[:, :2])[0, 1])


@given(
    rows=st.integers(2, 60),
    count=st.integers(1, 6),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-9, 1e-4, 1.0]),
)
def test_any_returns_give_a_symmetric_matrix_within_bounds(
    rows: int, count: int, seed: int, scale: float
) -> None:
    moves = np.random.default_rng(seed).standard_t(2, size=(rows, count)) * scale
    found = shrunk_correlation(moves)
    assert np.isfinite(found).all()
    assert found == pytest.approx(found.T)
    assert (np.abs(found) <= 1).all()
    assert np.linalg.eigvalsh(found).min() >= -1e-9
