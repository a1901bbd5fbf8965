"""Each signal fires on a bar made for it, and just does not on the one beside it (P3)."""

from __future__ import annotations

import numpy as np
import pytest
from signals.cases import DOWN, LONG, SHORT, UP, fires, market, run

from hydra_ft.signals import adx_expansion, conditions, funding_pressure, trend_pullback
from hydra_ft.signals.adx_expansion import confidence as adx_confidence
from hydra_ft.signals.funding_pressure import FundingPressureRules, against_payer
from hydra_ft.signals.funding_pressure import confidence as funding_confidence
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.signals.trend_pullback import confidence as pullback_confidence
from hydra_ft.types import Bias, Regime

EACH = ("adx_expansion", "funding_pressure", "trend_pullback")


@pytest.mark.parametrize("name", EACH)
def test_signal_fires_long_and_short_on_its_fixture(name: str) -> None:
    """P3: no dead signals."""
    assert fires(SIGNALS[name], LONG, UP) == (True, False)
    assert fires(SIGNALS[name], SHORT, DOWN) == (False, True)


@pytest.mark.parametrize("name", EACH)
def test_signal_needs_the_regime_of_its_own_side(name: str) -> None:
    """A6: the original did not compare direction and regime."""
    for regime in (Regime.DOWN, Regime.RANGING, Regime.CHOPPY):
        assert fires(SIGNALS[name], LONG, market(regime)) == (False, False)
    assert fires(SIGNALS[name], LONG, market(confidence=np.nan)) == (False, False)


@pytest.mark.parametrize("name", EACH)
def test_signal_is_silent_when_a_needed_column_is_unknown(name: str) -> None:
    made = SIGNALS[name]
    for key in made.needs:
        assert fires(made, {**LONG, key: np.nan}, UP) == (False, False), key


PULLBACK_MISSES = [
    {"rsi_14_1h": 65.0},
    {"rsi_14_1h": 35.0},
    {"ema_20_1h": 100 / 1.0051},
    {"ema_20_1h": 100 / 0.9949},
    {"higher_high_30_1h": 0.0},
    {"lower_high_30_4h": 1.0, "lower_low_30_4h": 1.0},
]


@pytest.mark.parametrize("miss", PULLBACK_MISSES)
def test_trend_pullback_misses_each_of_its_conditions(miss: dict[str, float]) -> None:
    assert fires(trend_pullback, {**LONG, **miss}) == (False, False)


def test_trend_pullback_fires_right_inside_its_thresholds() -> None:
    for near in (
        {"rsi_14_1h": 64.99},
        {"rsi_14_1h": 35.01},
        {"ema_20_1h": 100 / 1.0049},
        {"higher_high_30_1h": 0.0, "higher_low_30_1h": 1.0},
        {"lower_high_30_4h": 1.0},
    ):
        assert fires(trend_pullback, {**LONG, **near}) == (True, False)
    assert fires(trend_pullback, LONG, market(trend=0.5)) == (True, False)
    assert fires(trend_pullback, LONG, market(trend=0.49)) == (False, False)
    assert fires(trend_pullback, LONG, market(trend=-0.7)) == (False, False)


def test_trend_pullback_numbers() -> None:
    """X34: strength .7, aligned, regime .8, swing 1.5 % -> stop 1.65 %, target 3.3 %, 0.80."""
    found = run(trend_pullback, LONG)
    assert found.stop[0][0] == pytest.approx(0.0165)
    assert found.target[0][0] == pytest.approx(0.033)
    assert found.confidence[0][0] == pytest.approx(0.80)
    raw = 0.55 + 0.14
    assert pullback_confidence(np.array([0.7]), np.array([False]), np.array([False]))[
        0
    ] == pytest.approx(raw)


@pytest.mark.parametrize("name", EACH)
def test_shorts_have_the_numbers_of_the_mirrored_long(name: str) -> None:
    """The short side has its own stop, target and confidence, not those of the long."""
    made = SIGNALS[name]
    mirror = {**SHORT, "high_4_1h": 101.5, "low_4_1h": 99.0}
    long, short = run(made, LONG, UP), run(made, mirror, DOWN)
    assert short.stop[1][0] == pytest.approx(long.stop[0][0])
    assert short.target[1][0] == pytest.approx(long.target[0][0])
    assert short.confidence[1][0] == pytest.approx(long.confidence[0][0])
    assert long.target[0][0] / long.stop[0][0] == pytest.approx(made.rules.reward)


def test_parts_of_the_confidences_add_up() -> None:
    yes, no = np.array([True]), np.array([False])
    some, strong = np.array([0.4]), np.array([0.9])
    assert pullback_confidence(some, no, no)[0] == pytest.approx(0.63)
    assert pullback_confidence(some, yes, no)[0] == pytest.approx(0.73)
    assert pullback_confidence(some, no, yes)[0] == pytest.approx(0.68)
    assert pullback_confidence(strong, no, no)[0] == pytest.approx(0.70)
    assert funding_confidence(np.array([0.4]), some, no, no)[0] == pytest.approx(0.66)
    assert funding_confidence(np.array([9.0]), strong, no, no)[0] == pytest.approx(0.80)
    assert funding_confidence(np.array([0.4]), some, yes, no)[0] == pytest.approx(0.76)
    assert adx_confidence(yes, no, no)[0] == pytest.approx(0.65)
    assert adx_confidence(no, yes, no)[0] == pytest.approx(0.63)
    assert adx_confidence(no, no, yes)[0] == pytest.approx(0.60)


@pytest.mark.parametrize(
    ("change", "trust"),
    [({}, 0.70), ({"adx_14_1h": 32.5}, 0.60), ({"plus_di_14_1h": 31.0}, 0.75)],
)
def test_adx_confidence_reads_freshness_and_gap(change: dict[str, float], trust: float) -> None:
    found = run(adx_expansion, {**LONG, **change})
    assert found.confidence[0][0] == pytest.approx(trust)


def test_trend_pullback_is_surer_in_a_sure_regime_only() -> None:
    plain = run(trend_pullback, LONG, market(trend=0.5, bias=Bias.NEUTRAL, confidence=0.7))
    sure = run(trend_pullback, LONG, market(trend=0.5, bias=Bias.NEUTRAL, confidence=0.71))
    assert plain.confidence[0][0] == pytest.approx(0.65)
    assert sure.confidence[0][0] == pytest.approx(0.70)


def test_trend_pullback_stop_stays_within_its_bounds() -> None:
    assert run(trend_pullback, {**LONG, "low_4_1h": 99.9}).stop[0][0] == pytest.approx(0.010)
    assert run(trend_pullback, {**LONG, "low_4_1h": 90.0}).stop[0][0] == pytest.approx(0.018)
    assert run(trend_pullback, {**LONG, "low_4_1h": 101.0}).stop[0][0] == pytest.approx(0.010)


FUNDING_MISSES = [
    {"rsi_14_1h": 65.0},
    {"ema_20_1h": 100 / 1.0051},
    {"ema_50_1h": 99.9},
    {"higher_high_30_1h": 0.0},
    {"vol_expansion_20_1h": 2.51},
    {"funding_z_168_1h": -1.0, "funding_sum_24_1h": -0.001},
    {"funding_sum_24_1h": 0.0012},
]


@pytest.mark.parametrize("miss", FUNDING_MISSES)
def test_funding_pressure_misses_each_of_its_conditions(miss: dict[str, float]) -> None:
    assert fires(funding_pressure, {**LONG, **miss}) == (False, False)


def test_funding_pressure_fires_right_inside_its_thresholds() -> None:
    quiet = {"funding_sum_24_1h": -0.0005}
    for near in (
        {"funding_z_168_1h": -1.01, **quiet},
        {"funding_z_168_1h": 0.0, "funding_sum_24_1h": -0.00101},
        {"vol_expansion_20_1h": 2.5},
    ):
        assert fires(funding_pressure, {**LONG, **near}) == (True, False)
    assert fires(funding_pressure, LONG, market(trend=0.51)) == (True, False)
    assert fires(funding_pressure, LONG, market(trend=0.50)) == (False, False)


def test_contradicting_funding_gives_no_side() -> None:
    """A6: the original went short."""
    rules = FundingPressureRules()

    def side(z: float, paid: float, last: float) -> float:
        return float(against_payer(np.array([z]), np.array([paid]), np.array([last]), rules)[0])

    assert side(-2.0, -0.0012, -0.0005) == 1
    assert side(2.0, 0.0012, 0.0005) == -1
    assert side(-2.0, 0.0012, -0.0005) == 0
    assert side(2.0, -0.0012, 0.0005) == 0
    assert side(0.0, 0.0, 0.0001) == 0


def test_an_unusual_rate_is_no_crowd_when_that_crowd_is_being_paid() -> None:
    """A2: z alone says only that the rate is unusual; also look at the rate."""
    paid = {"funding_z_168_1h": -2.0, "funding_sum_24_1h": 0.0, "funding_last_24_1h": 0.0001}
    assert fires(funding_pressure, {**LONG, **paid}) == (False, False)
    assert fires(funding_pressure, {**LONG, **paid, "funding_last_24_1h": -0.0001})[0]


def test_funding_pressure_numbers() -> None:
    """X32, both lines; the second is a confidence only: without pullback there is no signal."""
    found = run(funding_pressure, {**LONG, "low_4_1h": 98.8}, market(trend=0.8))
    assert found.stop[0][0] == pytest.approx(0.0144)
    assert found.target[0][0] == pytest.approx(0.036)
    assert found.confidence[0][0] == pytest.approx(0.85)
    yes, no = np.array([True]), np.array([False])
    weaker = funding_confidence(np.array([-1.1]), np.array([0.6]), no, yes)
    assert weaker[0] == pytest.approx(0.8275)


ADX_MISSES = [
    {"adx_14_1h": 24.99},
    {"adx_14_1h": 40.01},
    {"adx_prior_low_4_1h": 20.0},
    {"plus_di_14_1h": 22.9},
    {"ema_20_1h": 99.19},
    {"vol_expansion_20_1h": 3.01},
    {"funding_z_168_1h": 1.0},
    {"funding_z_168_1h": np.nan},
]


@pytest.mark.parametrize("miss", ADX_MISSES)
def test_adx_expansion_misses_each_of_its_conditions(miss: dict[str, float]) -> None:
    assert fires(adx_expansion, {**LONG, **miss}) == (False, False)


def test_adx_expansion_fires_right_inside_its_thresholds() -> None:
    for near in (
        {"adx_14_1h": 25.0},
        {"adx_14_1h": 40.0},
        {"adx_prior_low_4_1h": 19.99},
        {"plus_di_14_1h": 23.0},
        {"ema_20_1h": 99.2},
        {"funding_z_168_1h": 0.99},
    ):
        assert fires(adx_expansion, {**LONG, **near}) == (True, False)


def test_adx_expansion_does_without_funding_where_it_is_not_fed() -> None:
    bare = {name: value for name, value in LONG.items() if not name.startswith("funding")}
    assert fires(adx_expansion, bare) == (True, False)


def test_adx_expansion_waits_3_hours_and_4_on_the_other_side() -> None:
    """A6."""
    assert (adx_expansion.cooldown_s, adx_expansion.flip_s) == (3 * 3600, 4 * 3600)


def test_adx_expansion_numbers() -> None:
    found = run(adx_expansion, {**LONG, "atr_14_1h": 1.5})
    assert found.stop[0][0] == pytest.approx(0.018)
    assert found.target[0][0] == pytest.approx(0.036)
    assert run(adx_expansion, {**LONG, "atr_14_1h": 0.5}).stop[0][0] == pytest.approx(0.012)
    assert run(adx_expansion, {**LONG, "atr_14_1h": 5.0}).stop[0][0] == pytest.approx(0.020)
    yes, no = np.array([True]), np.array([False])
    assert adx_confidence(yes, yes, yes)[0] == 0.75
    assert adx_confidence(no, no, no)[0] == pytest.approx(0.55)


def test_pullback_band_and_extension() -> None:
    """X41."""
    bands = conditions.pullback_band(np.array([0.01, 0.004, 0.02]))
    assert bands == pytest.approx([0.005, 0.003, 0.008])
    price, average = np.array([101.6, 101.5, 98.4]), np.full(3, 100.0)
    assert conditions.extended(price, average, 0.015).tolist() == [True, False, True]


def test_aligned_bias_adds_to_the_confidence_of_a_side() -> None:
    against = run(trend_pullback, LONG, market(trend=0.5, bias=Bias.NEUTRAL, confidence=0.6))
    aligned = run(trend_pullback, LONG, market(trend=0.5, confidence=0.6))
    assert aligned.confidence[0][0] - against.confidence[0][0] == pytest.approx(0.10)
