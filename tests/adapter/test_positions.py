"""Open trades as limits count them: what is booked, and what works on the exchange."""

from __future__ import annotations

from datetime import UTC, datetime
from math import nan
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import (
    LocalTrade,
    Order,
    disable_database_use,
    enable_database_use,
)
from freqtrade.wallets import Wallets

from hydra_ft.adapter.sizes.book import own_share
from hydra_ft.adapter.sizes.positions import own_holdings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.risk.limits import Holding

NOW = datetime(2026, 1, 10, tzinfo=UTC)
PAIR, FEE, STOP, HARD = "BTC/USDT:USDT", 0.0005, 0.01, 0.09
"""Stop of the entry, and that of the head: a share of the margin, at a leverage of 3."""


@pytest.fixture(autouse=True)
def _books() -> Iterator[None]:
    """Freqtrade's books as a backtest has them."""
    disable_database_use("5m")
    yield
    LocalTrade.reset_trades()
    enable_database_use()


def trade(*, is_short: bool = False) -> LocalTrade:
    """Freqtrade books an entry with an amount of 0."""
    made = LocalTrade(
        id=1,
        pair=PAIR,
        stake_currency="USDT",
        open_rate=100.0,
        open_date=NOW,
        stake_amount=1000.0,
        amount=0,
        amount_requested=30.0,
        fee_open=FEE,
        fee_close=FEE,
        is_open=True,
        exchange="binance",
        is_short=is_short,
        leverage=3.0,
        amount_precision=0.001,
        price_precision=0.01,
        precision_mode=4,
        precision_mode_price=4,
        contract_size=1,
    )
    made.adjust_stop_loss(100.0, -HARD, initial=True)
    LocalTrade.add_bt_trade(made)
    return made


def order(of: LocalTrade, amount: float, filled: float = 0.0, *, is_open: bool = True) -> None:
    values: dict[str, Any] = {"ft_trade_id": 1, "order_id": str(len(of.orders)), "order_date": NOW}
    made = Order(
        ft_is_open=is_open,
        ft_pair=PAIR,
        ft_order_side=of.entry_side,
        side=of.entry_side,
        status="open" if is_open else "closed",
        ft_price=100.0,
        price=100.0,
        average=100.0,
        amount=amount,
        filled=filled,
        remaining=amount - filled,
        **values,
    )
    made._trade_bt = of
    of.orders.append(made)
    of.recalc_trade_from_orders()


def only(price: float = 100.0, stop: float = STOP) -> Holding:
    (held,) = own_holdings("Head", lambda _pair: price, lambda _trade: stop).values()
    return held


@pytest.mark.parametrize("is_short", [False, True])
@pytest.mark.parametrize("filled", [0.0, 12.0])
def test_an_order_that_works_counts_in_full_at_the_stop_of_its_entry(
    filled: float, *, is_short: bool
) -> None:
    order(trade(is_short=is_short), 30.0, filled)
    held = only()
    assert held.notional_quote == pytest.approx(3000)
    assert held.loss_at_stop_quote == pytest.approx(3000 * (STOP + 2 * FEE))
    assert held.stake_quote == pytest.approx(1000)


def test_what_an_order_has_filled_counts_with_its_profit_before_it_is_booked() -> None:
    order(trade(), 30.0, 12.0)
    fees = 2 * FEE * 30 * 99.5
    assert only(99.5).profit_quote == pytest.approx(-0.5 * 12 - fees)


def test_what_no_signal_has_declared_stands_to_lose_up_to_freqtrades_stop() -> None:
    order(trade(), 30.0)
    assert only(stop=0.0).loss_from_here_quote == pytest.approx(3000 * HARD / 3)


def test_a_booked_part_keeps_its_stop_and_the_rest_has_that_of_the_entry() -> None:
    made = trade()
    order(made, 10.0, 10.0, is_open=False)
    made.stop_loss = 99.5
    order(made, 20.0)
    held = only()
    assert held.notional_quote == pytest.approx(3000)
    assert held.loss_from_here_quote == pytest.approx(1000 * 0.005 + 2000 * STOP)
    assert held.stake_quote == pytest.approx(1000)


@pytest.mark.parametrize("amount", [30.0, 0.0])
def test_without_a_price_nothing_is_known_of_a_trade(amount: float) -> None:
    made = trade()
    if amount:
        order(made, amount)
    assert not only(nan).notional_quote >= 0


@pytest.mark.parametrize("given", [{}, {"available_capital": 10_000.0}])
def test_what_a_partial_exit_has_made_is_in_the_equity_once(given: dict[str, float]) -> None:
    made = trade()
    order(made, 30.0, 30.0, is_open=False)
    made.realized_profit = 200.0
    tied = float(made.stake_amount)
    config = {"stake_currency": "USDT", "tradable_balance_ratio": 1.0} | given
    config |= {"exchange": {"name": "binance"}}
    wallets: Any = SimpleNamespace(
        _config=config, _stake_currency="USDT", get_free=lambda _: 10_200.0 - tied
    )
    wallets.get_total_stake_amount = lambda: Wallets.get_total_stake_amount(wallets)
    balance = own_share(wallets, config, is_real=False).balance_quote
    fees = 2 * FEE * 3000
    assert balance + only().profit_quote == pytest.approx(10_200 - fees)
