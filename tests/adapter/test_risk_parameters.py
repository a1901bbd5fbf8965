"""Numbers of a risk policy as freqtrade parameters."""

from __future__ import annotations

from typing import Any

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import DecimalParameter

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.risk.policy import RiskPolicy, SizingRules


def declared() -> type[HydraStrategy]:
    """A head of its own for each test: freqtrade keeps the value of a parameter on the class."""

    class Head(HydraStrategy):
        rules = HeadRules(name="Head", signals=())
        risk = RiskPolicy(sizing=SizingRules(risk_per_trade=0.004))
        stoploss = -0.1

    return Head


def made(head: type[HydraStrategy] | None = None, **values: Any) -> HydraStrategy:
    strategy = (head or declared())({"user_data_dir": "", "runmode": None})
    for name, value in values.items():
        getattr(strategy, name).value = value
    return strategy


def test_sizes_and_limits_are_parameters_of_the_space_protection() -> None:
    head: Any = declared()
    assert isinstance(head.risk_sizing_risk_per_trade, DecimalParameter)
    assert head.risk_sizing_risk_per_trade.value == 0.004
    assert head.risk_limits_day_loss.space == "protection"
    assert not head.risk_limits_day_loss.optimize


def test_what_a_parameter_says_is_in_force() -> None:
    strategy = made(risk_sizing_risk_per_trade=0.002, risk_limits_max_open_risk=0.01)
    strategy.read_rules()
    assert strategy.risk_in_force is not None
    assert strategy.risk_in_force.sizing.risk_per_trade == 0.002
    assert strategy.risk_in_force.limits.max_open_risk == 0.01


@pytest.mark.parametrize(
    ("name", "value"), [("risk_sizing_risk_per_trade", 0.2), ("risk_limits_max_open_risk", 0.1)]
)
def test_a_value_out_of_bounds_or_against_another_stops_the_start(name: str, value: float) -> None:
    strategy = made(**{name: value})
    with pytest.raises(OperationalException, match="risk"):
        strategy.ft_load_hyper_params()


def test_a_head_without_a_policy_has_no_such_parameters_and_freqtrades_stake() -> None:
    class Plain(HydraStrategy):
        rules = HeadRules(name="Plain", signals=())
        stoploss = -0.1

    assert not hasattr(Plain, "risk_sizing_risk_per_trade")
    assert made(Plain).risk_in_force is None
