"""Sizes of a live bot on the embedded exchange: what is bought, what is not, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from e2e.commands import force_entry
from e2e.plan import PLAN
from e2e.planned import TERMS, bars, outcomes, passes, why
from e2e.rig import BTC, STEP, Rig
from freqtrade.exceptions import OperationalException

from hydra_ft.adapter.sizes.live_sizes import SIZE_DATA
from hydra_ft.risk.policy import LimitRules, RiskPolicy, SizingRules
from hydra_ft.store.database import Database
from hydra_ft.store.sizes import SizeRow, SizeStore
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    Rigged = Callable[..., Rig]

pytestmark = pytest.mark.e2e
BOTH = pytest.mark.parametrize("side", list(Side))
STOP = 0.01
"""Of the planned signal."""


@pytest.fixture
def sized(rigged: Rigged) -> Rigged:
    TERMS.clear()

    def build(policy: RiskPolicy | None = None, **config: Any) -> Rig:
        TERMS.risk = policy or RiskPolicy(limits=LimitRules(day_flatten_loss=0.0))
        return rigged(**{"head": "SizedHead", "pairs": (BTC,)} | config)

    return build


def sizes(rig: Rig, pair: str = BTC) -> list[SizeRow]:
    """Sizes that the bot has kept, newest first, as another program reads them."""
    url = f"sqlite:///{rig.folder / 'user_data' / 'hydra.sqlite'}"
    return SizeStore(Database(url), "test").last(pair, 10)


def policy(**sizing: float) -> RiskPolicy:
    return RiskPolicy(sizing=SizingRules(**sizing), limits=LimitRules(day_flatten_loss=0.0))


def decide(rig: Rig, side: Side = Side.LONG, pair: str = BTC) -> None:
    PLAN.enter[pair] = side
    bars(rig, 1)
    PLAN.enter.clear()


@BOTH
def test_an_entry_is_as_large_as_its_stop_and_its_factors_allow(sized: Rigged, side: Side) -> None:
    rig = sized()
    equity = rig.bot.wallets.get_total_stake_amount()
    decide(rig, side)
    (kept,) = sizes(rig)
    product = 1.0
    for factor in kept.size["because"]:
        assert factor["low"] <= factor["value"] <= factor["high"]
        product *= factor["value"]
    expected = equity * 0.005 * product / (STOP + 0.001)
    assert kept.code == "ok"
    assert kept.size["capped_by"] == ""
    assert abs(rig.quantity() * rig.price() - expected) <= 2 * STEP * rig.price()
    assert kept.size["risk"] <= equity * 0.005 * 1.5
    assert kept.size["leverage"] == 3


def test_fees_that_contradict_the_policy_refuse_with_the_numbers(sized: Rigged) -> None:
    rig = sized()
    rig.bot.strategy.__dict__["_kept_fees"] = {BTC: 0.008}
    decide(rig)
    assert outcomes(rig, BTC) == ["fees_too_high"]
    (row,) = passes(rig, BTC)
    assert "break_even_at" in row.detail
    assert "0.008" in row.detail


def test_a_filled_trade_keeps_how_it_was_sized(sized: Rigged) -> None:
    rig = sized()
    decide(rig)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    kept = json.loads(rig.trade().get_custom_data(SIZE_DATA))
    assert kept == sizes(rig)[0].size
    assert outcomes(rig, BTC) == ["filled"]


@pytest.mark.parametrize("most", [1.0, 2.0, 3.0])
def test_leverage_changes_the_margin_and_never_the_risk(sized: Rigged, most: float) -> None:
    rig = sized(policy(max_leverage=most, risk_per_trade=0.001))
    equity = rig.bot.wallets.get_total_stake_amount()
    decide(rig)
    (kept,) = sizes(rig)
    product = 1.0
    for factor in kept.size["because"]:
        product *= factor["value"]
    notional = rig.quantity() * rig.price()
    assert abs(notional - equity * 0.001 * product / (STOP + 0.001)) <= 2 * STEP * rig.price()
    assert kept.size["leverage"] == most
    assert rig.trade().leverage == most
    assert abs(rig.trade().stake_amount - notional / most) < 1


def test_what_the_exchange_wants_at_least_is_refused_and_never_filled_up(
    sized: Rigged, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = sized(policy(risk_per_trade=1e-5))
    decide(rig)
    assert rig.working_orders() == []
    assert outcomes(rig, BTC) == ["below_min"]
    (row,) = passes(rig, BTC)
    assert "risk allows" in row.detail
    assert sizes(rig)[0].code == "below_min"
    assert "no size: below_min" in why(rig, capsys, "--size", "BTC")


def test_a_stop_within_twice_the_fees_of_the_venue_is_refused(sized: Rigged) -> None:
    rig = sized()
    rig.bot.exchange.get_fee = lambda *_, **__: 0.003
    decide(rig)
    assert rig.working_orders() == []
    assert outcomes(rig, BTC) == ["stop_too_tight"]


def test_a_venue_that_charges_more_than_the_policy_says_gets_no_more_of_the_budget(
    sized: Rigged,
) -> None:
    """E: one definition of R, fees included; the greater fee counts before the entry."""
    rig = sized(policy(round_trip_fee=0.0002))
    rig.bot.exchange.get_fee = lambda *_, **__: 0.002
    equity = rig.bot.wallets.get_total_stake_amount()
    decide(rig)
    row = sizes(rig)[0]
    budget = equity * RiskPolicy().sizing.risk_per_trade
    for factor in row.size["because"]:
        budget *= factor["value"]
    lost = rig.quantity() * rig.price() * (STOP + 0.004)
    assert budget - STEP * rig.price() * (STOP + 0.004) <= lost <= budget * (1 + 1e-6)


def test_a_head_whose_signal_stops_within_twice_the_policys_fees_does_not_start(
    sized: Rigged,
) -> None:
    with pytest.raises(OperationalException, match="trend_pullback: expected a stop from twice"):
        sized(policy(round_trip_fee=0.006))


def test_switched_off_the_stake_is_freqtrades_own(sized: Rigged) -> None:
    rig = sized(hydra={"bot_name": "test", "risk": {"enabled": False}})
    decide(rig)
    assert abs(rig.quantity() * rig.price() - 5000) <= STEP * rig.price()
    assert sizes(rig) == []


def test_why_shows_every_factor_of_the_last_sizes_refused_ones_too(
    sized: Rigged, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = sized()
    decide(rig)
    told = why(rig, capsys, "--size", "BTC")
    for factor in sizes(rig)[0].size["because"]:
        assert factor["name"] in told
        assert factor["why"] in told
    assert "loses" in told
    (one,) = json.loads(why(rig, capsys, "--size", "BTC", "--json"))["sizes"]
    assert one["risk"] == sizes(rig)[0].size["risk"]


def test_a_requote_keeps_the_quantity_that_was_sized(sized: Rigged) -> None:
    rig = sized()
    decide(rig)
    first = rig.quantity()
    rig.move(20.0)
    rig.until(lambda: rig.working_orders() and rig.price() == rig.bid, seconds=5, limit=10)
    assert rig.quantity() == first
    assert len(sizes(rig)) == 1


def test_what_the_operator_orders_does_not_take_the_size_of_an_entry_that_was_not_sent(
    sized: Rigged,
) -> None:
    rig = sized()
    bars(rig, 1)
    entries = rig.bot.strategy._entries
    confirm, entries.confirm = entries.confirm, lambda *_: "spread"
    decide(rig)
    entries.confirm = confirm
    bars(rig, 1)
    assert sizes(rig)[0].code == "ok"
    assert rig.working_orders() == []
    force_entry(rig, Side.LONG)
    rig.until(rig.working_orders, limit=10)
    rig.fill(rig.quantity())
    rig.step(1, times=2)
    assert rig.trade().get_custom_data(SIZE_DATA) is None


def test_a_size_that_cannot_be_made_says_of_which_pair(
    sized: Rigged, caplog: pytest.LogCaptureFixture
) -> None:
    rig = sized()
    rig.bot.strategy._stake = None
    decide(rig)
    assert rig.working_orders() == []
    assert f"custom_stake_amount failed for '{BTC}'" in caplog.text
