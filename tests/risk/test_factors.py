"""Each factor alone: its value, its bounds, and what of them a product may come to."""

from __future__ import annotations

from math import prod

import pytest
from risk.samples import policy, request

from hydra_ft.risk.factors import factors, volatility_factor
from hydra_ft.risk.sizing import size_entry


def value_of(name: str, **changes: object) -> float:
    found = {factor.name: factor.value for factor in factors(request(**changes), policy())}
    return found[name]


CONVICTION = ("bias", "regime", "expansion", "losses")


def conviction(**changes: object) -> tuple[float, float]:
    """The product of the four, and what is left of it within its bounds."""
    found = factors(request(**changes), policy())
    product = prod(f.value for f in found if f.name in CONVICTION)
    return product, product * next(f.value for f in found if f.name == "conviction_bounds")


@pytest.mark.parametrize(
    ("changes", "product", "clipped"),
    [
        ({"bias_strength": 0.8, "regime_confidence": 0.9}, 1.3144, 1.3144),
        ({"regime_confidence": 0.5, "vol_expansion": 1.6, "losses": 2}, 0.504, 0.504),
        ({"regime_confidence": 0.5, "vol_expansion": 1.6, "losses": 3}, 0.441, 0.5),
        ({"bias_strength": 1.0, "regime_confidence": 1.0, "vol_expansion": 0.5}, 1.716, 1.5),
    ],
)
def test_x40_the_multipliers_of_the_engine(
    changes: dict[str, float], product: float, clipped: float
) -> None:
    assert conviction(**changes) == (pytest.approx(product), pytest.approx(clipped))


def test_the_floor_of_the_conviction_does_not_make_up_for_a_drawdown() -> None:
    """A floor for the whole product would hold half the risk just before the limit."""
    shallow = size_entry(request(equity_quote=10_000 * 0.99), policy())
    deep = size_entry(request(equity_quote=10_000 * 0.851), policy())
    assert deep.notional_quote < shallow.notional_quote * 0.02


def test_x86_at_its_target_a_volatility_changes_nothing_and_above_it_takes_away() -> None:
    """The audited sigmoid gave 1.25 at the target."""
    for yearly, factor in ((0.075, 1.0), (0.15, 1.0), (0.165, 0.15 / 0.165), (0.30, 0.5)):
        found = volatility_factor(yearly / 365**0.5, 365, 0.15)
        assert found.value == pytest.approx(factor)


def test_a_year_of_crypto_has_365_days() -> None:
    """5m bars: 105,120 a year. F-E17: the audited system took 252 days."""
    found = volatility_factor(0.002, 365 * 288, 0.6)
    assert found.why == "0.65 a year, target 0.6"


@pytest.mark.parametrize(
    ("name", "changes", "value"),
    [
        ("confidence", {"confidence": 0.8}, 1.0),
        ("confidence", {"confidence": 0.6}, 0.75),
        ("confidence", {"confidence": 1.0}, 1.0),
        ("expansion", {"vol_expansion": 1.5}, 1.0),
        ("expansion", {"vol_expansion": 1.51}, 0.7),
        ("expansion", {"vol_expansion": 0.7}, 1.0),
        ("expansion", {"vol_expansion": 0.69}, 1.2),
        ("losses", {"losses": 5}, 0.5),
        ("losses", {"losses": 50}, 0.5),
        ("drawdown", {"equity_quote": 9_250.0}, 0.5),
        ("drawdown", {"equity_quote": 12_000.0}, 1.0),
        ("drawdown", {"equity_quote": 5_000.0}, 0.0),
        ("correlation", {"correlated_share": 0.25}, 0.75),
        ("correlation", {"correlated_share": 1.0}, 0.0),
        ("correlation", {"correlated_share": 7.0}, 0.0),
    ],
)
def test_a_factor_by_its_input(name: str, changes: dict[str, float], value: float) -> None:
    assert value_of(name, **changes) == pytest.approx(value)


def test_every_factor_stands_in_because_with_its_reason() -> None:
    sized = size_entry(request(losses=2, correlated_share=0.25), policy())
    assert [factor.name for factor in sized.because] == [
        *CONVICTION,
        "confidence",
        "volatility",
        "drawdown",
        "correlation",
        "conviction_bounds",
    ]
    assert all(factor.why for factor in sized.because)
    total = prod(factor.value for factor in sized.because)
    assert sized.risk_quote == pytest.approx(10_000 * 0.005 * total)
