"""Whatever is asked: no size above a cap, none below nothing, none that risks too much."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from risk.samples import policy, request

from hydra_ft.risk.codes import OK
from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.sizing import size_entry
from hydra_ft.types import Side

if TYPE_CHECKING:
    from hydra_ft.risk.policy import RiskPolicy

ODD = st.one_of(
    st.sampled_from([nan, inf, -inf, 0.0, -1.0, 1e-300, 1e300, 5e-324]),
    st.floats(),
)


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers as they come, rarely anything at all."""
    return st.one_of(*([st.floats(low, high)] * 9), ODD)


REQUESTS = st.builds(
    SizeRequest,
    side=st.sampled_from(Side),
    price=numbers(1e-6, 1e6),
    stop=numbers(0.001, 0.5),
    target=numbers(0.001, 0.5),
    confidence=numbers(0, 1),
    regime_confidence=numbers(0, 1),
    bias_strength=numbers(0, 1),
    vol_expansion=numbers(0.1, 5),
    volatility=numbers(1e-5, 0.1),
    bars_a_year=st.sampled_from([365.0, 8760.0, 105_120.0, 525_600.0]),
    equity_quote=numbers(1, 1e7),
    peak_equity_quote=numbers(1, 1e7),
    losses=st.integers(0, 12),
    correlated_share=numbers(0, 2),
    quantity_step=st.one_of(st.sampled_from([1e-8, 0.001, 0.1, 1.0, 1000.0]), ODD),
    min_stake_quote=numbers(0, 100),
    max_stake_quote=numbers(0, 1e6),
    leverage=numbers(1, 125),
    risk_room_quote=numbers(-10, 1e5),
    notional_room_quote=numbers(-10, 1e6),
    win_probability=st.one_of(st.none(), numbers(0, 1)),
)
POLICIES = st.builds(
    policy,
    risk_per_trade=st.floats(1e-4, 0.05),
    round_trip_fee=st.floats(0, 0.002),
    max_stake_share=st.floats(0.01, 1),
    max_notional_share=st.floats(0.01, 10),
    max_leverage=st.floats(1, 20),
    max_conviction=st.floats(1, 2.5),
    kelly_fraction=st.floats(0, 0.25),
)
SLACK = 1 + 1e-8


@given(asked=REQUESTS, rules=POLICIES)
def test_no_input_gives_a_size_above_a_cap_or_a_risk_above_its_bound(
    asked: SizeRequest, rules: RiskPolicy
) -> None:
    sized, sizing = size_entry(asked, rules), rules.sizing
    amounts = (sized.stake_quote, sized.notional_quote, sized.quantity, sized.risk_quote)
    assert all(isfinite(amount) and amount >= 0 for amount in amounts)
    assert (sized.code == OK) == (sized.stake_quote > 0)
    for factor in sized.because:
        assert factor.low <= factor.value <= factor.high
    if sized.code != OK:
        assert amounts == (0, 0, 0, 0)
        assert sized.detail
        return
    equity = asked.equity_quote
    assert sized.stake_quote <= min(asked.max_stake_quote, equity * sizing.max_stake_share) * SLACK
    assert asked.min_stake_quote <= sized.stake_quote
    assert sized.notional_quote <= equity * sizing.max_notional_share * SLACK
    assert sized.notional_quote <= asked.notional_room_quote * SLACK
    assert 1 <= sized.leverage <= sizing.max_leverage
    most = equity * sizing.risk_per_trade * sizing.max_conviction
    assert sized.risk_quote <= min(most, asked.risk_room_quote) * SLACK
    lost = sized.quantity * asked.price * (asked.stop + sizing.round_trip_fee)
    assert lost <= most * SLACK
    steps = sized.quantity / asked.quantity_step
    assert abs(steps - round(steps)) <= 1e-6 * max(1.0, steps * 1e-6)


@given(leverage=st.floats(1, 125), stop=st.floats(0.003, 0.2))
def test_leverage_never_changes_the_risk_where_the_margin_suffices(
    leverage: float, stop: float
) -> None:
    rules = policy(risk_per_trade=0.0005)
    plain = size_entry(request(stop=stop), rules)
    assert size_entry(request(stop=stop, leverage=leverage), rules).risk_quote == plain.risk_quote
