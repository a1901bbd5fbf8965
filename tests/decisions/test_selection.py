"""Which signal wins a bar: permissions, detection, bias, rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bars.synthetic import random_frames
from decisions.heads import HEAD, LIGHT, RANGES

from hydra_ft.decisions import select
from hydra_ft.decisions.pipeline import decide
from hydra_ft.decisions.reasons import INDEX
from hydra_ft.signals import adx_expansion, trend_pullback
from hydra_ft.signals.registry import Columns, MarketColumns, SignalColumns
from hydra_ft.types import Bias, Regime

FRAMES = random_frames(40, seed=12, volatility=0.0009)


def planted(long: bool, confidence: float, target: float = 0.04) -> object:
    def detect(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        n = columns["close_5m"].shape[0]
        yes, no = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
        trust, stop, goal = (np.full(n, value) for value in (confidence, 0.01, target))
        return SignalColumns(
            yes if long else no, no if long else yes, (trust, trust), (stop, stop), (goal, goal)
        )

    return detect


def always(name: str, **how: object) -> object:
    """A signal that fires on every bar, under the name of a registered one."""
    return replace(adx_expansion, name=name, needs=("close_5m",), detect=planted(**how))


def test_the_most_confident_wins_then_reward_then_the_heads_order() -> None:
    pairs = [
        ((0.6, 0.04), (0.7, 0.04), 1),
        ((0.7, 0.04), (0.6, 0.04), 0),
        ((0.6, 0.04), (0.6, 0.05), 1),
        ((0.6, 0.04), (0.6, 0.04), 0),
    ]
    for first, second, winner in pairs:
        head = replace(
            HEAD,
            signals=(
                always("trend_pullback", long=True, confidence=first[0], target=first[1]),
                always("adx_expansion", long=True, confidence=second[0], target=second[1]),
            ),
        )
        found = decide(FRAMES, head, LIGHT)
        enters = found.code == 0
        assert enters.any()
        assert (found.signal[enters] == winner).all()
        assert found.failing[enters, INDEX["outranked"]].all()


def test_the_bias_removes_a_candidate_before_ranking() -> None:
    """Audit of 0: the original ranked first, so a blocked winner took the runner-up along."""
    head = replace(
        HEAD,
        signals=(
            always("trend_pullback", long=True, confidence=0.9),
            always("adx_expansion", long=False, confidence=0.6),
        ),
    )
    found = decide(FRAMES, head, LIGHT)
    against_long = (found.bias == Bias.SHORT) & (found.bias_strength >= 0.5)
    enters = (found.code == 0) & against_long
    assert enters.any()
    assert (found.side[enters] == -1).all()
    assert found.failing[enters, INDEX["bias_gate"]].all()


@pytest.mark.parametrize(
    ("how", "code"),
    [({"confidence": 0.4}, "veto_conf"), ({"confidence": 0.6, "target": 0.012}, "veto_rr")],
)
def test_a_weak_winner_is_vetoed(how: dict[str, float], code: str) -> None:
    found = decide(
        FRAMES, replace(HEAD, signals=(always("adx_expansion", long=True, **how),)), LIGHT
    )
    assert "ok" not in found.counts()
    assert found.counts()[code] > 0


def test_an_extended_price_removes_trend_following_and_nothing_else() -> None:
    joined = always("adx_expansion", long=True, confidence=0.6)
    follower = replace(always("trend_pullback", long=True, confidence=0.6), trend_following=True)
    alone = decide(FRAMES, replace(HEAD, signals=(follower,)), LIGHT)
    stretched = np.abs(FRAMES["5m"].close / alone.columns["ema_20_1h"] - 1) > 0.015
    assert stretched.any()
    assert alone.counts()["extended"] > 0
    assert not (stretched & (alone.code == 0)).any()
    both = decide(FRAMES, replace(HEAD, signals=(follower, joined)), LIGHT)
    assert (stretched & (both.code == 0)).any()


def test_ranging_permits_no_trend_signal() -> None:
    """T3."""
    found = decide(FRAMES, RANGES, LIGHT)
    ranging = found.regime == Regime.RANGING
    assert ranging.any()
    warm = ~found.failing[:, INDEX["warmup"]]
    for made in HEAD.signals:
        forbidden = found.failing[:, INDEX[f"regime_not_allowed:{made.name}"]]
        np.testing.assert_array_equal(forbidden[warm], ranging[warm])


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), FloatingPointError("x"), KeyError("x"), ValueError("x")]
)
def test_a_failing_detector_disables_itself_and_no_other(error: Exception) -> None:
    """2-08: per-signal isolation."""

    def fail(*_: object) -> SignalColumns:
        raise error

    broken = replace(adx_expansion, detect=fail)
    found = decide(FRAMES, replace(HEAD, signals=(trend_pullback, broken)), LIGHT)
    alone = decide(FRAMES, replace(HEAD, signals=(trend_pullback,)), LIGHT)
    np.testing.assert_array_equal(found.code == 0, alone.code == 0)
    assert found.failing[:, INDEX["signal_error:adx_expansion"]].all()
    assert type(error).__name__ in found.errors["adx_expansion"]


def test_a_detector_that_answers_in_the_wrong_shape_is_disabled() -> None:
    def short(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        one, yes = np.ones(1), np.ones(1, dtype=bool)
        return SignalColumns(yes, yes, (one, one), (one, one), (one, one))

    def floats(columns: Columns, market: MarketColumns, rules: object) -> SignalColumns:
        one = np.ones(len(columns["close_5m"]))
        return SignalColumns(one, one, (one, one), (one, one), (one, one))  # type: ignore[arg-type]

    for detect in (short, floats):
        found = decide(
            FRAMES, replace(HEAD, signals=(replace(adx_expansion, detect=detect),)), LIGHT
        )
        assert "ok" not in found.counts()
        assert "adx_expansion" in found.errors


def test_an_interrupt_is_not_swallowed() -> None:
    """1-04: only declared errors are caught."""

    def interrupted(*_: object) -> SignalColumns:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decide(FRAMES, replace(HEAD, signals=(replace(adx_expansion, detect=interrupted),)), LIGHT)
    assert not any(issubclass(KeyboardInterrupt, kind) for kind in select.DETECTOR_ERRORS)
