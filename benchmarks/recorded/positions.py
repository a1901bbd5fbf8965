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


@dataclass(frozen=True, slots=True)
class Position:
    """A position that was opened and closed; times in UTC ms, money in the quote currency.

    ``profit_quote`` is net of ``fees_quote`` and ``funding_quote`` (positive: received), and
    ``profit_ratio`` is that over what the position cost.
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

    @property
    def signal(self) -> str:
        """Name of the signal that entered: the first word of the tag."""
        return self.tag.split("|", 1)[0]


@dataclass(frozen=True, slots=True)
class Group:
    """Positions of one kind: how many, how many won, mean and sum of their profit."""

    name: str
    count: int
    won: int
    mean_ratio: float
    profit_quote: float


@dataclass(frozen=True, slots=True)
class Account:
    """What an account did between two times; ratios of the wallet it began with, or 0..1.

    ``drawdown`` is that of the equity with open positions valued at every close,
    ``closed_drawdown`` that of closed positions alone. NaN where nothing was held.
    """

    count: int
    longs: int
    won: int
    net_ratio: float
    drawdown: float
    closed_drawdown: float
    profit_factor: float
    worst_ratio: float
    mean_ratio: float
    exposure: float
    fees_quote: float
    funding_quote: float


def exported(trade: Mapping[str, Any]) -> Position:
    """Position of a trade as freqtrade exports it."""
    opened = trade["amount"] * trade["open_rate"] * trade["fee_open"]
    closed = trade["amount"] * trade["close_rate"] * trade["fee_close"]
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


def equity_curve(
    positions: Sequence[Position], closes: Mapping[str, Closes], wallet: float
) -> FloatArray:
    """Equity at the close of every candle of any pair, shape (n,), the wallet first.

    An open position is valued at the last close of its pair without fees and funding, which
    come in when it is closed.
    """
    times = np.unique(np.concatenate([at for at, _ in closes.values()]))
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
    ratios = [one.profit_ratio for one in positions]
    return Account(
        count=len(positions),
        longs=sum(one.sign > 0 for one in positions),
        won=sum(profit > 0 for profit in profits),
        net_ratio=sum(profits) / wallet,
        drawdown=drawdown(equity_curve(positions, closes, wallet)),
        closed_drawdown=drawdown(closed_curve(positions, wallet)),
        profit_factor=profit_factor(profits),
        worst_ratio=min(ratios, default=math.nan),
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
            mean_ratio=sum(one.profit_ratio for one in members) / len(members),
            profit_quote=sum(one.profit_quote for one in members),
        )
        for name, members in groups.items()
    ]
    return sorted(rows, key=lambda group: (-group.count, group.name))
