"""F6: what the audits describe of system A fires here, and does not where it should not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bars.synthetic import HOUR, random_bars, random_frames
from decisions.heads import FULL, HEAD, LIGHT, RANGES
from decisions.test_selection import always

from hydra_ft.bars.candles import close_time, part
from hydra_ft.decisions.pipeline import Decisions, decide
from hydra_ft.decisions.reasons import CODES, INDEX
from hydra_ft.decisions.rules import needed_features
from hydra_ft.features.registry import FEATURES
from hydra_ft.market import scores
from hydra_ft.market.bias import LIQUIDATION, BiasRules, bias_columns
from hydra_ft.signals import trend_exhaustion
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Bias, Feed, Regime

if TYPE_CHECKING:
    from hydra_ft.decisions.rules import HeadRules

FRAMES = random_frames(40, seed=12, volatility=0.0009)
EAGER = replace(HEAD, signals=(always("adx_expansion", long=True, confidence=0.6),))
FLOW = replace(EAGER, feeds=(*FULL, Feed.LIQUIDATIONS))


def decided(rules: HeadRules = EAGER) -> Decisions:
    return decide(FRAMES, rules, LIGHT)


def passed(found: Decisions, code: str) -> np.ndarray:
    """Bars on which nothing but this code fails, if it fails, and bars that enter."""
    return ~np.delete(found.failing, INDEX[code], axis=1).any(axis=1)


GATES = {
    "regime_choppy": lambda f: f.regime == Regime.CHOPPY,
    "bias_gate": lambda f: (f.bias == Bias.SHORT) & (f.bias_strength >= 0.5 - 1e-9),
    "veto_vol": lambda f: f.numbers["vol_expansion"] > 1.1 + 1e-9,
}


@pytest.mark.parametrize("code", GATES)
def test_a_gate_stops_an_eager_signal_exactly_where_its_condition_holds(code: str) -> None:
    """F-A17, F6: the live runner went round bias, CHOPPY and vetoes; here both ways are seen."""
    vetoes = replace(EAGER.vetoes, max_vol_expansion=1.1)
    found = decided(replace(EAGER, vetoes=vetoes))
    alone, holds = passed(found, code), GATES[code](found)
    if code == "regime_choppy":
        alone = ~found.failing[:, [INDEX["warmup"], INDEX["data_stale:candles"]]].any(axis=1)
    stopped = found.failing[:, INDEX[code]]
    assert (alone & stopped).any()
    assert (alone & ~stopped).any()
    np.testing.assert_array_equal(stopped[alone], holds[alone])
    assert (found.code[stopped] != 0).all()


def test_the_time_filter_stops_an_eager_signal_around_settlements_alone() -> None:
    """F6, X42: 5 minutes on either side; on 5m bars the closes at and before a settlement."""
    found = decided()
    alone = passed(found, "funding_window")
    closed = close_time(FRAMES["5m"])
    around = np.isin(closed % (8 * HOUR), [0, 8 * HOUR - HOUR // 12])
    np.testing.assert_array_equal((found.code == 0)[alone], ~around[alone])
    assert (alone & around).any()


def test_choppy_comes_by_score_and_not_only_by_default() -> None:
    """F6, F-A14: bars whose chop score is over the threshold propose it at more than 0.5."""
    found = decide(random_frames(40, seed=2, volatility=0.0009), EAGER, LIGHT)
    by_score = (found.regime == Regime.CHOPPY) & (found.regime_confidence > 0.78)
    by_default = (found.regime == Regime.CHOPPY) & (found.regime_confidence == 0.5)
    assert by_score.any()
    assert by_default.any()
    assert (found.numbers["chop_score"] > 0.7).any()


def test_the_flip_share_is_an_input_of_the_chop_score_where_it_is_fed() -> None:
    """F6: in the original it was never updated. It is a column of the market timeframe."""
    columns = {"efficiency_24": np.full(2, 0.13), "choppiness_14": np.full(2, 54.25)}
    flips = {**columns, scores.FLIPS: np.array([0.4, 0.7])}
    low, high = scores.chop_score(flips, HEAD.regime.chop)
    assert low < scores.chop_score(columns, HEAD.regime.chop)[0] < high
    fed = replace(HEAD, feeds=(*FULL, Feed.TRADES))
    assert scores.FLIPS in {made.name for made in needed_features(fed, fed.feeds)["1h"]}
    assert scores.FLIPS not in {made.name for made in needed_features(fed, FULL)["1h"]}


def test_the_change_over_48_hours_is_its_own_column() -> None:
    """F6, F-A11: the original never updated it and took 1.5 times that of 24 hours."""
    assert any("change_48" in key for key in trend_exhaustion.needs)
    bars = random_bars(60)
    found = FEATURES["change_48"](bars)
    assert found[-1] == pytest.approx(bars.close[-1] / bars.close[-49] - 1)
    assert found[-1] != pytest.approx(1.5 * FEATURES["change_24"](bars)[-1])


def test_full_structures_of_both_sides_cancel_and_leave_the_direction_to_the_rest() -> None:
    """F6: the original gave points to a conflict that its own order made impossible."""
    names = ("higher_high_30", "higher_low_30", "lower_high_30", "lower_low_30")
    marks = {name: np.ones(1) for name in names}
    points, side = scores.structure(marks)
    assert (points[0], side[0]) == (0.0, 0.0)
    alone = {name: np.array([float(name.startswith("higher"))]) for name in names}
    assert [float(v[0]) for v in scores.structure(alone)] == [0.4, 1.0]


def test_a_bucket_of_liquidations_moves_the_bias_within_the_hour() -> None:
    """F-A20: on base bars, at the bar whose liquidations cross 0.4 or 0.6, not at the hour."""
    base = FRAMES["5m"]
    row = len(base) - 8
    assert base.time[row] % HOUR
    quiet = np.full(len(base), 10.0)
    hit = quiet.copy()
    hit[row] = 1e6
    before = {**FRAMES, "5m": replace(base, long_liquidated=quiet, short_liquidated=quiet)}
    after = {**FRAMES, "5m": replace(base, long_liquidated=hit, short_liquidated=quiet)}
    feeds = (*FULL, Feed.LIQUIDATIONS)
    calm, moved = (decide(frames, FLOW, feeds).bias_score for frames in (before, after))
    np.testing.assert_array_equal(calm[:row], moved[:row])
    np.testing.assert_allclose(moved[row:] - calm[row:], -0.6 * 0.25, rtol=1e-9)
    values = {name: np.zeros(2) for name in ("change_4", "change_24")}
    values[LIQUIDATION] = np.array([0.41, 0.59])
    same = bias_columns(values, BiasRules(), (Feed.CANDLES, Feed.LIQUIDATIONS))
    assert same.score[0] == same.score[1]


def test_the_rsi_is_wilders_on_closed_hours() -> None:
    """F-A12, X31: the original was fed every trade after the oldest bars, and averaged simply.

    Seven rises by 1 and seven falls by 0.5 have a simple RSI of 66.667. Wilder's weighs the
    newest most: rises last give more, falls last give less.
    """
    rises, falls = np.full(7, 1.0), np.full(7, -0.5)
    bars = random_bars(200)
    found = []
    for tail in ((falls, rises), (rises, falls)):
        steps = np.concatenate([np.tile(np.concatenate([rises, falls]), 13), *tail])
        close = 100 + np.cumsum(steps)[-200:]
        found.append(FEATURES["rsi_14"](replace(part(bars, 0, close.size), close=close))[-1])
    assert found[1] < 66.667 < found[0]
    assert all(key.endswith("_1h") for s in SIGNALS.values() for key in s.needs if "rsi" in key)


def test_a_candidate_that_lost_its_rank_is_listed_and_never_the_reason() -> None:
    """F5 step 7: who is outranked leaves a winner, and the winner decides the bar."""
    two = (EAGER.signals[0], always("trend_pullback", long=True, confidence=0.7))
    found = decided(replace(EAGER, signals=two))
    assert found.failing[:, INDEX["outranked"]].any()
    assert "outranked" not in found.counts()
    assert set(found.counts()) <= set(CODES)
    assert decided(RANGES).failing[:, INDEX["regime_not_allowed:adx_expansion"]].any()
