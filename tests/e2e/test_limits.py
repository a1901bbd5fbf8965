"""Limits of a live bot on the embedded exchange: the open book, the day, and the other bots."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from e2e.commands import force_entry
from e2e.plan import PLAN
from e2e.planned import TERMS, bars, outcomes, passes, why
from e2e.rig import BTC, ETH, Rig
from freqtrade.persistence import PairLocks

from hydra_ft.risk.limits import open_risk_quote
from hydra_ft.risk.policy import LimitRules, RiskPolicy, SizingRules
from hydra_ft.store.database import Database
from hydra_ft.store.holdings import AccountStore, HoldingRow, ReservationRow
from hydra_ft.store.sizes import SizeStore
from hydra_ft.types import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    Rigged = Callable[..., Rig]

pytestmark = pytest.mark.e2e


@pytest.fixture
def limited(rigged: Rigged) -> Rigged:
    TERMS.clear()

    def build(
        limits: LimitRules | None = None, sizing: SizingRules | None = None, **config: Any
    ) -> Rig:
        limits = limits or LimitRules(day_flatten_loss=0.0)
        TERMS.risk = RiskPolicy(sizing=sizing or SizingRules(), limits=limits)
        return rigged(**{"head": "SizedHead", "pairs": (BTC, ETH)} | config)

    return build


def decide(rig: Rig, side: Side = Side.LONG, pair: str = BTC) -> None:
    PLAN.enter.clear()
    PLAN.enter[pair] = side
    bars(rig, 1)
    PLAN.enter.clear()


def open_trade(rig: Rig, side: Side = Side.LONG, pair: str = BTC) -> None:
    decide(rig, side, pair)
    rig.fill(rig.quantity(pair), pair)
    rig.step(1, times=2)
    assert rig.trade(pair) is not None


def lose_trade(rig: Rig) -> None:
    open_trade(rig)
    rig.move(-0.03 * rig.bid)
    rig.until(lambda: not rig.position(), limit=20)
    rig.step(1, times=2)
    assert rig.closed()[-1].close_profit_abs < 0


def account(rig: Rig, bot: str = "other") -> AccountStore:
    """What bots tell each other, as another bot writes and reads it."""
    return AccountStore(Database(f"sqlite:///{rig.folder / 'user_data' / 'hydra.sqlite'}"), bot)


def put(rig: Rig, *rows: HoldingRow) -> None:
    with account(rig).turn() as told:
        told.put_holdings(rows)


def held_by(rig: Rig, bot: str = "test") -> list[HoldingRow]:
    with account(rig).look() as told:
        return [row for row in told.holdings() if row.bot == bot]


def reserved(rig: Rig) -> list[ReservationRow]:
    with account(rig).look() as told:
        return told.reservations()


def held(rig: Rig, **changed: Any) -> HoldingRow:
    """A position of another bot, told of just now."""
    usual: dict[str, Any] = {
        "bot": "other",
        "pair": BTC,
        "side": Side.LONG,
        "head": "Other",
        "notional": 1000.0,
        "stop_distance": 0.01,
        "profit": 0.0,
        "stake": 500.0,
        "updated_at": int(rig.clock_now().timestamp() * 1000),
    }
    return HoldingRow(**usual | changed)


def last_size(rig: Rig, pair: str) -> dict[str, Any]:
    url = f"sqlite:///{rig.folder / 'user_data' / 'hydra.sqlite'}"
    return dict(SizeStore(Database(url), "test").last(pair, 1)[0].size)


def test_a_second_entry_gets_what_the_open_risk_leaves(limited: Rigged) -> None:
    rig = limited(LimitRules(max_open_risk=0.005, day_flatten_loss=0.0))
    equity = rig.bot.wallets.get_total_stake_amount()
    open_trade(rig)
    decide(rig, Side.LONG, ETH)
    first, second = (last_size(rig, pair) for pair in (BTC, ETH))
    assert second["capped_by"] == "risk_room"
    # What is open counts with the fees that the exchange takes, a size with those of the policy.
    assert first["risk"] + second["risk"] <= equity * 0.005 + 0.001 * first["notional"]


def test_beyond_the_open_risk_an_entry_is_refused_with_its_number(
    limited: Rigged, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = limited()
    equity = rig.bot.wallets.get_total_stake_amount()
    put(rig, held(rig, pair=ETH, notional=equity, stop_distance=0.02))
    decide(rig)
    (row,) = passes(rig, BTC)
    assert "veto_open_risk" in row.outcomes
    assert "open risk of 0.02" in row.detail
    assert "every stop hit" in why(rig, capsys, BTC)
    assert rig.working_orders() == []


def test_a_lost_day_locks_all_pairs_and_a_restart_keeps_the_lock(limited: Rigged) -> None:
    rig = limited(
        LimitRules(day_loss=0.006, max_open_risk=0.006, day_flatten_loss=0.0),
        SizingRules(risk_per_trade=0.006, max_stake_share=1.0),
    )
    while not PairLocks.get_pair_locks("*") and len(rig.closed()) < 4:
        lose_trade(rig)
        bars(rig, 2)
    (lock,) = PairLocks.get_pair_locks("*")
    assert lock.reason.startswith("hydra risk veto_day_loss")
    decide(rig, Side.LONG, ETH)
    assert outcomes(rig, ETH) == ["veto_day_loss"]
    rig.restart()
    decide(rig, Side.LONG, ETH)
    assert outcomes(rig, ETH)[-1] == "veto_day_loss"
    assert len(PairLocks.get_pair_locks("*")) == 1


def test_what_another_bot_holds_counts_against_the_limits(limited: Rigged) -> None:
    rig = limited()
    equity = rig.bot.wallets.get_total_stake_amount()
    decided = int(equity * 2.1)
    put(rig, held(rig, notional=decided, stop_distance=0.0001, pair=ETH))
    decide(rig)
    assert rig.working_orders() == []
    assert "veto_side_share" in passes(rig, BTC)[-1].outcomes
    put(rig)
    open_trade(rig)


def test_a_losing_position_of_another_bot_is_not_added_to(limited: Rigged) -> None:
    rig = limited()
    put(rig, held(rig, profit=-5.0))
    decide(rig)
    assert outcomes(rig, BTC) == ["veto_averaging"]


def test_positions_of_a_silent_bot_count_no_more_where_that_is_asked_for(
    limited: Rigged, caplog: pytest.LogCaptureFixture
) -> None:
    rig = limited(hydra={"bot_name": "test", "risk": {"holdings_kept_s": 600}})
    long_ago = rig.clock_now() - timedelta(seconds=900)
    put(rig, held(rig, profit=-5.0, updated_at=int(long_ago.timestamp() * 1000)))
    open_trade(rig)
    assert "what it holds counts no more" in caplog.text


def test_positions_of_a_silent_bot_go_on_counting_and_the_operator_is_told_once(
    limited: Rigged, caplog: pytest.LogCaptureFixture
) -> None:
    rig = limited()
    long_ago = rig.clock_now() - timedelta(days=3)
    put(rig, held(rig, profit=-5.0, updated_at=int(long_ago.timestamp() * 1000)))
    decide(rig)
    bars(rig, 2)
    assert outcomes(rig, BTC) == ["veto_averaging"]
    told = [text for text in caplog.messages if text.startswith("Bot other was not heard of")]
    assert len(told) == 1
    assert "forgotten_bots" in told[0]


def test_a_bot_that_the_operator_forgets_counts_no_more(limited: Rigged) -> None:
    rig = limited(hydra={"bot_name": "test", "risk": {"forgotten_bots": ["other"]}})
    put(rig, held(rig, profit=-5.0))
    open_trade(rig)
    assert outcomes(rig, BTC)[0] == "filled"


def test_what_a_bot_without_a_price_holds_is_not_told_as_nothing(
    limited: Rigged, caplog: pytest.LogCaptureFixture
) -> None:
    rig = limited()
    open_trade(rig)
    rig.step(1, times=2)
    (before,) = held_by(rig)
    rig.bot.strategy.price_now = lambda _pair, _now: float("nan")
    rig.step(61, times=2)
    assert held_by(rig) == [before]
    assert sum(f"No price of {BTC}" in text for text in caplog.messages) == 1


def test_other_bots_see_what_this_one_holds_and_that_it_holds_no_more(limited: Rigged) -> None:
    rig = limited()
    open_trade(rig)
    rig.step(1, times=2)
    (seen,) = held_by(rig)
    assert (seen.bot, seen.pair, seen.side, seen.head) == ("test", BTC, Side.LONG, "SizedHead")
    assert abs(seen.notional - rig.position() * rig.bid) < 0.001 * rig.bid
    rig.move(-0.05 * rig.bid)
    rig.until(lambda: not rig.position(), limit=20)
    rig.step(1, times=3)
    assert held_by(rig) == []


def open_risk(rig: Rig) -> float:
    """What the bot counts as lost if every stop is hit (quote)."""
    strategy, now = rig.bot.strategy, int(rig.clock_now().timestamp() * 1000)
    return open_risk_quote(strategy.account_now(strategy.risk, now).book)


@pytest.mark.parametrize("chases", [True, False], ids=["chased", "plain"])
def test_an_entry_that_works_counts_once_and_with_what_its_own_stop_loses(
    limited: Rigged, *, chases: bool
) -> None:
    rig = limited(
        LimitRules(max_open_risk=0.008, day_flatten_loss=0.0),
        hydra={"bot_name": "test", "chase": {"enabled": chases}},
    )
    equity = rig.bot.wallets.get_total_stake_amount()
    decide(rig)
    rig.step(1, times=2)
    assert not rig.position()
    # What is open counts with the fees that freqtrade books, a size with those of the policy.
    first = last_size(rig, BTC)
    assert open_risk(rig) == pytest.approx(first["risk"], rel=0.08)
    (told,) = held_by(rig)
    assert told.notional == pytest.approx(first["notional"], rel=0.01)
    decide(rig, Side.LONG, ETH)
    second = last_size(rig, ETH)
    assert second["capped_by"] == "risk_room"
    assert first["risk"] + second["risk"] == pytest.approx(equity * 0.008, rel=0.08)
    rig.fill(round(0.4 * rig.quantity(), 3))
    rig.step(1, times=2)
    assert open_risk(rig) == pytest.approx(first["risk"] + second["risk"], rel=0.08)


def test_what_the_operator_orders_counts_before_it_is_filled(limited: Rigged) -> None:
    rig = limited(force_entry_enable=True)
    bars(rig, 1)
    force_entry(rig, Side.LONG, price=0.99 * rig.bid)
    rig.step(1, times=2)
    assert not rig.position()
    (told,) = held_by(rig)
    assert told.notional == pytest.approx(rig.quantity() * rig.bid, rel=0.01)
    assert told.stop_distance == pytest.approx(0.08 / rig.trade().leverage, rel=0.01)


@pytest.mark.parametrize(
    ("head", "hydra"),
    [("SizedHead", {"risk": {"enabled": False}}), ("PlannedHead", {"chase": {"enabled": False}})],
    ids=["switched_off", "without_a_policy"],
)
def test_a_bot_that_freqtrade_sizes_tells_what_it_holds_and_that_it_holds_no_more(
    limited: Rigged, head: str, hydra: dict[str, Any]
) -> None:
    rig = limited(head=head, hydra={"bot_name": "test"} | hydra)
    open_trade(rig)
    rig.step(1, times=2)
    (told,) = held_by(rig)
    assert told.notional == pytest.approx(rig.position() * rig.bid, rel=0.01)
    rig.move(-0.1 * rig.bid)
    rig.until(lambda: rig.working_orders() or not rig.position(), limit=20)
    if rig.working_orders():
        rig.fill(rig.quantity())
    rig.step(1, times=3)
    assert not rig.position()
    assert held_by(rig) == []


def test_an_entry_that_is_not_sent_gives_its_room_back_with_its_signal(limited: Rigged) -> None:
    """Not only when numbers are told again, up to a minute later."""
    rig = limited()
    bars(rig, 2)
    rig.bot.strategy._entries.confirm = lambda *_: "spread"
    rig.bot.strategy._told_at = int(rig.clock_now(minutes=10).timestamp() * 1000)
    decide(rig)
    assert [row.pair for row in reserved(rig)] == [BTC]
    bars(rig, 1)
    assert reserved(rig) == []
