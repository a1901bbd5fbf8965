"""Policies say what contradicts what when they are made, and settings can read them."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from hydra_ft.declared import leaves, read_tree
from hydra_ft.errors import DeclarationError, SettingsError
from hydra_ft.risk.codes import LIMIT_CODES, SIZE_CODES
from hydra_ft.risk.policy import (
    LADDER,
    ExitRules,
    LimitRules,
    RiskPolicy,
    SizingRules,
    check_levels,
)


@pytest.mark.parametrize(
    ("rules", "changes", "named"),
    [
        (SizingRules(), {"risk_per_trade": 0.2}, "risk_per_trade from 1e-09 to 0.05"),
        (SizingRules(), {"max_leverage": float("nan")}, "max_leverage from 1 to 20"),
        (SizingRules(), {"calm_below": 1.5}, "calm_below under expanded_above"),
        (LimitRules(), {"day_flatten_loss": 0.01}, "day_flatten_loss 0 or from day_loss"),
        (LimitRules(), {"max_open_risk": 0.021}, "max_open_risk up to day_loss"),
        (LimitRules(), {"max_cvar": 0.01}, "max_cvar from max_var"),
        (
            LimitRules(),
            {"drawdown_window_s": 86_400, "drawdown_pause_s": 86_401},
            "drawdown_window_s",
        ),
        (ExitRules(), {"lock_r": 1.0}, "lock_r below lock_at_r"),
        (ExitRules(), {"target_r": 1.0}, "lock_at_r below target_r"),
        (ExitRules(), {"target_r": 2.0, "break_even_at_r": 2.0}, "break_even_at_r below target_r"),
        (LADDER, {"partial_1_share": 0.7}, "add up to 1 at most, was 1.1"),
        (LADDER, {"partial_2_at_r": 1.0}, "partial_2_at_r above partial_1_at_r"),
        (LADDER, {"target_r": 2.0}, "partial_2_at_r below target_r"),
    ],
)
def test_a_contradiction_is_refused_and_named(
    rules: object, changes: dict[str, float], named: str
) -> None:
    with pytest.raises(DeclarationError, match="expected") as caught:
        replace(rules, **changes)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("sizing", "limits", "exits", "named"),
    [
        ({"round_trip_fee": 0.008}, {}, {}, "exits.break_even_at above sizing.round_trip_fee"),
        ({"risk_per_trade": 0.018}, {}, {}, "limits.max_open_risk from sizing.risk_per_trade"),
        ({}, {}, {"break_even_at": 0.001}, "exits.break_even_at above sizing.round_trip_fee"),
    ],
)
def test_sections_that_contradict_each_other_are_refused(
    sizing: dict[str, float], limits: dict[str, float], exits: dict[str, float], named: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        RiskPolicy(SizingRules(**sizing), LimitRules(**limits), ExitRules(**exits))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("stop", "target", "named"),
    [
        (0.01, 0.001, "target above the round-trip fee"),
        (0.0019, 0.02, "stop from twice the round-trip fee"),
        (0.01, 0.008, "break_even_at below the target"),
    ],
)
def test_p10_levels_of_a_signal_that_cannot_pay_are_refused(
    stop: float, target: float, named: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        check_levels("sma_cross", stop, target, RiskPolicy())
    assert str(caught.value).startswith("sma_cross: expected")
    assert named in str(caught.value)


def test_levels_that_pay_pass() -> None:
    check_levels("structure_retest", 0.008, 0.0144, RiskPolicy())


def test_switched_off_rules_contradict_nothing() -> None:
    off = ExitRules(break_even_at=0, lock_at_r=0, trail_from_r=0, time_stop=False)
    assert RiskPolicy(SizingRules(round_trip_fee=0.01), exits=off).exits == off


def test_every_number_has_bounds_and_a_meaning() -> None:
    found = list(leaves(RiskPolicy, "risk"))
    assert len(found) == sum(len(fields(s)) for s in (SizingRules, LimitRules, ExitRules))
    for leaf in found:
        assert leaf.meaning, leaf.path
        assert isinstance(leaf.default, bool) or " to " in leaf.allowed, leaf.path


def test_settings_read_a_policy_and_name_a_wrong_key() -> None:
    read = read_tree({"sizing": {"risk_per_trade": 0.01}}, RiskPolicy, name="risk")
    assert read == RiskPolicy(SizingRules(risk_per_trade=0.01))
    with pytest.raises(SettingsError, match=r"did you mean risk\.limits\.day_loss"):
        read_tree({"limits": {"day_los": 0.01}}, RiskPolicy, name="risk")
    with pytest.raises(SettingsError, match="not one whole trade would fit"):
        read_tree({"sizing": {"risk_per_trade": 0.02}}, RiskPolicy, name="risk")


def test_no_code_stands_twice() -> None:
    assert len(set(LIMIT_CODES + SIZE_CODES)) == len(LIMIT_CODES) + len(SIZE_CODES)
