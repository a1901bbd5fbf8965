"""Signals are declared so that they could trade, once each, with their permissions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from signals.cases import LONG, fires

from hydra_ft import signals
from hydra_ft.errors import DeclarationError
from hydra_ft.signals import funding_pressure, trend_pullback
from hydra_ft.signals.registry import SIGNALS, SignalDeclaration, signal
from hydra_ft.types import Feed, Regime


def test_permissions_follow_the_table() -> None:
    """T3; EXTENDED removes funding and pullback."""
    trends, ranging = {Regime.UP, Regime.DOWN}, {Regime.RANGING}
    others = {"range_breakout": trends | ranging, "range_fade": ranging}
    others |= dict.fromkeys(("scalp", "scalp_1m"), {Regime.UP} | ranging)
    for name, made in SIGNALS.items():
        assert set(made.regimes) == others.get(name, trends), name
    assert {n for n, m in SIGNALS.items() if m.trend_following} == {
        "funding_pressure",
        "trend_pullback",
    }
    assert Feed.FUNDING in funding_pressure.feeds


def test_thresholds_are_exchanged_and_not_changed() -> None:
    strict = replace(trend_pullback, rules=replace(trend_pullback.rules, min_strength=0.9))
    assert fires(strict, LONG) == (False, False)
    assert fires(trend_pullback, LONG) == (True, False)


GOOD = {
    "feeds": (Feed.CANDLES,),
    "needs": ("close_5m",),
    "regimes": (Regime.UP,),
    "trend_following": False,
    "max_hold_s": 60,
    "rules": None,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"feeds": ()},
        {"needs": ()},
        {"regimes": ()},
        {"regimes": (Regime.CHOPPY,)},
        {"max_hold_s": 0},
        {"cooldown_s": -1},
        {"flip_s": -1},
    ],
)
def test_a_signal_that_could_never_trade_is_refused(wrong: dict[str, object]) -> None:
    def planted(*_: object) -> None:
        """Never run."""

    with pytest.raises(DeclarationError, match="planted"):
        signal(**{**GOOD, **wrong})(planted)
    assert "planted" not in SIGNALS


def test_a_signal_name_cannot_be_declared_twice() -> None:
    def trend_pullback(*_: object) -> None:
        """Never run."""

    with pytest.raises(DeclarationError, match="twice"):
        signal(**GOOD)(trend_pullback)
    assert isinstance(SIGNALS["trend_pullback"], SignalDeclaration)


def test_every_file_of_the_package_is_found_and_its_signal_has_its_name() -> None:
    """A new signal is one file: nothing lists it."""
    folder = Path(signals.__path__[0])
    declaring = {p.stem for p in folder.glob("*.py") if "\n@signal(" in p.read_text("utf-8")}
    assert declaring == set(SIGNALS)
    for name, made in SIGNALS.items():
        assert getattr(signals, name) is made


def test_an_unknown_signal_is_named_with_those_that_are_known() -> None:
    with pytest.raises(AttributeError, match=r"trend_pulback.*trend_pullback"):
        _ = signals.trend_pulback


def test_a_signal_without_cooldown_declares_none() -> None:
    assert (trend_pullback.cooldown_s, trend_pullback.flip_s) == (0, 0)
