"""What counts of the other bots of an account: while they are heard of, silent, and forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_ft.adapter.sizes.book import Account, Others, Own, Share, account_of, merged, together
from hydra_ft.adapter.sizes.closed_trades import Closed, changed_from
from hydra_ft.adapter.sizes.shared_account import RESERVED_MS, Heard, others_of, roll_of
from hydra_ft.adapter.sizes.sizing import new_pauses, standing_pauses, verdict
from hydra_ft.risk.limits import Holding, open_risk_quote, room
from hydra_ft.risk.pauses import DRAWDOWN, FLATTEN, LOSS, Pause
from hydra_ft.risk.policy import LimitRules, RiskPolicy
from hydra_ft.settings import RiskSettings
from hydra_ft.store.holdings import BotRow, HoldingRow, ReservationRow, ResultRow
from hydra_ft.types import Side

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOW = 20_000 * DAY_MS + 12 * HOUR_MS
RULES = LimitRules()
SHARE = Share("binance", 5_000.0)
HELD = Holding(BTC, Side.LONG, 1_000.0, 0.01, 0.0, 400.0, "Head")


def bot(name: str, at: int = NOW, account: str = "USDT", balance: float = 5_000.0) -> BotRow:
    return BotRow(name, account, "binance", balance, None, at)


def position(name: str, at: int = NOW, pair: str = ETH, profit: float = 0.0) -> HoldingRow:
    return HoldingRow(name, pair, Side.LONG, "Head", 1_000.0, 0.01, profit, 400.0, at)


def heard(*rows: Any) -> Heard:
    kinds = (BotRow, HoldingRow, ReservationRow, ResultRow)
    sorted_out = [[row for row in rows if isinstance(row, kind)] for kind in kinds]
    return Heard(*sorted_out, pauses=())


def others(*rows: Any, **settings: Any) -> Others:
    found = heard(*rows)
    return others_of(found, roll_of(found, "me", "USDT", RiskSettings(**settings), NOW), "me", NOW)


def account(told: Others, *held: Holding, closed: tuple[Closed, ...] = ()) -> Account:
    return account_of(Own(SHARE, held, closed), told, NOW, RULES)


def test_another_bot_counts_with_equity_positions_and_what_it_has_closed() -> None:
    lost = ResultRow("you", 1, NOW - HOUR_MS, -60.0)
    found = account(others(bot("you"), position("you", profit=-5.0), lost), HELD)
    assert found.book.equity_quote == pytest.approx(9_995)
    assert found.equity_quote == pytest.approx(5_000)
    assert found.book.closed_today_quote == pytest.approx(-60)
    assert found.book.day_equity_quote == pytest.approx(10_060)
    assert open_risk_quote(found.book) == pytest.approx(10 + 15)
    assert found.drawdown.peak_quote == pytest.approx(10_060)
    assert found.losses == 0


def test_a_drawdown_of_the_account_is_one_of_each_bot() -> None:
    lost = ResultRow("you", 1, NOW - HOUR_MS, -1_000.0)
    found = account(others(bot("you", balance=4_000.0), lost))
    assert found.drawdown.peak_quote == pytest.approx(10_000)
    assert found.own_peak_quote == pytest.approx(5_000 * 10 / 9)
    paused = account(others(bot("you", balance=3_500.0), replace(lost, profit=-1_500.0)))
    assert paused.drawdown.paused_until == NOW - HOUR_MS + RULES.drawdown_pause_s * 1000


def test_bots_of_another_account_do_not_count() -> None:
    rows = (bot("you", account="EUR"), position("you"), ResultRow("you", 1, NOW, -60.0))
    assert others(*rows) == Others()


def test_a_silent_bot_leaves_less_room_and_never_more() -> None:
    """Its positions and losses count, its equity, its gains and its profit so far do not."""
    long_ago = NOW - 601_000
    lost, won = ResultRow("you", 1, NOW, -60.0), ResultRow("you", 2, NOW, 20.0)
    told = others(bot("you", long_ago), position("you", long_ago, profit=30.0), lost, won)
    assert (told.shares, told.results, told.silent.lost_today_quote) == ((), (), -40.0)
    assert [held.profit_quote for held in told.silent.feared] == [0.0]
    found = account(told, HELD).book
    assert (found.equity_quote, len(found.holdings)) == (5_000, 2)
    only_won = others(bot("you", long_ago), replace(won, profit=99.0))
    assert only_won.silent.lost_today_quote == 0.0


CLOSING = RiskPolicy(limits=LimitRules(day_loss=0.02, day_flatten_loss=0.03, max_open_risk=0.015))


@pytest.mark.parametrize(
    ("profit", "made", "own"),
    [(0.0, -160.0, 0.0), (-160.0, 0.0, 0.0), (0.0, 0.0, -160.0), (-400.0, 0.0, 0.0)],
    ids=["it has lost", "it is losing", "this one is losing", "enough for both"],
)
def test_that_a_bot_is_stopped_begins_no_pause_and_closes_nothing(
    profit: float, made: float, own: float
) -> None:
    """160 are 1.6 % of both bots and 3.2 % of one; at 3 % a day closes everything."""
    rows = [bot("you"), position("you", profit=profit), ResultRow("you", 1, NOW - HOUR_MS, made)]
    gone = [replace(r, updated_at=NOW - 660_000) if hasattr(r, "updated_at") else r for r in rows]
    held = replace(HELD, profit_quote=own)
    told, silent = account(others(*rows), held), account(others(*gone), held)
    assert new_pauses(silent, NOW, CLOSING) == new_pauses(told, NOW, CLOSING)
    assert bool(new_pauses(silent, NOW, CLOSING)) == (profit < -300)
    assert silent.own_peak_quote == pytest.approx(told.own_peak_quote)
    assert (silent.drawdown, silent.paused) == (told.drawdown, told.paused)


def test_the_open_loss_of_a_silent_bot_is_one_of_the_day_on_which_it_was_told() -> None:
    yesterday = NOW - DAY_MS
    found = account(others(bot("you", yesterday), position("you", yesterday, profit=-400.0)))
    assert new_pauses(found, NOW, CLOSING) == []
    assert found.as_told.equity_quote == pytest.approx(9_600)
    assert found.book.day_return < -0.03


def test_positions_of_a_bot_that_died_count_until_the_operator_forgets_it() -> None:
    long_ago = NOW - 90 * DAY_MS
    rows = (bot("you", long_ago), position("you", long_ago))
    assert len(others(*rows).silent.holdings) == 1
    assert others(*rows, forgotten_bots=("you",)) == Others()
    assert others(*rows, holdings_kept_s=86_400) == Others()
    assert len(others(*rows, holdings_kept_s=86_400 * 30 * 4).silent.holdings) == 1


def test_a_bot_that_tells_of_positions_alone_counts_with_them() -> None:
    """As one of an older version does."""
    told = others(position("old"))
    assert (len(told.holdings), told.shares) == (1, ())


def test_room_reserved_counts_as_held_and_once() -> None:
    kept = ReservationRow("you", ETH, Side.LONG, "Head", 3_000.0, 36.0, 900.0, NOW)
    told = others(bot("you"), kept)
    (only,) = told.holdings
    assert (only.loss_at_stop_quote, only.stake_quote) == (pytest.approx(36), 900)
    (both,) = others(bot("you"), kept, position("you", profit=-2.0)).holdings
    assert (both.notional_quote, both.profit_quote) == (3_000, -2)
    (other_way,) = others(bot("you"), replace(kept, notional=500.0), position("you")).holdings
    assert other_way.notional_quote == 1_000


def test_own_room_counts_but_for_the_entry_that_it_is_kept_for() -> None:
    kept = ReservationRow("me", ETH, Side.LONG, "Head", 1_000.0, 11.0, 400.0, NOW, is_sent=True)
    told = others(kept)
    assert told.holdings == ()
    assert open_risk_quote(account(told, HELD).book) == pytest.approx(21)
    assert open_risk_quote(account(told.but(ETH), HELD).book) == pytest.approx(10)
    assert RESERVED_MS >= 60_000


@pytest.mark.parametrize(
    ("shares", "counted"),
    [
        ([Share("binance", 6_000.0, 8_000.0), Share("binance", 7_000.0, 8_100.0)], 8_100),
        ([Share("binance", 3_000.0, 8_000.0), Share("binance", 2_000.0, 8_000.0)], 5_000),
        ([Share("binance", 6_000.0, 8_000.0), Share("bybit", 7_000.0, 8_000.0)], 13_000),
        ([Share("binance", 6_000.0), Share("binance", 7_000.0)], 13_000),
    ],
)
def test_bots_that_each_count_the_whole_wallet_do_not_double_it(
    shares: list[Share], counted: float
) -> None:
    assert together(shares) == pytest.approx(counted)


HOLDINGS = st.builds(
    Holding,
    pair=st.sampled_from([BTC, ETH]),
    side=st.sampled_from(Side),
    notional_quote=st.floats(0, 2_000),
    stop_distance=st.floats(0, 0.05),
    profit_quote=st.floats(-20, 20),
    stake_quote=st.floats(0, 500),
)


@given(held=st.lists(HOLDINGS, max_size=4), kept=st.lists(HOLDINGS, max_size=4))
def test_what_is_reserved_never_leaves_more_room(held: list[Holding], kept: list[Holding]) -> None:
    held = list({(one.pair, one.side): one for one in held}.values())
    both = merged(held, kept)
    assert len({(one.pair, one.side) for one in both}) == len(both)
    for one in held:
        (same,) = [m for m in both if (m.pair, m.side) == (one.pair, one.side)]
        assert same.loss_at_stop_quote >= one.loss_at_stop_quote
        assert same.stake_quote >= one.stake_quote


@given(
    profit=st.floats(-200, 200),
    made=st.floats(-400, 400),
    silent=st.booleans(),
    holds=st.booleans(),
)
def test_silence_leaves_no_more_room_than_a_word(
    profit: float, made: float, silent: bool, holds: bool
) -> None:
    rows = [bot("you"), ResultRow("you", 1, NOW, made)]
    rows += [position("you", profit=profit)] if holds else []
    late = [replace(r, updated_at=NOW - DAY_MS) if hasattr(r, "updated_at") else r for r in rows]
    told = room(Side.LONG, "Head", account(others(*rows), HELD).book, RULES)
    found = room(Side.LONG, "Head", account(others(*(late if silent else rows)), HELD).book, RULES)
    assert found.risk_quote <= told.risk_quote + 1e-6
    assert found.notional_quote <= told.notional_quote + 1e-6
    assert found.stake_quote <= told.stake_quote + 1e-6


def test_results_are_told_from_where_they_differ() -> None:
    first, second, third = (Closed(at, 1.0, at) for at in (10, 20, 30))
    assert changed_from(None, [first], 0) == 0
    assert changed_from([first], [first], 0) is None
    assert changed_from([first], [first, second], 0) == 20
    assert changed_from([first, second], [first, replace(second, profit_quote=2.0)], 0) == 20
    assert changed_from([first, second, third], [first, third], 0) == 20
    assert changed_from([first, second], [second, third], since=10) == 30


def test_a_pause_that_was_kept_holds_once_and_its_closing_trades_make_no_other() -> None:
    lost = (Closed(NOW - HOUR_MS, -160.0, 1),)
    alone = account(Others(), closed=lost)
    (closed,) = standing_pauses(alone, NOW)
    assert (closed.kind, closed.at) == (FLATTEN, NOW - HOUR_MS)
    begun = Pause("veto_day_loss", NOW + 6 * HOUR_MS, True, "", FLATTEN, NOW - 2 * HOUR_MS)
    seen = account(Others(pauses=(begun,)), closed=lost)
    assert standing_pauses(seen, NOW) == [begun]
    assert new_pauses(seen, NOW, RiskPolicy()) == []
    assert [one.kind for one in new_pauses(alone, NOW, RiskPolicy())] == [FLATTEN]


def test_a_pause_is_told_with_its_end_beside_the_limit_that_goes_on() -> None:
    lost = account(Others(), closed=(Closed(NOW - HOUR_MS, -110.0, 1),))
    found = verdict(BTC, Side.LONG, "Head", lost, {}, RiskPolicy(), NOW)
    assert found.codes == ("veto_day_loss",)
    assert "no entries until 2024-10-04 16:00 UTC; with every stop hit" in found.why[0]


def test_sizes_come_back_when_the_pause_of_an_open_drawdown_has_ended() -> None:
    """Whatever the loss was closed at, and if it stays open: one pause, then the new peak."""
    deep = account(Others(), replace(HELD, profit_quote=-760.0))
    (pause,) = (one for one in new_pauses(deep, NOW, RiskPolicy()) if one.kind == DRAWDOWN)
    assert pause.open_quote == pytest.approx(-760)
    kept, later = Others(pauses=(pause,)), pause.until + HOUR_MS
    closed = Own(replace(SHARE, balance_quote=4_275.0), (), [Closed(NOW + 1, -725.0, 1)])
    ended = account_of(closed, kept, later, RULES)
    assert (ended.drawdown.peak_quote, ended.own_peak_quote) == (4_275, 4_275)
    stays = account_of(Own(SHARE, [replace(HELD, profit_quote=-760.0)], ()), kept, later, RULES)
    assert stays.drawdown.peak_quote == pytest.approx(4_240)
    assert DRAWDOWN not in [one.kind for one in new_pauses(stays, later, RiskPolicy())]
    withdrawn = replace(closed, share=replace(SHARE, balance_quote=1_275.0))
    assert not account_of(withdrawn, kept, later, RULES).drawdown.paused_until > later


def test_an_account_that_is_not_known_begins_no_pause() -> None:
    """A price that is missing for a moment, as after a start, is no lost day."""
    found = account(Others(), replace(HELD, profit_quote=float("nan")))
    assert not found.book.is_known
    assert new_pauses(found, NOW, RiskPolicy()) == []
    deep = account(Others(), replace(HELD, profit_quote=-105.0))
    assert [one.kind for one in new_pauses(deep, NOW, RiskPolicy())] == [LOSS]
