"""Stage B while entries are chased: an entry between two children counts, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from e2e.plan import PLAN
from e2e.planned import TERMS, bars, outcomes
from e2e.rig import BTC, ETH, Rig
from e2e.test_admission import admits, decide

from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e
CHASE = {"min_requote_interval_s": 1.0, "deadline_s": 900, "max_requotes": 500}


@pytest.fixture
def planned(rigged: Callable[..., Rig]) -> Callable[..., Rig]:
    TERMS.clear()

    def build(**config: Any) -> Rig:
        hydra = {"bot_name": "test", "chase": {"entry": CHASE}, "requotes_per_minute": 1000}
        return rigged(**{"head": "PlannedHead", "pairs": (ETH, BTC), "hydra": hydra} | config)

    return build


@pytest.mark.parametrize("limit", ["max_same_side", "max_day_trades"])
def test_a_chased_entry_counts_while_freqtrade_has_no_trade_of_it(
    planned: Callable[..., Rig], limit: str
) -> None:
    """The pair that is asked first meets the loop in which the other's order was cancelled."""
    admits(**{limit: 1})
    rig = planned(max_open_trades=3)
    decide(rig, Side.LONG, BTC)
    assert outcomes(rig, BTC) == ["working"]
    PLAN.enter[ETH] = PLAN.enter[BTC] = Side.LONG
    for _ in range(30):
        rig.move(0.5)
        rig.step(5)
    (chased,) = [p for p in rig.parents() if p.pair == BTC]
    assert chased.requotes > 10
    assert [p for p in rig.parents() if p.pair == ETH] == []
    expected = {"max_same_side": "veto_side", "max_day_trades": "veto_daily"}[limit]
    assert set(outcomes(rig, ETH)) == {expected}


def test_an_entry_works_until_it_has_filled(planned: Callable[..., Rig]) -> None:
    rig = planned(pairs=(BTC,))
    decide(rig, Side.LONG)
    assert outcomes(rig, BTC) == ["working"]
    rig.fill(rig.quantity())
    bars(rig, 1)
    assert outcomes(rig, BTC) == ["filled"]


def test_a_bot_that_is_stopped_right_after_a_fill_has_told_of_it(
    planned: Callable[..., Rig],
) -> None:
    rig = planned(pairs=(BTC,))
    decide(rig, Side.LONG)
    rig.fill(rig.quantity())
    rig.step(1)
    assert rig.trade() is not None
    rig.bot.cleanup()
    assert outcomes(rig, BTC) == ["filled"]
    rig.restart()


def test_a_refusal_is_logged_once_a_reason(
    planned: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    admits(max_day_trades=1)
    rig = planned(pairs=(BTC, ETH), max_open_trades=3)
    decide(rig, Side.LONG, BTC)
    PLAN.enter[ETH] = Side.LONG
    bars(rig, 1)
    with caplog.at_level("INFO"):
        rig.step(1, times=20)
    assert len([line for line in caplog.messages if f"Entry for {ETH} refused" in line]) <= 1
