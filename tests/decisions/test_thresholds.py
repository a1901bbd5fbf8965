"""The numbers of a head by their paths: read, changed, refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from decisions.heads import HEAD

from hydra_ft.decisions.flow_exits import FlowExitRules
from hydra_ft.decisions.thresholds import (
    FIXED,
    attribute,
    space,
    thresholds,
    values_of,
    with_thresholds,
)
from hydra_ft.errors import DeclarationError
from hydra_ft.signals import trend_pullback


def test_nothing_changed_gives_the_same_head() -> None:
    assert with_thresholds(HEAD, {}) == HEAD
    assert with_thresholds(HEAD, values_of(HEAD)) == HEAD


def test_numbers_of_sections_of_their_parts_and_of_signals_are_named_by_their_place() -> None:
    values = values_of(HEAD)
    assert values["vetoes.min_confidence"] == HEAD.vetoes.min_confidence
    assert values["regime.chop.efficiency_full"] == HEAD.regime.chop.efficiency_full
    assert values["signals.trend_pullback.rsi_low"] == trend_pullback.rules.rsi_low
    assert not set(FIXED) & set(values)
    assert list(values) == list(thresholds(HEAD))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("vetoes.min_confidence", 0.61),
        ("regime.chop.efficiency_full", 0.05),
        ("signals.trend_pullback.rsi_low", 31.0),
        ("admission.max_day_trades", 7),
    ],
)
def test_one_number_changes_and_no_other(path: str, value: float) -> None:
    before = values_of(HEAD)
    changed = with_thresholds(HEAD, {path: value})
    assert before[path] != value
    assert values_of(changed) == {**before, path: value}
    assert changed.signals[0].detect is HEAD.signals[0].detect
    assert [s.name for s in changed.signals] == [s.name for s in HEAD.signals]
    assert (changed.feeds, changed.name) == (HEAD.feeds, HEAD.name)


def test_a_number_keeps_its_kind() -> None:
    """Hyperopt hands out floats for whole numbers and whole numbers for floats."""
    changed = with_thresholds(HEAD, {"vetoes.min_confidence": 1, "admission.max_losses": 5.0})
    assert type(changed.vetoes.min_confidence) is float
    assert type(changed.admission.max_losses) is int


@pytest.mark.parametrize(
    ("off", "absent", "present"),
    [
        ({"by_value": False}, {"beyond_atr", "value_absorption"}, 6),
        ({"by_reversal": False}, {"fast_z", "slow_bars", "slow_absorption"}, 2),
        ({"by_value": False, "by_reversal": False}, {"beyond_atr", "fast_bars"}, 0),
        ({}, set(), 8),
    ],
)
def test_numbers_of_an_exit_that_is_off_are_none_to_be_tuned(
    off: dict[str, bool], absent: set[str], present: int
) -> None:
    """HydraScalp showed eight parameters that did nothing."""
    head = replace(HEAD, flow_exits=FlowExitRules(**off))
    found = {path.partition(".")[2] for path in thresholds(head) if path.startswith("flow_exits.")}
    assert not absent & found
    assert len(found) == present
    assert len(thresholds(HEAD)) - len(thresholds(head)) == 8 - present


def test_a_path_that_is_none_is_refused_by_name() -> None:
    for path in ("vetoes.min_confidance", "regime.window_bars", "signals.sma_cross.reward", "name"):
        with pytest.raises(DeclarationError, match="head HydraFlow: no threshold") as refused:
            with_thresholds(HEAD, {path: 1})
        assert repr(path) in str(refused.value)


@pytest.mark.parametrize("value", [1.5, -0.1, "much"])
def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(value: object) -> None:
    path = "vetoes.min_confidence"
    with pytest.raises(DeclarationError) as refused:
        with_thresholds(HEAD, {path: value})
    for part in ("head HydraFlow", path, thresholds(HEAD)[path].allowed, repr(value), "0.5"):
        assert part in str(refused.value)


def test_values_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(DeclarationError, match="exit_from"):
        with_thresholds(HEAD, {"bias.block_from": 0.9, "bias.exit_from": 0.8})
    same = with_thresholds(HEAD, {"bias.block_from": 0.8, "bias.exit_from": 0.8})
    assert same == replace(HEAD, bias=replace(HEAD.bias, block_from=0.8, exit_from=0.8))


@pytest.mark.parametrize(
    ("path", "name", "where"),
    [
        ("admission.max_day_trades", "admission_max_day_trades", "protection"),
        ("vetoes.min_confidence", "vetoes_min_confidence", "buy"),
        ("regime.chop.efficiency_full", "regime_chop_efficiency_full", "buy"),
        ("bias.exit_from", "bias_exit_from", "sell"),
        ("signals.trend_pullback.rsi_low", "trend_pullback_rsi_low", "buy"),
        ("signals.trend_pullback.stop_low", "trend_pullback_stop_low", "sell"),
    ],
)
def test_a_path_is_a_parameter_of_freqtrade_in_its_space(path: str, name: str, where: str) -> None:
    assert (attribute(path), space(path)) == (name, where)
