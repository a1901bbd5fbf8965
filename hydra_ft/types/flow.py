"""Trades, and what is folded from them: flow bars, footprints.

Prices and quantities are counted in whole ticks and lots, so that every sum is exact, whatever
the order of the additions. Times are UTC milliseconds since the epoch, arrays oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hydra_ft.types.market import BoolArray, FloatArray, IntArray

    SideArray = NDArray[np.int8]

NO_ID: Final = -1
"""Id of a trade, or of a bar's first and last, where the venue gives none."""
UNKNOWN: Final = -1
"""A price in ticks, or a bin, that is not known: no trade has been seen yet."""


@dataclass(frozen=True, slots=True)
class Trades:
    """Public trades of one pair in the order of their arrival, all arrays of shape (n,).

    ``side`` is the aggressor's: 1 where the taker bought, -1 where he sold. ``id`` is the
    venue's number of the trade, ``NO_ID`` where it has none.
    """

    id: IntArray
    time: IntArray
    price: FloatArray
    quantity: FloatArray
    side: SideArray

    def __len__(self) -> int:
        return int(self.time.shape[0])

    def part(self, start: int | None, stop: int | None) -> Trades:
        """Trades ``start`` to ``stop`` (as in slicing), as views."""
        return Trades(**{f.name: getattr(self, f.name)[start:stop] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class TradeGrid:
    """The steps in which prices and quantities of a pair are counted.

    ``tick_size`` in quote currency, ``lot_size`` in base currency; a footprint's bin holds
    ``bin_ticks`` ticks: bin b holds the ticks from b * bin_ticks to (b + 1) * bin_ticks - 1.
    Raises DataError for a step that is not positive.
    """

    tick_size: float
    lot_size: float
    bin_ticks: int = 1

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size", "bin_ticks"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise DataError(f"{name}: expected a positive number, was {value}")

    @property
    def ticks_per_quote(self) -> float:
        """Ticks in one unit of the quote currency."""
        return _reciprocal(self.tick_size)

    @property
    def lots_per_base(self) -> float:
        """Lots in one unit of the base currency."""
        return _reciprocal(self.lot_size)

    def prices(self, ticks: IntArray | FloatArray) -> FloatArray:
        """Prices in quote currency; NaN where the ticks are ``UNKNOWN`` (negative) or NaN."""
        steps = np.asarray(ticks, dtype=np.float64)
        return np.where(steps >= 0, _counted(steps, self.tick_size), np.nan)

    def quantities(self, lots: IntArray) -> FloatArray:
        """Quantities in base currency; negative lots give negative quantities."""
        return _counted(np.asarray(lots, dtype=np.float64), self.lot_size)


def _reciprocal(step: float) -> float:
    """Return 1 / step, whole where it is meant to be: the float 0.1 stands for a tenth."""
    steps = 1.0 / step
    return float(round(steps)) if abs(steps - round(steps)) < 1e-9 * steps else steps


def _counted(steps: FloatArray, size: float) -> FloatArray:
    """Return steps * size; by dividing where 1 / size is whole, which gives the nearest float."""
    per_unit = _reciprocal(size)
    whole = size < 1 and per_unit == round(per_unit)
    return np.asarray(steps / per_unit if whole else steps * size, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class FlowBars:
    """Closed bars folded from trades, one row per interval of ``step_ms``, shape (n,) each.

    Prices are in ticks, quantities in lots, ``notional`` in ticks times lots. A bar without
    trades has zero flow and the last price carried through (``empty``); before the first
    trade the price is ``UNKNOWN``. ``max_delta`` and ``min_delta`` are the extremes of the
    running delta, after each trade. What went wrong is counted beside what went right:

    - ``missing_ids``: ids between the last trade before the bar and its own last trade that
      had not come by the time it closed (venues with contiguous ids only);
    - ``duplicates``: trades that came again, and were not counted again;
    - ``late``: trades that came while this bar was open, but belong to an earlier one that
      had closed: they are in no bar;
    - ``disordered``: trades that came after one with a later time (or a higher id at the
      same time): counted, but the path of the running delta is that of arrival within each
      sub-bar (the path of a bar goes from sub-bar to sub-bar);
    - ``uncovered_ms``: how much of the bar the feed did not cover; a sub-bar without trades
      between two trades whose ids do not follow was not, if that was known when it closed.
    """

    grid: TradeGrid
    step_ms: int
    time: IntArray
    open_ticks: IntArray
    high_ticks: IntArray
    low_ticks: IntArray
    close_ticks: IntArray
    buy_lots: IntArray
    sell_lots: IntArray
    notional: IntArray
    count: IntArray
    buy_count: IntArray
    max_delta_lots: IntArray
    min_delta_lots: IntArray
    first_id: IntArray
    last_id: IntArray
    missing_ids: IntArray
    duplicates: IntArray
    late: IntArray
    disordered: IntArray
    uncovered_ms: IntArray

    def __len__(self) -> int:
        return int(self.time.shape[0])

    @property
    def empty(self) -> BoolArray:
        """Bars in which nothing traded: their price is carried, their delta 0."""
        return np.equal(self.count, 0)

    @property
    def whole(self) -> BoolArray:
        """Bars of which the feed covered all of the time, and no trade is known to be missing.

        What later bars tell counts too: a bar before a hole, and those in it, are not whole.
        """
        return np.logical_and(np.equal(self.uncovered_ms, 0), ~self.doubted()[0])

    def doubted(self) -> tuple[BoolArray, bool]:
        """Bars of which trades may be missing, shape (n,), and whether bars before them are too.

        Ids are missed when the next one comes, so what they lie in reaches back to the bar
        before in which something traded, unless that one's last id is just before; a trade
        that comes late belongs to a bar that had closed, as a rule the one before.
        """
        told = np.flatnonzero((self.missing_ids > 0) | (self.late > 0))
        edges = np.zeros(len(self) + 1, dtype=np.int64)
        if not told.size:
            return np.not_equal(edges[:-1], 0), False
        traded = np.maximum.accumulate(np.where(self.count > 0, np.arange(len(self)), -1))
        before = np.where(told > 0, traded[told - 1], -1)
        follows = (before >= 0) & (self.first_id[told] == self.last_id[before] + 1)
        missed = np.where(self.missing_ids[told] > 0, np.where(follows, told, before), told)
        first = np.where(self.late[told] > 0, np.minimum(missed, told - 1), missed)
        np.add.at(edges, np.maximum(first, 0), 1)
        np.subtract.at(edges, told + 1, 1)
        return np.cumsum(edges[:-1]) > 0, bool((first < 0).any())

    @property
    def open(self) -> FloatArray:
        """First price, in quote currency."""
        return self.grid.prices(self.open_ticks)

    @property
    def high(self) -> FloatArray:
        """Highest price, in quote currency."""
        return self.grid.prices(self.high_ticks)

    @property
    def low(self) -> FloatArray:
        """Lowest price, in quote currency."""
        return self.grid.prices(self.low_ticks)

    @property
    def close(self) -> FloatArray:
        """Last price, in quote currency."""
        return self.grid.prices(self.close_ticks)

    @property
    def buy_volume(self) -> FloatArray:
        """What takers bought, in base currency."""
        return self.grid.quantities(self.buy_lots)

    @property
    def sell_volume(self) -> FloatArray:
        """What takers sold, in base currency."""
        return self.grid.quantities(self.sell_lots)

    @property
    def volume(self) -> FloatArray:
        """What traded, in base currency."""
        return self.grid.quantities(self.buy_lots + self.sell_lots)

    @property
    def delta(self) -> FloatArray:
        """Bought less sold by takers, in base currency."""
        return self.grid.quantities(self.buy_lots - self.sell_lots)

    @property
    def max_delta(self) -> FloatArray:
        """Highest running delta within the bar, in base currency."""
        return self.grid.quantities(self.max_delta_lots)

    @property
    def min_delta(self) -> FloatArray:
        """Lowest running delta within the bar, in base currency."""
        return self.grid.quantities(self.min_delta_lots)

    @property
    def vwap(self) -> FloatArray:
        """Volume-weighted price, in quote currency; NaN where nothing traded."""
        lots = (self.buy_lots + self.sell_lots).astype(np.float64)
        ticks = np.divide(self.notional, lots, out=np.full(len(self), np.nan), where=lots > 0)
        return self.grid.prices(ticks)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Volume at price of n bars, as compressed rows: bar i has cells offsets[i] to offsets[i+1].

    ``bin`` is in units of ``grid.bin_ticks`` ticks, strictly increasing within a bar; ``buy``
    and ``sell`` in lots by the aggressor. ``offsets`` has shape (n + 1,), the rest one entry
    per level that traded.
    """

    grid: TradeGrid
    offsets: IntArray
    bin: IntArray
    buy: IntArray
    sell: IntArray

    def __len__(self) -> int:
        return int(self.offsets.shape[0]) - 1


@dataclass(frozen=True, slots=True)
class Flow:
    """What closed: bars with their footprint, and the sub-bars that they consist of."""

    bars: FlowBars
    footprint: Footprint
    sub_bars: FlowBars
