"""Exits that are columns: the bias strongly against a position, the regime turned against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.synthetic import random_frames
from decisions.heads import HEAD, LIGHT

from hydra_ft.decisions.exits import EXIT_TAGS
from hydra_ft.decisions.pipeline import decide
from hydra_ft.types import Bias, Regime, Side

FRAMES = random_frames(40, seed=4, volatility=0.0009)
DECIDED = decide(FRAMES, HEAD, LIGHT)
HOUR = 12
"""Base bars in a bar of the market timeframe."""

SIDES = pytest.mark.parametrize("side", Side)


def tags_of(side: Side) -> np.ndarray:
    tags = DECIDED.exit_long_tag if side is Side.LONG else DECIDED.exit_short_tag
    return np.array(EXIT_TAGS)[tags]


def flips(side: Side) -> np.ndarray:
    opposite = Bias.SHORT if side is Side.LONG else Bias.LONG
    return (DECIDED.bias == opposite) & (DECIDED.bias_strength >= 1.0)


def turns(side: Side) -> list[int]:
    """Rows on which the regime is against the side, and was known and not so an hour before."""
    against = Regime.DOWN if side is Side.LONG else Regime.UP
    known = np.isfinite(DECIDED.regime_confidence)
    return [
        row
        for row in range(HOUR, len(DECIDED))
        if known[row]
        and known[row - HOUR]
        and DECIDED.regime[row] == against
        and DECIDED.regime[row - HOUR] != against
    ]


@SIDES
def test_each_exit_has_its_tag(side: Side) -> None:
    tags, flip, turned = tags_of(side), flips(side), turns(side)
    assert flip.any()
    assert (tags[flip] == "bias_flip").all()
    alone = [row for row in turned if not flip[row]]
    assert alone
    assert (tags[alone] == "regime_turn").all()
    rest = np.setdiff1d(np.flatnonzero(~flip), turned)
    assert (tags[rest] == "").all()


@SIDES
def test_a_turn_asks_for_an_exit_for_one_bar_of_the_market_and_a_standing_regime_does_not(
    side: Side,
) -> None:
    """Else a reversal signal, which enters against a standing regime, could never enter."""
    against = Regime.DOWN if side is Side.LONG else Regime.UP
    asked = (tags_of(side) == "regime_turn") | flips(side)
    rows = np.flatnonzero((DECIDED.regime == against) & np.isfinite(DECIDED.regime_confidence))
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    assert len(runs) > 3
    assert max(run.size for run in runs[1:]) > HOUR
    for run in runs[1:]:
        assert asked[run[:HOUR]].all()
        assert not (tags_of(side)[run[HOUR:]] == "regime_turn").any()


def test_a_soft_bias_closes_nothing() -> None:
    soft = decide(FRAMES, replace(HEAD, bias=replace(HEAD.bias, hard=False)), LIGHT)
    assert "bias_flip" not in set(np.array(EXIT_TAGS)[soft.exit_long_tag])
    assert "regime_turn" in set(np.array(EXIT_TAGS)[soft.exit_long_tag])


def test_nothing_is_closed_on_what_is_not_known() -> None:
    unknown = ~np.isfinite(DECIDED.regime_confidence)
    assert unknown.any()
    assert not np.isfinite(DECIDED.bias_strength).all()
    for side in Side:
        assert not (tags_of(side)[unknown] == "regime_turn").any()
        assert not (tags_of(side)[~np.isfinite(DECIDED.bias_strength)] == "bias_flip").any()
