"""Feeds that freqtrade does not bring, beside its candles: read from the Hydra database."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hydra_ft.adapter.recorded.book_source import BookSource, book_of
from hydra_ft.adapter.recorded.flow_source import AT_ONCE_MS, FlowSource, groups_of
from hydra_ft.adapter.recorded.forced import with_recorded_closures
from hydra_ft.adapter.recorded.kept import KeptColumns
from hydra_ft.adapter.recorded.liquidation_source import SOURCES, LiquidationSource
from hydra_ft.adapter.recorded.minutes import MINUTE_MS, SUB_MS, Minutes, flow_part_of
from hydra_ft.adapter.recorded.spans import Coverage
from hydra_ft.adapter.recorded.stretches import parts_of
from hydra_ft.bars.candles import LIQUIDATED, PRICES, timeframe_ms
from hydra_ft.bars.flow_coarser import coarser_bars
from hydra_ft.bars.flow_columns import flow_columns
from hydra_ft.bars.flow_tables import candles
from hydra_ft.decisions.evaluation import empty_bars
from hydra_ft.errors import DataError
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_books import BookStore
from hydra_ft.store.flow_derivatives import DerivativesStore
from hydra_ft.types import Bars, Feed
from hydra_ft.types.flow_columns import FlowColumns

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hydra_ft.adapter.recorded.kept import Columns, Source
    from hydra_ft.store.database import Database
    from hydra_ft.types.flow import FlowBars

RECORDED: Final = (Feed.TRADES, Feed.LIQUIDATIONS, Feed.BOOK)
"""Feeds that are laid beside the candles."""
_BY_MINUTE: Final = frozenset((Feed.TRADES, Feed.LIQUIDATIONS))


class RecordedFeeds:
    """What the Hydra database has of the pairs of one exchange.

    With ``keeps`` (a bot that trades) what was read of a pair stays in memory, and only what
    is newer is read: the columns are the same as if all had been read at once.
    """

    def __init__(self, database: Database, exchange: str, *, keeps: bool) -> None:
        self._database, self._keeps = database, keeps
        self._flow = FlowStore(database, exchange)
        self._derivatives = DerivativesStore(database, self._flow.markets)
        self._books = BookStore(database, self._flow.markets)
        self._minutes: dict[str, Minutes] = {}
        self._kept: dict[tuple[str, Feed, int], KeptColumns] = {}

    def beside(
        self, pair: str, bars: Bars, feeds: Collection[Feed], groups: Collection[str] = ()
    ) -> Bars:
        """Return the bars with the columns of ``feeds``, of those that are recorded.

        Trades give ``flow`` and, for bars up to half an hour, ``value`` and ``footprint``; the
        book gives ``book``, whose sweeps are known where trades are among the feeds;
        liquidations give sums. ``groups`` may hold ``forced``: single liquidations. Columns
        are NaN where the database does not have the whole bar.

        Raises DataError for trades or liquidations of bars that are no whole minutes,
        StoreError where the database cannot be read.
        """
        if bars.step_ms % MINUTE_MS and not _BY_MINUTE.isdisjoint(feeds):
            raise DataError(f"step_ms: expected whole minutes, was {bars.step_ms}")
        added: dict[str, Any] = {}
        if Feed.TRADES in feeds:
            added |= groups_of(self._taken((pair, Feed.TRADES), bars))
        if Feed.BOOK in feeds:
            added["book"] = book_of(
                self._taken((pair, Feed.BOOK), bars, has_trades=Feed.TRADES in feeds)
            )
        if Feed.LIQUIDATIONS in feeds:
            found = self._taken((pair, Feed.LIQUIDATIONS), bars)
            added |= {name: found[name] for name in LIQUIDATED}
        if "forced" in groups:
            bars = with_recorded_closures(bars, self._database, self._flow.markets, pair)
        return replace(bars, **added) if added else bars

    def fine(self, pair: str, timeframe: str, start: int, stop: int) -> Bars:
        """Return candles of recorded trades that open within an interval, with ``flow``.

        ``timeframe`` is a multiple of 10 s. An interval without trades is a flat bar without
        volume, at the price before, as is one of which nothing is kept: ``flow`` tells them
        apart (NaN where a bar is not whole). They begin with the first price that is known.
        """
        step_ms = timeframe_ms(timeframe)
        if step_ms % SUB_MS:
            raise DataError(f"timeframe: expected a multiple of 10s, was {timeframe!r}")
        begin, end = -(-start // step_ms) * step_ms, stop // step_ms * step_ms
        changes = self._of(pair).changes(SUB_MS, begin, end)
        at_once = range(begin, end, AT_ONCE_MS)
        known: list[Bars] = []
        for part in parts_of(begin, end, step_ms, changes, at_once):
            subs = self._of(pair).sub_bars(part.start, part.stop, has_changes=bool(changes))
            made = None if subs is None else _fine(coarser_bars(subs, step_ms), known)
            if made is not None and len(made):
                known.append(made)
        return _joined(known) if known else _without_flow(timeframe)

    def forget(self, pair: str) -> None:
        """Let go what is kept in memory of a pair."""
        self._minutes.pop(pair, None)
        for key in [key for key in self._kept if key[0] == pair]:
            del self._kept[key]

    def keep(self, pairs: Collection[str]) -> None:
        """Let go what is kept in memory of all pairs but these."""
        for pair in {*self._minutes, *(key[0] for key in self._kept)}.difference(pairs):
            self.forget(pair)

    def _of(self, pair: str) -> Minutes:
        coverage = Coverage(self._database, self._flow.markets, pair, Feed.TRADES)
        return self._minutes.setdefault(pair, Minutes(self._flow, coverage))

    def _taken(self, of: tuple[str, Feed], bars: Bars, *, has_trades: bool = False) -> Columns:
        """Columns of a pair and feed at the times of the bars, shape (n,) each."""
        source = self._source(*of, bars.step_ms, has_trades=has_trades)
        if not len(bars):
            return source.columns(0, 0)
        start, stop = int(bars.time[0]), int(bars.time[-1]) + bars.step_ms
        if self._keeps:
            key = (*of, bars.step_ms)
            found = self._kept.setdefault(key, KeptColumns(source)).over(start, stop)
        else:
            found = source.columns(start, stop)
            self.forget(of[0])
        if len(bars) == (stop - start) // bars.step_ms:
            return found
        rows = (bars.time - start) // bars.step_ms
        return {name: np.asarray(values[rows]) for name, values in found.items()}

    def _source(self, pair: str, feed: Feed, step_ms: int, *, has_trades: bool) -> Source:
        coverage = Coverage(self._database, self._flow.markets, pair, feed)
        if feed is Feed.TRADES:
            return FlowSource(self._of(pair), coverage, step_ms)
        if feed is Feed.BOOK:
            trades = (self._of(pair), replace(coverage, feed=Feed.TRADES)) if has_trades else None
            return BookSource(self._books, coverage, step_ms, trades)
        return LiquidationSource(self._derivatives, replace(coverage, sources=SOURCES), step_ms)


def _fine(bars: FlowBars, before: Sequence[Bars]) -> Bars:
    """Candles with their flow, from the first price on that is known, in them or before."""
    made = candles(bars)
    unknown = len(bars) - len(made)
    if not before or not unknown:
        return replace(made, flow=flow_columns(flow_part_of(bars, unknown, len(bars))))
    led = np.repeat(before[-1].close[-1:], unknown)
    prices: dict[str, Any] = {name: np.concatenate((led, getattr(made, name))) for name in PRICES}
    return Bars(
        time=bars.time, step_ms=bars.step_ms, volume=bars.volume, flow=flow_columns(bars), **prices
    )


def _joined(parts: Sequence[Bars]) -> Bars:
    """Candles with flow that follow each other, as one."""
    flows = [part.flow for part in parts if part.flow is not None]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("time", *PRICES, "volume")
    }
    flow = {
        f.name: np.concatenate([getattr(one, f.name) for one in flows]) for f in fields(FlowColumns)
    }
    return Bars(step_ms=parts[0].step_ms, flow=FlowColumns(**flow), **columns)


def _without_flow(timeframe: str) -> Bars:
    none = {f.name: np.empty(0) for f in fields(FlowColumns)}
    return replace(empty_bars(timeframe), flow=FlowColumns(**none))
