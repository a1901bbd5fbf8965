"""What stands against one more entry, limit by limit."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk.samples import book, holding, request

from hydra_ft.risk import codes
from hydra_ft.risk.codes import OK
from hydra_ft.risk.limits import (
    Book,
    Holding,
    LimitVerdict,
    Room,
    correlated_share,
    judge,
    open_risk_quote,
    room,
)
from hydra_ft.risk.policy import LimitRules, RiskPolicy
from hydra_ft.risk.sizing import size_entry
from hydra_ft.risk.tail import TailRisk
from hydra_ft.types import Side

RULES = LimitRules()
ETH = "ETH/USDT:USDT"
BTC = "BTC/USDT:USDT"


def asked(standing: Book, *, side: Side = Side.LONG, **changes: object) -> LimitVerdict:
    """Judge an ETH entry of HydraFlow that has nothing to do with what is held."""
    return judge(
        ETH,
        side,
        "HydraFlow",
        standing,
        changes.pop("rules", RULES),
        correlations=changes.pop("correlations", {BTC: 0.0}),
        **changes,
    )


def test_an_empty_book_lets_everything_pass() -> None:
    verdict = asked(book())
    assert (verdict.code, verdict.codes) == (OK, ())
    assert room(Side.LONG, "HydraFlow", book(), RULES) == Room(
        pytest.approx(150), pytest.approx(20_000), pytest.approx(10_000)
    )


def test_the_loss_at_a_stop_counts_what_is_won_or_lost_on_the_way() -> None:
    assert holding(profit_quote=-3.0).loss_at_stop_quote == pytest.approx(13)
    assert holding(profit_quote=4.0).loss_at_stop_quote == pytest.approx(6)
    assert holding(profit_quote=25.0).loss_at_stop_quote == 0


def test_winners_do_not_pay_for_the_open_risk_of_losers() -> None:
    standing = book(holding(profit_quote=500.0), holding(pair=ETH, profit_quote=-3.0))
    assert open_risk_quote(standing) == pytest.approx(13)


def test_a_position_without_a_stop_risks_all_of_itself() -> None:
    assert asked(book(holding(stop_distance=1.0))).code == codes.VETO_DAY_LOSS


def test_open_risk_has_a_cap_below_the_budget_of_the_day() -> None:
    """1.5 % of 10,000: 150."""
    assert asked(book(holding(notional_quote=14_900))).code == OK
    assert room(Side.SHORT, "x", book(holding(notional_quote=14_900)), RULES).risk_quote == (
        pytest.approx(1)
    )
    assert asked(book(holding(notional_quote=15_000))).code == codes.VETO_OPEN_RISK


def test_the_day_counts_what_is_closed_and_what_may_still_be_lost() -> None:
    """Budget 200: 100 are lost, 90 are at risk; 10 are left, and none with 100 at risk."""
    standing = book(holding(notional_quote=9_000), closed_today=-100.0)
    assert asked(standing).code == OK
    assert room(Side.LONG, "HydraFlow", standing, RULES).risk_quote == pytest.approx(10)
    full = book(holding(notional_quote=10_000), closed_today=-100.0)
    assert asked(full).code == codes.VETO_DAY_LOSS
    assert room(Side.LONG, "HydraFlow", full, RULES).risk_quote == pytest.approx(0, abs=1e-9)


def test_what_a_stop_has_locked_in_is_not_counted_on() -> None:
    """A price may jump over that stop too."""
    standing = book(holding(profit_quote=5_000.0), closed_today=-200.0)
    assert asked(standing).code == codes.VETO_DAY_LOSS


@pytest.mark.parametrize(
    ("held", "side", "code"),
    [
        ({"pair": ETH, "profit_quote": -0.01}, Side.LONG, codes.VETO_AVERAGING),
        ({"pair": ETH, "profit_quote": 0.01}, Side.LONG, OK),
        ({"pair": ETH, "profit_quote": -0.01, "side": Side.SHORT}, Side.LONG, OK),
        ({"pair": BTC, "profit_quote": -0.01}, Side.LONG, OK),
    ],
)
def test_no_averaging_down(held: dict[str, object], side: Side, code: str) -> None:
    """A second entry on the same pair and side while one is under water is refused."""
    assert asked(book(holding(**held)), side=side, correlations={BTC: 0.0, ETH: 0.0}).code == code


def test_each_side_has_a_cap_of_its_own() -> None:
    standing = book(holding(notional_quote=20_000, stop_distance=0.001))
    assert asked(standing).code == codes.VETO_SIDE_SHARE
    assert asked(standing, side=Side.SHORT).code == OK
    assert room(Side.LONG, "HydraFlow", standing, RULES).notional_quote == 0


def test_capital_is_counted_per_head() -> None:
    rules = LimitRules(max_head_share=0.05)
    standing = book(holding())
    assert asked(standing, rules=rules).code == codes.VETO_CAPITAL
    assert asked(book(holding(head="HydraScalp")), rules=rules).code == OK
    assert room(Side.LONG, "HydraScalp", standing, rules).stake_quote == pytest.approx(500)


@pytest.mark.parametrize(
    ("held", "correlation", "share"),
    [
        (Side.LONG, 0.8, 0.8),
        (Side.SHORT, 0.8, 0.0),
        (Side.SHORT, -0.8, 0.8),
        (Side.LONG, -0.8, 0.0),
        (Side.LONG, 0.5, 0.5),
        (Side.LONG, 0.49, 0.0),
        (Side.LONG, nan, 1.0),
        (Side.LONG, None, 1.0),
        (Side.SHORT, None, 1.0),
    ],
)
def test_correlation_is_signed_by_both_sides(
    held: Side, correlation: float | None, share: float
) -> None:
    """A hedge is no duplicate (F-E18); a pair of which nothing is known is one."""
    known = {} if correlation is None else {BTC: correlation}
    standing = book(holding(side=held, notional_quote=10_000))
    assert correlated_share(Side.LONG, standing, known, RULES) == pytest.approx(share)


def test_correlated_exposure_has_a_cap() -> None:
    standing = book(holding(notional_quote=12_500, stop_distance=0.001))
    assert asked(standing, correlations={BTC: 0.8}).code == codes.VETO_CORR
    assert asked(standing, correlations={BTC: 0.79}).code == OK


def test_the_tail_is_judged_with_the_entry_in_it() -> None:
    standing = book()
    assert asked(standing, tail=TailRisk(500, 800)).code == OK
    assert asked(standing, tail=TailRisk(501, 800)).code == codes.VETO_VAR
    assert asked(standing, tail=TailRisk(500, 801)).code == codes.VETO_VAR
    assert asked(standing, tail=TailRisk(nan, nan)).code == codes.VETO_VAR


@pytest.mark.parametrize(
    "standing",
    [
        book(equity=0.0),
        book(equity=-1.0),
        book(equity=nan),
        book(closed_today=nan),
        book(holding(stop_distance=nan)),
        book(holding(profit_quote=nan)),
        book(holding(notional_quote=inf)),
        Book((), 10_000.0, 0.0, 0.0),
    ],
)
def test_a_book_that_is_not_known_lets_nothing_pass(standing: Book) -> None:
    assert asked(standing).codes == (codes.ACCOUNT_UNKNOWN,)
    assert asked(standing).why[0]
    assert room(Side.LONG, "HydraFlow", standing, RULES) == Room(0, 0, 0)


def test_every_failing_limit_is_told_in_the_declared_order() -> None:
    standing = book(
        holding(pair=ETH, notional_quote=25_000, profit_quote=-1.0, stake_quote=10_000),
    )
    verdict = asked(standing, tail=TailRisk(1e6, 1e6))
    elsewhere = {codes.ACCOUNT_UNKNOWN, codes.VETO_DRAWDOWN}
    assert verdict.codes == tuple(c for c in codes.LIMIT_CODES if c not in elsewhere)
    assert len(verdict.why) == len(verdict.codes)
    assert all(verdict.why)


HOLDINGS = st.builds(
    Holding,
    pair=st.sampled_from([BTC, ETH, "SOL/USDT:USDT"]),
    side=st.sampled_from(Side),
    notional_quote=st.floats(0, 20_000),
    stop_distance=st.floats(-0.01, 1),
    profit_quote=st.floats(-200, 200),
    stake_quote=st.floats(0, 5_000),
    head=st.sampled_from(["HydraFlow", "HydraScalp"]),
)
BOOKS = st.builds(
    Book,
    holdings=st.lists(HOLDINGS, max_size=4).map(tuple),
    equity_quote=st.floats(1, 20_000),
    day_equity_quote=st.floats(1, 20_000),
    closed_today_quote=st.floats(-300, 300),
)


@given(standing=BOOKS, side=st.sampled_from(Side), stop=st.floats(0.002, 0.1))
def test_a_size_that_keeps_to_the_room_keeps_to_every_limit_afterwards(
    standing: Book, side: Side, stop: float
) -> None:
    free = room(side, "HydraFlow", standing, RULES)
    assert all(isfinite(v) and v >= 0 for v in (free.risk_quote, free.notional_quote))
    sized = size_entry(
        request(
            side=side,
            stop=stop,
            equity_quote=standing.equity_quote,
            peak_equity_quote=standing.equity_quote,
            risk_room_quote=free.risk_quote,
            notional_room_quote=free.notional_quote,
            max_stake_quote=free.stake_quote,
        ),
        RiskPolicy(),
    )
    fee = sized.risk_quote - sized.notional_quote * stop
    added = Holding(ETH, side, sized.notional_quote, stop, -fee, sized.stake_quote, "HydraFlow")
    after = replace(standing, holdings=(*standing.holdings, added))
    if sized.code == OK:
        slack = 1e-6 * standing.equity_quote
        assert open_risk_quote(after) <= RULES.max_open_risk * standing.equity_quote + slack
        assert after.day_at_stops >= -RULES.day_loss - 1e-6
        on_side = sum(h.notional_quote for h in after.holdings if h.side is side)
        assert on_side <= RULES.max_side_share * standing.equity_quote + slack
    assert asked(after, side=side).code != OK or free.risk_quote > 0
