"""P2 through the whole regime: columns, scores, proposals and the fold over them."""

from __future__ import annotations

from itertools import pairwise, permutations, product

import numpy as np
import pytest
from market.columns import STRONG_UP

from hydra_ft.market import scores
from hydra_ft.market.regime import RegimeRules, persisted, proposals, regime_columns
from hydra_ft.types import Regime

RULES = RegimeRules()
STANDS = RULES.window_bars + 2
"""Bars after which smoothing and fold know nothing of what was before."""

STRUCTURES = ((1, 1, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0), (1, 0, 0, 1), (0, 0, 1, 1))
FLIP_LEVELS = (0.3, 0.54, 0.7, np.nan)
LEVELS = {
    "structure": STRUCTURES,
    "change_4": (-0.02, -0.004, 0.0, 0.009),
    "averages": ((99.0, 98.0), (100.0, 100.0), (99.0, 101.0), (101.0, 102.0)),
    "vol_expansion_20": (0.4, 0.75, 1.0, 3.1),
    "high_4": (100.5, 101.2, 103.0),
    "chop": ((0.02, 65.0), (0.08, 56.0), (0.13, 54.0), (0.5, 40.0)),
}
MARKS = ("higher_high_30", "higher_low_30", "lower_high_30", "lower_low_30")


def lattice() -> dict[str, np.ndarray]:
    """Every combination of component levels, one row each."""
    points = list(product(*LEVELS.values()))
    np.random.default_rng(5).shuffle(points)  # type: ignore[arg-type]
    rows = [
        [*marks, change, *averages, ratio, high, *chop]
        for marks, change, averages, ratio, high, chop in points
    ]
    names = ("change_4", "ema_20", "ema_50", "vol_expansion_20", "high_4")
    keys = (*MARKS, *names, "efficiency_24", "choppiness_14")
    columns = dict(zip(keys, np.array(rows, dtype=float).T, strict=True))
    n = len(rows)
    columns |= {name: np.full(n, STRONG_UP[name]) for name in ("close", "atr_14")}
    return {**columns, "low_4": np.full(n, 99.5)}


def test_the_lattice_stands_and_every_point_of_it_becomes_the_regime_it_proposes() -> None:
    """0-15, P2: all four states, through smoothing and fold, and every switch between them."""
    columns = lattice()
    trend = scores.trend_score(columns)
    ranging, chop = scores.range_score(columns), scores.chop_score(columns, RULES.chop)
    expected, trust = proposals(trend.score, trend.direction, ranging, chop, RULES)
    found = regime_columns({k: np.repeat(v, STANDS) for k, v in columns.items()}, RULES)
    ends = np.arange(1, expected.size + 1) * STANDS - 1
    np.testing.assert_array_equal(found.regime[ends], expected)
    np.testing.assert_allclose(found.confidence[ends], trust)
    assert {Regime(int(state)) for state in found.regime[ends]} == set(Regime)
    known = found.regime[STANDS:]
    switches = {(int(a), int(b)) for a, b in pairwise(known) if a != b}
    assert switches == set(permutations((int(state) for state in Regime), 2))


def flipping() -> dict[str, np.ndarray]:
    """The lattice once for each share of flips, with a bar of which it is not known."""
    columns = lattice()
    repeated = {name: np.tile(values, len(FLIP_LEVELS)) for name, values in columns.items()}
    return {**repeated, scores.FLIPS: np.repeat(FLIP_LEVELS, columns["close"].size)}


def test_with_flips_all_four_states_are_reached_and_only_by_them_some_points_turn_choppy() -> None:
    """P2, F-A14: by the same order of the decision; an unknown share leaves the rest as it is."""
    columns = flipping()
    trend, ranging = scores.trend_score(columns), scores.range_score(columns)
    chop = scores.chop_score(columns, RULES.chop)
    regime, trust = proposals(trend.score, trend.direction, ranging, chop, RULES)
    assert np.isfinite(trust).all()
    states = regime.reshape(len(FLIP_LEVELS), -1)
    for row in states:
        assert set(row) == {int(state) for state in Regime}
    calm, _, wild, unknown = states
    bare = {name: values for name, values in columns.items() if name != scores.FLIPS}
    without = scores.chop_score(bare, RULES.chop).reshape(states.shape)
    np.testing.assert_array_equal(chop.reshape(states.shape)[-1], without[-1])
    turned = wild != calm
    assert turned.any()
    assert (wild[turned] == int(Regime.CHOPPY)).all()
    between = (unknown != calm) | (unknown != wild)
    assert between.any()
    assert ((chop >= 0) & (chop <= 1)).all()


def test_flips_alone_make_no_chop_and_the_others_alone_do() -> None:
    """A third of the weight cannot pass 0.7; what was choppy by the others may be calmed."""
    rules = RULES.chop
    flat = {"efficiency_24": np.array([0.5, 0.02]), "choppiness_14": np.array([40.0, 65.0])}
    for flips, expected in ((0.9, [0.2, 1.0]), (0.1, [0.0, 0.8]), (np.nan, [0.0, 1.0])):
        found = scores.chop_score({**flat, scores.FLIPS: np.full(2, flips)}, rules)
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("steps", [5])
def test_every_combination_of_scores_proposes_by_the_order_of_the_decision(steps: int) -> None:
    """P2, A3: on a grid with both sides of every threshold, with the exact confidence."""
    limits = (RULES.trend_above, RULES.range_above, RULES.chop_above)
    levels = sorted({*np.linspace(0, 1, steps), *limits, *(limit + 0.01 for limit in limits)})
    points = np.array(list(product(levels, (-1.0, 0.0, 1.0), levels, levels))).T
    regime, trust = proposals(*points, RULES)
    for i in range(points.shape[1]):
        trend, direction, ranging, chop = points[:, i]
        if chop > RULES.chop_above:
            expected = (Regime.CHOPPY, 0.5 + 0.4 * chop)
        elif trend > RULES.trend_above and direction:
            expected = (Regime.UP if direction > 0 else Regime.DOWN, 0.5 + 0.4 * trend)
        elif ranging > RULES.range_above:
            expected = (Regime.RANGING, 0.5 + 0.4 * ranging)
        else:
            expected = (Regime.CHOPPY, 0.5)
        assert regime[i] == expected[0], points[:, i]
        assert abs(trust[i] - expected[1]) < 1e-9, points[:, i]
    assert set(regime) == {int(state) for state in Regime}


@pytest.mark.parametrize(("before", "after"), list(permutations(Regime, 2)))
def test_each_state_gives_way_to_each_other_by_two_votes_and_to_no_single_one(
    before: Regime, after: Regime
) -> None:
    """F-A16: in closed bars, from every state to every other."""
    stands = [int(before)] * RULES.window_bars
    for votes, expected in ((1, before), (2, after)):
        proposed = np.array(stands + [int(after)] * votes)
        regime, held = persisted(proposed, np.full(proposed.size, 0.7), RULES)
        assert (regime[-1], held[-1]) == (expected, 0.7)
