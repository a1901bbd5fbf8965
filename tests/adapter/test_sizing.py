"""Glue of sizes: for any entry, the stake times leverage stays within the policy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.adapter.sizes.book import Account
from hydra_ft.adapter.sizes.sizing import Ask, sized, stake_of, wanted_leverage
from hydra_ft.adapter.sizes.terms import Table, Terms, spread_of_returns
from hydra_ft.risk.limits import Book
from hydra_ft.risk.pauses import Drawdown
from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.types import Side

PAIR, HOUR_MS, POLICY = "BTC/USDT:USDT", 3_600_000, RiskPolicy()
TIMES = np.arange(300) * HOUR_MS
CLOSES = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.002, 300)))
NOW = 300 * HOUR_MS


def table() -> dict[str, Table]:
    nothing: Any = SimpleNamespace()
    return {PAIR: Table(nothing, CLOSES, CLOSES, 300_000, TIMES, CLOSES, HOUR_MS, 0.001)}


def terms(side: Side, stop: float) -> Terms:
    return Terms(NOW, side, 100.0, stop, 3 * stop, 0.9, 0.8, 0.2, 1.0, 0.001)


def account(equity: float, losses: int = 0) -> Account:
    return Account(Book((), equity, equity, 0.0), Drawdown(equity), losses, equity)


ENTRIES = st.tuples(
    st.sampled_from(list(Side)),
    st.floats(0.002, 0.2),
    st.floats(1.0, 50.0),
    st.floats(10.0, 1e7),
    st.floats(0.0, 1e4),
    st.floats(0.0, 1e7),
    st.floats(1.0, 1e5),
)


@given(ENTRIES)
def test_leverage_never_raises_the_risk_and_no_stake_is_under_the_minimum(
    entry: tuple[Side, float, float, float, float, float, float],
) -> None:
    side, stop, leverage, equity, least, payable, price = entry
    ask = Ask(PAIR, side, price, leverage, least, payable, NOW)
    made = sized(ask, terms(side, stop), "Head", account(equity), table(), POLICY)
    stake = stake_of(made, ask)
    rules = POLICY.sizing
    risk = stake * leverage * (stop + rules.round_trip_fee)
    assert risk <= equity * rules.risk_per_trade * rules.max_conviction * (1 + 1e-6)
    assert stake == 0 or least <= stake <= payable * (1 + 1e-6)
    assert stake * leverage <= equity * rules.max_notional_share * (1 + 1e-6)


@given(st.floats(0.001, 0.3), st.floats(0.01, 0.99), st.floats(1.0, 125.0))
def test_freqtrades_own_stop_never_comes_before_that_of_the_entry(
    stop: float, hard: float, allowed: float
) -> None:
    leverage = wanted_leverage(POLICY, stop, hard, allowed)
    assert 1 <= leverage <= max(1.0, min(allowed, POLICY.sizing.max_leverage))
    assert leverage == 1 or hard / leverage >= stop * (1 - 1e-6)


def test_losses_in_a_row_make_the_stake_smaller() -> None:
    ask = Ask(PAIR, Side.LONG, 100.0, 3.0, 0.0, 1e6, NOW)
    stakes = [
        stake_of(sized(ask, terms(Side.LONG, 0.02), "", account(1e4, n), table(), POLICY), ask)
        for n in range(4)
    ]
    assert stakes == sorted(stakes, reverse=True)
    assert stakes[0] > stakes[3] > 0


def test_no_decision_no_size() -> None:
    ask = Ask(PAIR, Side.LONG, 100.0, 1.0, 0.0, 1e6, NOW)
    assert sized(ask, None, "", account(1e4), table(), POLICY).code == "size_zero"
    other = terms(Side.SHORT, 0.02)
    assert sized(ask, other, "", account(1e4), table(), POLICY).code == "size_zero"


def test_the_spread_of_returns_is_that_of_the_last_window() -> None:
    spread = spread_of_returns(CLOSES, 48)
    expected = np.std(np.diff(np.log(CLOSES[-49:])))
    assert np.isnan(spread[:4]).all()
    np.testing.assert_allclose(spread[-1], expected, rtol=1e-9)
