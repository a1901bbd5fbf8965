"""Columns of the book of a frame, from the samples that are kept.

What a bar gets depends on the samples since ten minutes before it, and on the table of the
microprice of an hour (UTC) before: a test of days and a bot that has just started give the
same. Prices go on across a change of the grid; a table is told in the finest tick of its hour.
"""

from __future__ import annotations

from dataclasses import fields
from math import lcm
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.adapter.recorded.minutes import DAY_MS, SUB_MS
from hydra_ft.adapter.recorded.spans import cut
from hydra_ft.adapter.recorded.stretches import parts_of
from hydra_ft.bars.book_columns import SWEEP_MS, TABLE_MS, columns_by_tables
from hydra_ft.bars.micro_tables import period_table
from hydra_ft.types import Bars, BookSamples
from hydra_ft.types.flow_columns import BookColumns

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.kept import Columns
    from hydra_ft.adapter.recorded.minutes import Minutes
    from hydra_ft.adapter.recorded.spans import Coverage, Span
    from hydra_ft.bars.microprice import MicropriceTable
    from hydra_ft.store.flow_books import BookStore
    from hydra_ft.types import FloatArray

    Swept = tuple[Minutes, Coverage]
    """Trades of the pair, and what is proven of them: sweeps need both."""

REACH_MS: Final = 600_000
"""A book of which no sample came for so long before a bar is not known in it."""
LONGEST_MS: Final = DAY_MS
"""Bars that are longer carry no book: their samples would have to be read at once."""
_NAMES: Final = tuple(f.name for f in fields(BookColumns))


class BookSource:
    """The book of the bars of a frame of ``step_ms``, up to a day; about an hour is read at once.

    Without ``trades`` sweeps are not known.
    """

    def __init__(
        self, store: BookStore, coverage: Coverage, step_ms: int, trades: Swept | None = None
    ) -> None:
        self._store, self._coverage, self._step_ms = store, coverage, step_ms
        self._trades = trades
        self._tables: dict[int, MicropriceTable | None] = {}
        self._read: tuple[int, int, BookSamples] | None = None

    @property
    def step_ms(self) -> int:
        """Length of the bars."""
        return self._step_ms

    def reach(self, start: int) -> int:
        """Begin of the hour before that of the oldest sample that may count."""
        return (start - SWEEP_MS - REACH_MS) // TABLE_MS * TABLE_MS - TABLE_MS

    def spans(self, start: int, stop: int) -> frozenset[Span]:
        """Return what is proven of the book, and of trades where they count, by their names."""
        of = [self._coverage, *(() if self._trades is None else (self._trades[1],))]
        return frozenset(
            (f"{one.feed}:{source}", begin, end)
            for one in of
            for source, begin, end in one.within(start, stop)
        )

    def columns(self, start: int, stop: int) -> Columns:
        """Compute the columns by names such as ``book.touch``, shape (n,) each."""
        step = self._step_ms
        found = {f"book.{n}": np.full((stop - start) // step, np.nan) for n in _NAMES}
        found["book.covered"][:] = 0.0
        if step > LONGEST_MS:
            return found
        spans = self._coverage.within(self.reach(start), stop)
        for begin, end, _ in parts_of(start, stop, step, (), self._edges(start, stop)):
            columns = self._of(begin, end, spans)
            rows = slice((begin - start) // step, (end - start) // step)
            for name in _NAMES:
                found[f"book.{name}"][rows] = getattr(columns, name)
        self._read = None
        return found

    def _edges(self, start: int, stop: int) -> range:
        """Where the parts begin that are read by themselves: hours, or bars that are longer."""
        at_once = lcm(self._step_ms, TABLE_MS)
        if at_once > LONGEST_MS or start % self._step_ms:
            at_once = -(-TABLE_MS // self._step_ms) * self._step_ms
            return range(start, stop, at_once)
        return range(start // at_once * at_once + at_once, stop, at_once)

    def _of(self, begin: int, end: int, spans: frozenset[Span]) -> BookColumns:
        if self._step_ms <= TABLE_MS:
            # While its samples are still at hand, if it is the hour that was read last.
            self._table(begin // TABLE_MS * TABLE_MS - TABLE_MS, spans)
        since = begin - SWEEP_MS - REACH_MS
        samples = self._samples(since, end)
        times = np.arange(begin, end, self._step_ms)
        price: FloatArray = np.full(times.shape, np.nan)
        trades = None
        if self._trades is not None:
            opened = since // SUB_MS * SUB_MS - 2 * SUB_MS
            trades = self._trades[0].sub_bars(opened, end, has_changes=True)
        found = columns_by_tables(
            Bars(times, self._step_ms, price, price, price, price, price),
            samples,
            _stretches(cut(spans, since, end)),
            lambda start: self._table(start, spans),
            trades=trades,
            reach_ms=REACH_MS,
        )
        oldest = self.reach(end)
        self._tables = {hour: made for hour, made in self._tables.items() if hour >= oldest}
        return found

    def _table(self, start: int, spans: frozenset[Span]) -> MicropriceTable | None:
        """Table of an hour, made once; None where that is not proven whole, or too quiet."""
        stop = start + TABLE_MS
        whole = _stretches(cut(spans, start, stop))
        if (start, stop) not in whole:
            self._tables.pop(start, None)
            return None
        if start not in self._tables:
            tick = self._store.tick(self._coverage.pair, start, stop)
            self._tables[start] = (
                None
                if tick is None
                else period_table(self._samples(start, stop), whole, start, TABLE_MS, tick)
            )
        return self._tables[start]

    def _samples(self, start: int, stop: int) -> BookSamples:
        """Samples within an interval; those of the one that was read last are at hand."""
        if self._read is None or start < self._read[0] or stop > self._read[1]:
            found = self._store.between(self._coverage.pair, start, stop)
            self._read = (start, stop, _none() if found is None else found)
        samples = self._read[2]
        rows = slice(*np.searchsorted(samples.time, (start, stop)).tolist())
        return BookSamples(**{f.name: getattr(samples, f.name)[rows] for f in fields(samples)})


def _stretches(spans: frozenset[Span]) -> list[tuple[int, int]]:
    return sorted((begin, end) for _, begin, end in spans)


def _none() -> BookSamples:
    return BookSamples(np.zeros(0, dtype=np.int64), *(np.zeros((0, 1)) for _ in range(4)))


def book_of(columns: Columns) -> BookColumns:
    """Columns that were computed, as the group of the bars."""
    return BookColumns(**{name: columns[f"book.{name}"] for name in _NAMES})
