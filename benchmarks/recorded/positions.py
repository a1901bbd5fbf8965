"""Positions, and what an account that held them looks like: pure figures from plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hydra_ft.types import FloatArray, IntArray

Closes = tuple["IntArray", "FloatArray"]
"""Close times of candles (UTC ms) and their close prices, shape (n,) each."""


MOVED = 0.15
"""Part of its distance by which a stop may differ from the decided one and still be the first."""
_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Position:
    """A position that was opened and closed; times in UTC ms, money in the quote currency.

    ``profit_quote`` is net of ``fees_quote`` and ``funding_quote`` (positive: received), and
    ``profit_ratio`` is that over the margin, ``stake_quote``. ``stop`` is how far the first stop
    stood from the entry and ``fee`` the fees of entry and exit, fractions of the entry price;
    ``last_stop`` is the price of the stop at the end. NaN where there is none.
    """

    pair: str
    sign: int
    quantity: float
    opened_at: int
    closed_at: int
    open_price: float
    profit_quote: float
    profit_ratio: float
    fees_quote: float
    funding_quote: float
    tag: str = ""
    exit_reason: str = ""
    close_price: float = math.nan
    stake_quote: float = math.nan
    stop: float = math.nan
    last_stop: float = math.nan
    fee: float = math.nan

    @property
    def notional_quote(self) -> float:
        """What the position was worth at the entry."""
        return self.quantity * self.open_price

    @property
    def risk_quote(self) -> float:
        """One R: what is lost at the first stop, both fees included (``risk/exits.py``)."""
        return self.notional_quote * (self.stop + self.fee)

    @property
    def result_r(self) -> float:
        """Profit in R, NaN without a stop."""
        return self.profit_quote / self.risk_quote

    @property
    def is_stopped_first(self) -> bool:
        """Whether it was closed by its first stop, which no rule had moved.

        Told from prices, not from the words of the exit; ticks round the stop a little.
        """
        first = self.open_price * (1 - self.sign * self.stop)
        moved = self.sign * (self.last_stop - first) / self.open_price
        hit = self.sign * (self.close_price - self.last_stop) <= _HAIR * self.open_price
        return hit and abs(moved) <= MOVED * self.stop

    @property
    def signal(self) -> str:
        """Name of the signal that entered: the first word of the tag."""
        return self.tag.split("|", 1)[0]


@dataclass(frozen=True, slots=True)
class Group:
    """Positions of one kind: how many, how many won, sums of their profit in R and in quote."""

    name: str
    count: int
    won: int
    sum_r: float
    profit_quote: float

    @property
    def mean_r(self) -> float:
        """Mean profit in R."""
        return self.sum_r / self.count


@dataclass(frozen=True, slots=True)
class Account:
    """What an account did between two times; ratios of the wallet it began with, or 0..1.

    ``drawdown`` is that of the equity with open positions valued at every close,
    ``closed_drawdown`` that of closed positions alone; ``mean_ratio`` is the mean profit of what
    the position was worth at its entry. NaN where nothing was held.
    """

    count: int
    longs: int
    won: int
    net_ratio: float
    drawdown: float
    closed_drawdown: float
    profit_factor: float
    mean_ratio: float
    exposure: float
    fees_quote: float
    funding_quote: float


def exported(trade: Mapping[str, Any], decided_stop: float = math.nan) -> Position:
    """Position of a trade as freqtrade exports it, with the stop that was decided for it.

    Freqtrade's own stop, a share of the margin, stands where none was decided or a wider one.
    """
    opened = trade["amount"] * trade["open_rate"] * trade["fee_open"]
    closed = trade["amount"] * trade["close_rate"] * trade["fee_close"]
    own = abs(1 - trade["initial_stop_loss_abs"] / trade["open_rate"])
    return Position(
        pair=trade["pair"],
        sign=-1 if trade["is_short"] else 1,
        quantity=trade["amount"],
        opened_at=trade["open_timestamp"],
        closed_at=trade["close_timestamp"],
        open_price=trade["open_rate"],
        profit_quote=trade["profit_abs"],
        profit_ratio=trade["profit_ratio"],
        fees_quote=opened + closed,
        funding_quote=trade["funding_fees"] or 0.0,
        tag=trade["enter_tag"] or "",
        exit_reason=trade["exit_reason"],
        close_price=trade["close_rate"],
        stake_quote=trade["stake_amount"],
        stop=own if math.isnan(decided_stop) else min(own, decided_stop),
        last_stop=trade["stop_loss_abs"],
        fee=trade["fee_open"] + trade["fee_close"],
    )


def exposure(positions: Sequence[Position], window: tuple[int, int], slots: int) -> float:
    """Share of time and slots in the market: sum of holding times / (window x slots)."""
    begin, end = window
    held = sum(max(0, min(p.closed_at, end) - max(p.opened_at, begin)) for p in positions)
    return held / ((end - begin) * slots)


def profit_factor(profits: Sequence[float]) -> float:
    """Sum of gains over sum of losses; infinite without a loss, NaN without both."""
    gains = sum(profit for profit in profits if profit > 0)
    losses = -sum(profit for profit in profits if profit < 0)
    if losses:
        return gains / losses
    return math.inf if gains else math.nan


def drawdown(equity: FloatArray) -> float:
    """Largest fall of an equity curve (n,) below its highest value so far, as a ratio of that."""
    if not equity.size:
        return 0.0
    return float(np.max(1 - equity / np.maximum.accumulate(equity)))


def close_times(closes: Mapping[str, Closes]) -> IntArray:
    """Close times (UTC ms) of the candles of all pairs, each once, shape (n,)."""
    return np.unique(np.concatenate([at for at, _ in closes.values()]))


def equity_curve(
    positions: Sequence[Position], closes: Mapping[str, Closes], wallet: float
) -> FloatArray:
    """Equity at the close of every candle of any pair, shape (n + 1,), the wallet first.

    An open position is valued at the last close of its pair without fees and funding, which
    come in when it is closed.
    """
    times = close_times(closes)
    total = np.full(times.shape, wallet)
    for one in positions:
        at, prices = closes[one.pair]
        begin, end = np.searchsorted(times, (one.opened_at + 1, one.closed_at))
        rows = np.searchsorted(at, times[begin:end], side="right") - 1
        # A candle may not have closed yet, or the position begins with the very first one.
        seen = np.where(rows >= 0, prices[np.maximum(rows, 0)], one.open_price)
        total[begin:end] += one.sign * one.quantity * (seen - one.open_price)
        total[end:] += one.profit_quote
    return np.concatenate([[wallet], total])


def closed_curve(positions: Sequence[Position], wallet: float) -> FloatArray:
    """Wallet after each closed position, in the order of closing, the wallet first."""
    ordered = sorted(positions, key=lambda one: one.closed_at)
    return np.cumsum([wallet, *(one.profit_quote for one in ordered)])


def account(
    positions: Sequence[Position],
    closes: Mapping[str, Closes],
    window: tuple[int, int],
    wallet: float,
    slots: int,
) -> Account:
    """All figures of the positions that a wallet held in a window (UTC ms)."""
    profits = [one.profit_quote for one in positions]
    ratios = [one.profit_quote / one.notional_quote for one in positions]
    return Account(
        count=len(positions),
        longs=sum(one.sign > 0 for one in positions),
        won=sum(profit > 0 for profit in profits),
        net_ratio=sum(profits) / wallet,
        drawdown=drawdown(equity_curve(positions, closes, wallet)),
        closed_drawdown=drawdown(closed_curve(positions, wallet)),
        profit_factor=profit_factor(profits),
        mean_ratio=sum(ratios) / len(ratios) if ratios else math.nan,
        exposure=exposure(positions, window, slots),
        fees_quote=sum(one.fees_quote for one in positions),
        funding_quote=sum(one.funding_quote for one in positions),
    )


def grouped(positions: Sequence[Position], key: Callable[[Position], str]) -> list[Group]:
    """Positions by a key, the largest group first."""
    groups: dict[str, list[Position]] = {}
    for one in positions:
        groups.setdefault(key(one), []).append(one)
    rows = [
        Group(
            name=name,
            count=len(members),
            won=sum(one.profit_quote > 0 for one in members),
            sum_r=sum(one.result_r for one in members),
            profit_quote=sum(one.profit_quote for one in members),
        )
        for name, members in groups.items()
    ]
    return sorted(rows, key=lambda group: (-group.count, group.name))
