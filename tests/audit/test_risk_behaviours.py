"""F6: what the audits describe of sizes and exits fires here, and does not where it should not."""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from math import nan, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk.samples import book, holding, policy, request

from hydra_ft.decisions.admission import Entered, admit
from hydra_ft.decisions.rules import AdmissionRules
from hydra_ft.risk import codes
from hydra_ft.risk.exits import Stance, net_r, risk_quote, stop_level, stop_price, target_price
from hydra_ft.risk.factors import volatility_factor
from hydra_ft.risk.inputs import SizeRequest
from hydra_ft.risk.limits import Book, correlated_share, judge
from hydra_ft.risk.policy import ExitRules, LimitRules, RiskPolicy
from hydra_ft.risk.sizing import size_entry
from hydra_ft.risk.tail import tail_risk
from hydra_ft.signals import trend_pullback
from hydra_ft.types import Side

BTC, ETH, NOON = "BTC/USDT:USDT", "ETH/USDT:USDT", 1_728_043_200_000
LIMITS = LimitRules()
LONG = Stance(Side.LONG, 100.0, 0.01, 0.03, 0.001, NOON, 3600)


def judged(standing: Book, correlations: dict[str, float]) -> str:
    """First reason against a long of ETH."""
    return judge(ETH, Side.LONG, "HydraFlow", standing, LIMITS, correlations=correlations).code


def test_the_multiplier_reaches_the_size() -> None:
    """A7, F-A24: the original computed risk / 2 % and its sizer took a constant."""
    plain = size_entry(request(), policy()).risk_quote
    aligned = request(bias_strength=0.8, regime_confidence=0.9)
    assert size_entry(aligned, policy()).risk_quote == pytest.approx(1.3144 * plain)
    shy = request(regime_confidence=0.5, vol_expansion=1.6, losses=2)
    assert size_entry(shy, policy()).risk_quote == pytest.approx(0.504 * plain)


def test_correlated_positions_are_more_than_a_count_of_a_side() -> None:
    """F-A25, 2-13: the original counted positions of a side, and that was all."""
    two = [Entered(pair, Side.LONG, "other", NOON) for pair in ("SOL/USDT:USDT", ETH)]
    counted = admit(BTC, Side.LONG, trend_pullback, NOON, two, AdmissionRules(max_same_side=2))
    assert counted.code == "veto_side"
    one = book(holding(notional_quote=12_000, stop_distance=0.001))
    assert judged(one, {BTC: 0.9}) == codes.VETO_CORR
    assert judged(one, {BTC: -0.9}) == codes.OK
    share = correlated_share(Side.LONG, book(holding(notional_quote=5_000)), {BTC: 0.9}, LIMITS)
    made = size_entry(request(correlated_share=share), policy())
    assert made.risk_quote == pytest.approx(0.55 * size_entry(request(), policy()).risk_quote)


def test_every_head_has_its_share_of_the_capital() -> None:
    """2-12: the original's tracker allowed everything where no cap was configured."""
    full = holding(stake_quote=10_000.0, stop_distance=0.0001, notional_quote=10_000.0)
    assert judged(book(full), {BTC: 0.0}) == codes.VETO_CAPITAL
    assert judged(book(replace(full, head="HydraScalp")), {BTC: 0.0}) == codes.OK


def test_every_factor_of_a_size_is_told_with_what_it_was_made_from() -> None:
    """2-11, 2-13, A8-6: balance, confidence, volatility, drawdown, each within its bounds."""
    entry = request(confidence=0.6, volatility=0.05, equity_quote=9_700.0, losses=1)
    made = size_entry(entry, policy())
    told = {factor.name: factor for factor in made.because}
    assert {"confidence", "volatility", "drawdown", "losses", "correlation"} <= told.keys()
    assert all(one.why and one.low <= one.value <= one.high for one in made.because)
    product = prod(one.value for one in made.because)
    assert made.risk_quote == pytest.approx(9_700 * 0.005 * product, rel=1e-6)


@given(st.floats(0.001, 1.0), st.floats(0.01, 3.0))
def test_more_volatility_never_makes_a_size_larger(volatility: float, target: float) -> None:
    """F-C7, F-E16: the originals had up to 1.5 when it rose, and 1.25 at the target, twice."""
    calm = volatility_factor(volatility, 365, target).value
    wild = volatility_factor(volatility * 1.5, 365, target).value
    assert 0 < wild <= calm <= 1


def test_the_stop_of_the_entry_sets_its_size_and_no_atr_does() -> None:
    """F-C8, A8-6: in the original an ATR took the place of the real stop."""
    assert not [name for name in SizeRequest.__annotations__ if "atr" in name]
    near, far = (size_entry(request(stop=stop), policy()) for stop in (0.01, 0.02))
    assert near.notional_quote == pytest.approx(2 * far.notional_quote)
    assert near.risk_quote == pytest.approx(far.risk_quote)


@pytest.mark.parametrize(
    "way", [{}, {"risk_room_quote": 20.0}, {"max_stake_quote": 900.0}, {"win_probability": 0.6}]
)
def test_the_drawdown_takes_away_on_every_way_to_a_size(way: dict[str, float]) -> None:
    """F-C9: the original left it out wherever a stop was given."""
    at_limit = request(equity_quote=8_500.0, **way)
    assert size_entry(at_limit, policy(kelly_fraction=0.25)).code == codes.SIZE_ZERO
    assert size_entry(request(**way), policy(kelly_fraction=0.25)).code == codes.OK


def test_a_size_under_the_minimum_is_refused_and_not_made_larger() -> None:
    """F-C10: raised to the minimum, a quarter of it risks four times as much."""
    small = request(equity_quote=100.0, peak_equity_quote=100.0, leverage=1.0)
    allowed = size_entry(small, policy()).stake_quote
    made = size_entry(replace(small, min_stake_quote=4 * allowed), policy())
    assert (made.code, made.stake_quote) == (codes.BELOW_MIN, 0.0)


def test_a_short_position_has_the_tail_of_a_fall_turned_round() -> None:
    """F-E19: the original's heat knew longs only."""
    rises = np.array([[0.01], [0.02], [0.015], [-0.005]] * 30)
    long, short = (tail_risk(rises, np.array([side * 1_000.0]), 0.95, 1.0) for side in (1, -1))
    assert short.var_quote > long.var_quote > 0
    assert short.cvar_quote > long.cvar_quote


def test_a_target_stays_where_its_signal_put_it() -> None:
    """F-C13: in the original a target could be stretched by 27."""
    extremes = (replace(LONG, highest=price) for price in (0.0, 101.0, 110.0, 200.0))
    assert {target_price(stance, ExitRules()) for stance in extremes} == {103.0}


@given(st.floats(0.0, 0.3))
def test_exits_of_a_short_mirror_those_of_a_long(gain: float) -> None:
    """F-C14: the original's strength read a fall as weakness, whatever was held."""
    short = replace(LONG, side=Side.SHORT)
    up = stop_price(LONG, ExitRules(), 100 * (1 + gain), NOON)
    down = stop_price(short, ExitRules(), 100 * (1 - gain), NOON)
    assert up - 100 == pytest.approx(100 - down)


def test_nothing_but_price_and_time_has_a_say_in_a_stop() -> None:
    """F-C15, A8-7: the original held a stop back while the momentum was strong enough."""
    assert list(signature(stop_level).parameters) == [
        *("stance", "rules", "price", "now", "time_price")
    ]
    assert stop_price(LONG, ExitRules(), nan, NOON) == 99.0


def test_r_is_the_same_for_the_size_the_stop_and_the_exit() -> None:
    """A8-7: live the original's R was the stop alone, for closed trades the fees were in it."""
    rules = RiskPolicy()
    made = size_entry(request(), rules)
    fee = rules.sizing.round_trip_fee
    assert made.risk_quote == pytest.approx(risk_quote(100.0, made.quantity, 0.01, fee))
    assert net_r(replace(LONG, round_trip_fee=fee), made.stop_price) == pytest.approx(-1)


def test_stage_7_by_its_numbers() -> None:
    """A8-7: +0.8 % covers entry and fees, from 1 net R on half an R is kept; a ladder is legacy."""
    rules = ExitRules(trail_from_r=0.0)
    for price, stop in ((100.79, 99.0), (100.8, 100.1), (101.2, 100.65), (102.9, 100.65)):
        assert stop_price(LONG, rules, price, NOON) == pytest.approx(stop)
    assert ExitRules().partial_1_share == 0
