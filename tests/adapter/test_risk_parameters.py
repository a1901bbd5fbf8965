"""Numbers of a risk policy as freqtrade parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import BooleanParameter, DecimalParameter

from hydra_ft import signals
from hydra_ft.adapter.parameters.risk_parameters import values_in_force
from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.risk.policy import LADDER, ExitRules, RiskPolicy, SizingRules


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


def test_numbers_of_the_exits_are_parameters_of_the_space_sell() -> None:
    head: Any = declared()
    assert head.risk_exits_break_even_at.space == "sell"
    assert isinstance(head.risk_exits_time_stop, BooleanParameter)
    strategy: Any = made(head, risk_exits_break_even_at=0.012, risk_exits_time_stop=False)
    strategy.read_rules()
    assert strategy.risk.exits == ExitRules(break_even_at=0.012, time_stop=False)
    assert type(strategy).risk.exits == ExitRules(), "what the head declares stays"


def test_a_number_that_would_bring_in_a_callback_is_no_parameter() -> None:
    """Which callbacks a head has is settled when it is made, before parameters are read."""

    class Parts(HydraStrategy):
        rules = HeadRules(name="Parts", signals=(signals.trend_pullback,))
        risk = RiskPolicy(exits=LADDER)
        stoploss = -0.1

    shares = ("risk_exits_partial_1_share", "risk_exits_partial_2_share")
    assert all(hasattr(Parts, name) for name in (*shares, "risk_exits_target_r"))
    assert not any(hasattr(declared(), name) for name in (*shares, "risk_exits_target_r"))
    assert hasattr(declared(), "risk_exits_partial_1_at_r")


def test_switched_off_sizes_leave_the_exits_as_they_are_tuned() -> None:
    head = declared()
    config = {"user_data_dir": "", "runmode": None, "hydra": {"risk": {"enabled": False}}}
    strategy: Any = head(config)
    strategy.risk_exits_break_even_at.value = 0.012
    strategy.read_rules()
    assert strategy.risk_in_force is None
    assert strategy.risk.exits.break_even_at == 0.012


def test_what_the_ledger_keeps_says_under_which_policy_it_was_decided() -> None:
    every = values_in_force(RiskPolicy(), sizes=True)
    exits = values_in_force(RiskPolicy(), sizes=False)
    assert every["risk.sizing.risk_per_trade"] == 0.005
    assert every["risk.limits.day_loss"] == 0.02
    assert exits["risk.exits.break_even_at"] == every["risk.exits.break_even_at"] == 0.008
    assert all(path.startswith("risk.exits.") for path in exits)
    assert values_in_force(None, sizes=True) == {}


def test_r_has_the_greater_one_of_the_policys_and_the_venues_fee() -> None:
    strategy: Any = made()
    strategy.read_rules()
    asked = []

    class Exchange:
        create_order = None

        def get_fee(self, pair: str, taker_or_maker: str) -> float:
            asked.append(pair)
            return {"maker": 0.0002, "taker": 0.0004 if pair == "BTC/USDT" else 0.002}[
                taker_or_maker
            ]

    strategy.dp = SimpleNamespace(_exchange=Exchange())
    assert strategy.round_trip_fee("BTC/USDT") == strategy.risk.sizing.round_trip_fee == 0.001
    assert strategy.policy_for("BTC/USDT", strategy.risk) is strategy.risk
    assert strategy.round_trip_fee("X/USDT") == 0.004
    assert strategy.policy_for("X/USDT", strategy.risk).sizing.round_trip_fee == 0.004
    assert asked.count("X/USDT") == 2, "the venue is asked once"


def test_where_the_venue_does_not_say_its_fee_the_policys_counts() -> None:
    strategy: Any = made()

    class Exchange:
        create_order = None

        def get_fee(self, *_: Any, **__: Any) -> float:
            raise OperationalException("no such market")

    strategy.dp = SimpleNamespace(_exchange=Exchange())
    assert strategy.round_trip_fee("BTC/USDT") == 0.001
