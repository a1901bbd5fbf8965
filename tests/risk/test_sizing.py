"""Sizes by hand-worked numbers, and every way to get none."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from risk.samples import WIDE, policy, request

from hydra_ft.risk.codes import BELOW_MIN, OK, SIZE_ZERO, STOP_TOO_TIGHT
from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.limit_rules import LimitRules
from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.risk.sizing import kelly_share, notional_at_risk, size_entry
from hydra_ft.types import Side


def test_x68_leverage_sets_the_margin_and_never_the_risk() -> None:
    """F-D8. Equity 389, risk 0.3 %, stop 1 %: 116.70 at any leverage; the audited bot: 1,167."""
    rules = policy(risk_per_trade=0.003, max_leverage=10)
    for leverage in (1, 3, 10):
        sized = size_entry(
            request(equity_quote=389, peak_equity_quote=389, leverage=leverage), rules
        )
        assert sized.notional_quote == pytest.approx(116.7, abs=1e-5)
        assert sized.risk_quote == pytest.approx(1.167, abs=1e-5)
        assert sized.stake_quote == pytest.approx(116.7 / leverage, abs=1e-5)


def test_x69_a_near_stop_needs_no_guard_against_leverage_because_none_multiplies_the_risk() -> None:
    """The audited bot had to reject stops under 0.333 % (9 times the equity) and 0.353 %."""
    rules = policy(risk_per_trade=0.003, max_leverage=10)
    for stop in (0.00333, 0.00353):
        sized = size_entry(request(equity_quote=389, peak_equity_quote=389, stop=stop), rules)
        assert sized.code == OK
        assert sized.notional_quote / 389 == pytest.approx(0.003 / stop, rel=1e-6)
        assert sized.notional_quote < 389


def test_x45_the_quantity_is_floored_so_that_the_loss_stays_within_the_risk() -> None:
    """48 / 0.0166 = 2891.57; 0.029 BTC would lose 48.14, 0.028 loses 46.48."""
    assert notional_at_risk(48, 0.015, 0.0016) == pytest.approx(2891.57, abs=0.005)
    rules = policy(risk_per_trade=0.04, round_trip_fee=0.0016, max_leverage=20)
    sized = size_entry(
        request(
            equity_quote=1200,
            peak_equity_quote=1200,
            stop=0.015,
            price=100_000,
            quantity_step=0.001,
            leverage=20,
        ),
        rules,
    )
    assert sized.quantity == 0.028
    assert sized.risk_quote == pytest.approx(46.48)
    assert sized.stake_quote == pytest.approx(140)


def test_x46_tranches_of_one_risk() -> None:
    """Risk 12 in 40 and 60 %, stops of 1.0 and 1.8 ATR of 0.3 %, fees 0.16 %."""
    assert notional_at_risk(12 * 0.4, 0.003 * 1.0, 0.0016) == pytest.approx(1043.48, abs=0.005)
    assert notional_at_risk(12 * 0.6, 0.003 * 1.8, 0.0016) == pytest.approx(1028.57, abs=0.005)


def test_x58_volatility_above_its_target_takes_away_instead_of_adding() -> None:
    """A base of 1,000, confidence 0.8, volatility 1.2 times its target, drawdown 5 of 25 %."""
    rules = policy(
        limits=LimitRules(day_loss=0.5, day_flatten_loss=0, max_open_risk=0.5, max_drawdown=0.25),
        risk_per_trade=0.01,
        full_confidence=1.0,
        volatility_target=0.5,
    )
    sized = size_entry(
        request(
            stop=0.1,
            confidence=0.8,
            volatility=0.6 / 365**0.5,
            peak_equity_quote=10_000 / 0.95,
        ),
        rules,
    )
    assert sized.notional_quote == pytest.approx(533.3, abs=0.05)


def test_x59_the_stop_sets_the_size_whatever_the_atr_and_its_cap_holds() -> None:
    rules = policy(risk_per_trade=0.01, full_confidence=1.0, max_notional_share=0.5)
    assert size_entry(request(stop=0.04, confidence=0.8), rules).notional_quote == pytest.approx(
        2000
    )
    capped = policy(risk_per_trade=0.01, full_confidence=1.0, max_notional_share=0.1)
    sized = size_entry(request(stop=0.02, confidence=0.8), capped)
    assert (sized.notional_quote, sized.capped_by) == (1000, "max_notional_share")


def test_x59_at_the_drawdown_limit_nothing_is_left() -> None:
    rules = policy(
        limits=LimitRules(day_loss=0.5, day_flatten_loss=0, max_open_risk=0.5, max_drawdown=0.25),
        risk_per_trade=0.01,
    )
    sized = size_entry(request(equity_quote=7500), rules)
    assert (sized.code, sized.stake_quote) == (SIZE_ZERO, 0.0)
    assert sized.detail == "drawdown is 0: drawdown of 0.2500, zero at 0.25"


def test_x84_a_quarter_of_kelly_caps_the_risk_where_the_policy_asks() -> None:
    """A chance of 0.55 at 1.5: 0.25, a quarter of it 6.25 % of the equity; 0.4 has no edge."""
    assert kelly_share(0.55, 1.5) == pytest.approx(0.25)
    assert kelly_share(0.4, 1.5) == 0
    rules = policy(risk_per_trade=0.05, kelly_fraction=0.25, max_conviction=2.0, max_leverage=10)
    eager = request(stop=0.02, vol_expansion=0.5, bias_strength=1.0, leverage=10)
    free = size_entry(eager, rules)
    sized = size_entry(replace(eager, win_probability=0.55), rules)
    assert free.risk_quote == pytest.approx(10_000 * 0.05 * 1.3 * 1.2)
    assert (sized.risk_quote, sized.capped_by) == (pytest.approx(625), "kelly")
    none = size_entry(request(stop=0.02, target=0.03, win_probability=0.4), rules)
    assert (none.code, none.stake_quote) == (SIZE_ZERO, 0)


def test_the_stop_stands_on_the_losing_side() -> None:
    assert size_entry(request(), policy()).stop_price == pytest.approx(99)
    assert size_entry(request(side=Side.SHORT), policy()).stop_price == pytest.approx(101)


@pytest.mark.parametrize(
    ("cap", "changes", "notional"),
    [
        ("max_stake", {"max_stake_quote": 100, "leverage": 3}, 300),
        ("max_stake_share", {"leverage": 2}, 2000),
        ("max_notional_share", {"leverage": 3}, 2500),
        ("risk_room", {"risk_room_quote": 7.0}, 700),
        ("notional_room", {"notional_room_quote": 700}, 700),
    ],
)
def test_every_cap_binds_and_is_named(cap: str, changes: dict[str, float], notional: float) -> None:
    rules = policy(risk_per_trade=0.05, max_stake_share=0.1, max_notional_share=0.25)
    sized = size_entry(request(**changes), rules)
    assert (sized.capped_by, sized.notional_quote) == (cap, pytest.approx(notional))


def test_a_minimum_is_never_reached_by_raising_the_size() -> None:
    rules = policy(risk_per_trade=0.0005)
    assert size_entry(request(), rules).stake_quote == pytest.approx(500)
    sized = size_entry(request(min_stake_quote=501), rules)
    assert (sized.code, sized.stake_quote, sized.quantity) == (BELOW_MIN, 0, 0)
    assert sized.detail == "expected a stake from 501 up, the risk allows 500"


def test_less_than_one_step_is_no_position() -> None:
    sized = size_entry(request(quantity_step=1000), policy())
    assert (sized.code, sized.stake_quote) == (BELOW_MIN, 0)


def test_a_step_that_is_almost_reached_is_not_bought() -> None:
    """Three steps less 3e-7 of one: the slack for prices on a grid must not exceed a cap."""
    sized = size_entry(request(max_stake_quote=0.29999997, quantity_step=0.001), policy())
    assert sized.quantity == 0.002
    exact = size_entry(request(max_stake_quote=0.3, quantity_step=0.001), policy())
    assert exact.quantity == 0.003


@pytest.mark.parametrize(("stop", "code"), [(0.0019, STOP_TOO_TIGHT), (0.002, OK)])
def test_a_stop_nearer_than_twice_the_fees_is_refused(stop: float, code: str) -> None:
    assert size_entry(request(stop=stop), policy(round_trip_fee=0.001)).code == code


def test_a_target_that_does_not_pay_the_fees_has_no_size() -> None:
    sized = size_entry(request(target=0.001), policy(round_trip_fee=0.001))
    assert (sized.code, sized.stake_quote) == (SIZE_ZERO, 0)
    assert "target" in sized.detail


@pytest.mark.parametrize(("stop", "leverage"), [(0.01, 3), (0.2, 2), (0.26, 1), (0.7, 1)])
def test_the_liquidation_stays_far_beyond_the_stop(stop: float, leverage: float) -> None:
    """At the stop at most half of the margin is lost, as far as a leverage of 1 allows."""
    sized = size_entry(request(stop=stop, target=2.0, leverage=3), policy())
    assert sized.leverage == leverage


def test_a_leverage_is_whole_and_capped() -> None:
    assert size_entry(request(leverage=2.9), policy()).leverage == 2
    assert size_entry(request(leverage=50), policy()).leverage == 3


NUMBERS = [
    name
    for name in SizeRequest.__dataclass_fields__
    if name not in ("side", "max_stake_quote", "risk_room_quote", "notional_room_quote")
]


@pytest.mark.parametrize("name", sorted(SizeRequest.__dataclass_fields__.keys() - {"side"}))
@pytest.mark.parametrize("value", [nan, "0.01"])
def test_what_is_not_a_number_gives_no_size_and_is_named(name: str, value: object) -> None:
    sized = size_entry(request(**{name: value}), RiskPolicy())
    assert (sized.code, sized.stake_quote) == (SIZE_ZERO, 0)
    assert sized.detail.startswith(f"{name}: expected a number from ")


@pytest.mark.parametrize("name", NUMBERS)
def test_an_infinite_input_gives_no_size(name: str) -> None:
    sized = size_entry(request(**{name: inf}), RiskPolicy())
    assert (sized.code, sized.stake_quote) == (SIZE_ZERO, 0)


@pytest.mark.parametrize(
    "name", sorted(SizeRequest.__dataclass_fields__.keys() - {"side", "win_probability"})
)
def test_a_missing_input_gives_no_size(name: str) -> None:
    assert size_entry(request(**{name: None}), RiskPolicy()).code == SIZE_ZERO


@pytest.mark.parametrize("equity", [0.0, -5.0])
def test_without_equity_there_is_no_size(equity: float) -> None:
    sized = size_entry(request(equity_quote=equity), RiskPolicy())
    assert (sized.code, sized.stake_quote) == (SIZE_ZERO, 0)


def test_a_room_that_is_used_up_gives_no_size() -> None:
    for name in ("risk_room_quote", "notional_room_quote", "max_stake_quote"):
        sized = size_entry(request(**{name: -1.0}), policy(limits=WIDE))
        assert (sized.code, sized.stake_quote) == (SIZE_ZERO, 0)
        assert sized.detail
