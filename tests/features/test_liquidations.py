"""Liquidations by worked numbers: sides, multiples of the usual, gaps; and recent extremes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import MINUTE, START, random_bars

from hydra_ft.bars.candles import bars_from, part
from hydra_ft.features.liquidations import FLOOR_SHARE, HOUR, usual_total
from hydra_ft.features.registry import FEATURES

if TYPE_CHECKING:
    from hydra_ft.types import Bars, FloatArray

MILLION = 1e6
NAMES = [name for name, made in FEATURES.items() if made.family == "liquidations"]


def last(name: str, bars: Bars) -> float:
    return float(FEATURES[name](bars)[-1])


def made(longs: FloatArray, shorts: FloatArray, volume: float = 1.0) -> Bars:
    """5m bars at a price of 100 with these liquidations."""
    n = len(longs)
    flat = np.full(n, 100.0)
    time = START + 5 * MINUTE * np.arange(n)
    prices = (flat, flat, flat, flat)
    return bars_from(time, 5 * MINUTE, prices, np.full(n, volume), liquidated=(longs, shorts))


def hours(*totals: float, volume: float = 1.0) -> Bars:
    """5m bars whose hours, the last one last, have these totals, in one bar of long each."""
    longs = np.zeros(HOUR * len(totals))
    longs[HOUR // 2 :: HOUR] = totals
    return made(longs, np.zeros(len(longs)), volume)


def test_imbalance_is_positive_when_longs_were_liquidated() -> None:
    """X14, F-A7: 600 k of longs and 200 k of shorts are +0.5."""
    longs, shorts = np.zeros(48), np.zeros(48)
    longs[[38, 47]], shorts[40] = 300e3, 200e3
    bars = made(longs, shorts)
    assert last("liquidation_imbalance_12", bars) == pytest.approx(0.5)
    assert last("liquidation_imbalance_48", bars) == pytest.approx(0.5)
    assert last("liquidation_total_12", bars) == pytest.approx(800e3)


def test_imbalance_forgets_after_its_own_window() -> None:
    longs, shorts = np.zeros(60), np.zeros(60)
    longs[12], longs[47], shorts[50] = 500e3, 400e3, 100e3
    bars = made(longs, shorts)
    assert last("liquidation_imbalance_12", bars) == -1
    assert last("liquidation_imbalance_48", bars) == pytest.approx(0.8)
    assert last("liquidation_imbalance_48", part(bars, 0, 59)) == pytest.approx(0.8)
    assert last("liquidation_imbalance_12", part(bars, 0, 59)) == pytest.approx(0.6)


def test_no_liquidation_is_balance_and_not_unknown() -> None:
    calm = hours(*[0.0] * 17)
    assert last("liquidation_imbalance_12", calm) == 0
    assert last("liquidation_imbalance_48", calm) == 0
    assert last("liquidation_ratio_12", calm) == 0


@pytest.mark.parametrize(("total", "multiple"), [(5.0, 5.0), (9.1, 9.1), (0.0, 0.0)])
def test_the_multiple_is_of_the_usual_before_the_hour_itself(total: float, multiple: float) -> None:
    """X15, F-A13: with a baseline of 1 M the original's "5 times" began at 9 M."""
    bars = hours(*[MILLION] * 16, total * MILLION)
    assert usual_total(bars)[-1] == pytest.approx(MILLION)
    assert last("liquidation_ratio_12", bars) == pytest.approx(multiple)


def test_the_usual_weighs_recent_hours_more_and_ends_after_sixteen() -> None:
    weight = sum(0.9**k for k in range(16))
    newest = hours(*[0.0] * 15, MILLION, MILLION)
    oldest = hours(MILLION, *[0.0] * 15, MILLION)
    older = hours(MILLION, *[0.0] * 16, MILLION)
    assert usual_total(newest)[-1] == pytest.approx(MILLION / weight)
    assert usual_total(oldest)[-1] == pytest.approx(MILLION * 0.9**15 / weight)
    assert usual_total(older)[-1] == pytest.approx(FLOOR_SHARE * HOUR * 100.0)


def test_a_pair_without_a_usual_is_measured_by_its_turnover() -> None:
    """F-A8: no absolute floor; 12 bars of 1,000 at 100 are 1.2 M an hour."""
    small, large = (hours(*[0.0] * 16, total, volume=1e3) for total in (100.0, 1_200.0))
    assert last("liquidation_ratio_12", small) == pytest.approx(100 / 120)
    assert last("liquidation_ratio_12", large) == pytest.approx(10)


def test_the_turnover_of_the_hour_itself_does_not_hide_its_liquidations() -> None:
    """F-A13 again: a cascade comes with a turnover of its own."""
    quiet = hours(*[0.0] * 16, 1_200.0, volume=1e3)
    volume = quiet.volume.copy()
    volume[-HOUR:] *= 50
    assert last("liquidation_ratio_12", replace(quiet, volume=volume)) == pytest.approx(10)


def test_the_multiple_does_not_know_the_size_of_the_pair() -> None:
    bars = hours(*[MILLION] * 16, 6 * MILLION)
    tiny = hours(*[10.0] * 16, 60.0, volume=1e-5)
    assert last("liquidation_ratio_12", bars) == pytest.approx(6)
    assert last("liquidation_ratio_12", tiny) == pytest.approx(6)


def test_a_pair_that_was_not_traded_at_all_has_no_multiple() -> None:
    assert last("liquidation_ratio_12", hours(*[0.0] * 17, volume=0.0)) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_in_the_feed_is_unknown_for_as_long_as_the_window_holds_it(name: str) -> None:
    bars = random_bars(600, 5 * MINUTE)
    assert bars.long_liquidated is not None
    gap = bars.long_liquidated.copy()
    gap[300] = np.nan
    values = FEATURES[name](replace(bars, long_liquidated=gap))
    # The usual goes on without an hour: only the hour itself must be known.
    own = name == "liquidation_ratio_12"
    window = HOUR if own else FEATURES[name].lookback + 1
    expected = FEATURES[name](bars)
    expected[300 : 300 + window] = np.nan
    told = np.ones(600, dtype=np.bool_)
    told[300 + window : 300 + FEATURES[name].lookback + 1] = not own
    np.testing.assert_allclose(values[told], expected[told])
    assert np.isfinite(values[~told]).all()


def with_gaps(totals: list[float], gaps: dict[int, int]) -> Bars:
    """Hours with these totals; ``gaps`` is how many bars of an hour (from 0 on) are not known."""
    bars = hours(*totals)
    assert bars.long_liquidated is not None
    longs = bars.long_liquidated.copy()
    for hour, lacking in gaps.items():
        longs[hour * HOUR : hour * HOUR + lacking] = np.nan
    return replace(bars, long_liquidated=longs)


def test_the_usual_is_told_by_the_hours_that_are_known_and_by_14_at_least() -> None:
    """A restart of the recorder leaves a gap: it must not switch the feed off for 17 hours."""
    totals = [float(hour) * MILLION for hour in range(1, 18)]
    weights = {hour: 0.9 ** (15 - hour) for hour in range(16)}
    for gaps in ({}, {15: 1}, {15: 12}, {3: 2, 4: 9}):
        known = [hour for hour in weights if hour not in gaps]
        expected = sum(weights[h] * totals[h] for h in known) / sum(weights[h] for h in known)
        found = usual_total(with_gaps(totals, gaps))[-1]
        assert found == pytest.approx(expected, rel=1e-12), gaps
    for gaps in ({3: 1, 4: 1, 9: 1}, dict.fromkeys(range(13, 16), 12)):
        assert np.isnan(usual_total(with_gaps(totals, gaps))[-1]), gaps
    assert np.isnan(last("liquidation_ratio_12", with_gaps(totals, {16: 1})))


@pytest.mark.parametrize("name", NAMES)
def test_liquidations_that_are_not_carried_are_unknown(name: str) -> None:
    bare = replace(random_bars(300), long_liquidated=None, short_liquidated=None)
    assert np.isnan(FEATURES[name](bare)).all()


def test_made_up_bars_have_cascades_of_both_sides() -> None:
    """Or the battery and the tests of the signal would look at calm alone."""
    bars = random_bars(5000, 5 * MINUTE)
    wild = FEATURES["liquidation_ratio_12"](bars) > 5
    side = FEATURES["liquidation_imbalance_12"](bars)
    assert 20 < (wild & (side > 0.5)).sum() < 500
    assert 20 < (wild & (side < -0.5)).sum() < 500


def test_an_extreme_rsi_is_remembered_for_twelve_bars_and_no_longer() -> None:
    """A6, exhaustion: the RSI falls as soon as the price does, so its recent extreme counts."""
    bars = random_bars(400)
    rsi, high, low = (FEATURES[name](bars) for name in ("rsi_14", "rsi_high_12", "rsi_low_12"))
    for row in range(123, 400):
        assert high[row] == rsi[row - 11 : row + 1].max()
        assert low[row] == rsi[row - 11 : row + 1].min()
