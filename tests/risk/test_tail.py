"""The sign, the scale and the tail of what all positions may lose."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.risk.tail import expected_shortfall, tail_risk, value_at_risk


def test_value_at_risk_has_the_sign_of_a_loss() -> None:
    """F-C11: 1.645 * 2 % of 10,000 is 329, less what the market rises by: 10."""
    assert value_at_risk(0.0, 0.02, 10_000, 0.95) == pytest.approx(328.97, abs=0.01)
    assert value_at_risk(0.001, 0.02, 10_000, 0.95) == pytest.approx(318.97, abs=0.01)
    assert value_at_risk(-0.001, 0.02, 10_000, 0.95) == pytest.approx(338.97, abs=0.01)


def test_the_shortfall_is_the_mean_of_the_tail() -> None:
    """Of -10 ... +9 %, the worst 10 % are -10 and -9; the worst 15 % also -8."""
    returns = np.arange(-0.10, 0.095, 0.01)
    assert expected_shortfall(returns, 0.90) == pytest.approx(0.095)
    assert expected_shortfall(returns, 0.85) == pytest.approx(0.09)
    assert expected_shortfall(returns, 0.925) == pytest.approx((0.10 + 0.5 * 0.09) / 1.5)
    assert expected_shortfall(returns, 0.99) == pytest.approx(0.10)
    assert isnan(expected_shortfall(np.array([]), 0.95))


def moves(rows: int = 4000, together: float = 0.8) -> np.ndarray:
    random = np.random.default_rng(3)
    common = random.normal(size=(rows, 1)) * sqrt(together)
    found = 0.01 * (common + random.normal(size=(rows, 2)) * sqrt(1 - together))
    return found - found.mean(axis=0)


def test_a_hedge_lowers_the_tail_and_a_duplicate_raises_it() -> None:
    """Sigma of 1,000 each at 0.8: 10 * sqrt(2 * 1.8) alike, 10 * sqrt(2 * 0.2) opposed."""
    alike = tail_risk(moves(), np.array([1000.0, 1000.0]), 0.95, 1)
    opposed = tail_risk(moves(), np.array([1000.0, -1000.0]), 0.95, 1)
    assert alike.var_quote == pytest.approx(1.645 * 10 * sqrt(3.6), rel=0.05)
    assert opposed.var_quote == pytest.approx(1.645 * 10 * sqrt(0.4), rel=0.05)
    assert alike.cvar_quote > alike.var_quote
    assert opposed.cvar_quote < alike.cvar_quote / 2


def test_it_grows_with_the_root_of_the_horizon() -> None:
    bar = tail_risk(moves(), np.array([1000.0, 500.0]), 0.95, 1)
    day = tail_risk(moves(), np.array([1000.0, 500.0]), 0.95, 24)
    assert day.var_quote == pytest.approx(bar.var_quote * sqrt(24))
    assert day.cvar_quote == pytest.approx(bar.cvar_quote * sqrt(24))


def test_a_market_that_fell_adds_its_fall_and_one_that_rose_takes_nothing_off() -> None:
    plain = tail_risk(moves(), np.array([1000.0, 0.0]), 0.95, 24)
    fallen = tail_risk(moves() - 0.001, np.array([1000.0, 0.0]), 0.95, 24)
    risen = tail_risk(moves() + 0.001, np.array([1000.0, 0.0]), 0.95, 24)
    assert fallen.var_quote == pytest.approx(plain.var_quote + 24)
    assert risen.var_quote == pytest.approx(plain.var_quote)
    assert risen.cvar_quote == pytest.approx(plain.cvar_quote)


def test_nothing_held_risks_nothing_and_nothing_known_is_not_known() -> None:
    empty = tail_risk(np.empty((0, 2)), np.zeros(2), 0.95, 24)
    assert (empty.var_quote, empty.cvar_quote) == (0, 0)
    for unknown in (np.empty((0, 2)), np.full((50, 2), np.nan)):
        found = tail_risk(unknown, np.array([1.0, 0.0]), 0.95, 24)
        assert isnan(found.var_quote)
        assert isnan(found.cvar_quote)


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(2, 200),
    positions=st.lists(st.floats(-1e5, 1e5), min_size=3, max_size=3),
)
def test_any_book_has_a_tail_that_is_a_loss(seed: int, rows: int, positions: list[float]) -> None:
    returns = np.random.default_rng(seed).standard_t(3, size=(rows, 3)) * 0.01
    found = tail_risk(returns, np.array(positions), 0.95, 288)
    assert found.var_quote >= 0
    assert found.cvar_quote >= 0
