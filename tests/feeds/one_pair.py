"""The recorder of one pair, and trades for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.recording import QUICK, rows_of

from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.normal import BUY, SELL, PublicTrade
from hydra_ft.feeds.recorder_pair import PairRecorder
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.types.flow import NO_ID, TradeGrid

if TYPE_CHECKING:
    from hydra_ft.feeds.sink import Resume

T0 = 1_700_000_000_000
GRID = TradeGrid(tick_size=0.1, lot_size=0.001)


def trade(number: int, time: int, lots: int = 1, first: int | None = None) -> PublicTrade:
    first = number if first is None else first
    return PublicTrade(first, number, T0 + time, 100.0, lots * 0.001, BUY, str(number))


def named(key: str, time: int) -> PublicTrade:
    return PublicTrade(NO_ID, NO_ID, T0 + time, 100.0, 0.001, SELL, key)


def pair(venue: Any = BINANCE, resume: Resume | None = None, **policy: Any) -> PairRecorder:
    return PairRecorder(venue, "X", GRID, RecorderPolicy(**{**QUICK, **policy}), resume)


def closed(one: PairRecorder, until: int, now_s: float = 0.0) -> list[tuple[int, ...]]:
    """Sub-bars that close up to a time after T0."""
    flow = one.close(T0 + until, now_s)
    return rows_of(flow.sub_bars) if flow else []
