"""The bench of sizes and stops: what it calls, and how it reads its figures."""

from __future__ import annotations

from benchmarks.risk import REQUEST, STANCE, each_us, measured, report
from hydra_ft.risk.policy import RiskPolicy
from hydra_ft.risk.sizing import size_entry


def test_what_is_timed_is_a_real_size() -> None:
    sized = size_entry(REQUEST, RiskPolicy())
    assert sized.code == "ok"
    assert sized.stake_quote > 0
    assert STANCE.highest > STANCE.entry_price


def test_every_call_of_every_round_is_made() -> None:
    calls: list[int] = []
    assert each_us(lambda: calls.append(1), calls=7, rounds=3) >= 0
    assert len(calls) == 21
    assert set(measured(calls=2, rounds=1)) == {"size", "stop"}


def test_figures_are_told_beside_what_is_asked() -> None:
    told = report({"size": 30.0, "stop": 2.5})
    assert "2,000,000 a minute, 1,000 times the 2,000" in told
    assert "stop 2.50 us, 0.50 of the 5" in told
