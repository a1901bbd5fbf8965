"""What bars carry of their flow: columns of floats beside the prices, NaN where not known."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from hydra_ft.types.market import FloatArray


@dataclass(frozen=True, slots=True)
class _Columns:
    """Arrays of shape (n,), cut together: ``columns[start:stop]`` gives views."""

    def __len__(self) -> int:
        return int(getattr(self, fields(self)[0].name).shape[0])

    def __getitem__(self, rows: slice) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, slots=True)
class FlowColumns(_Columns):
    """Trades of each bar, shape (n,) each; NaN in all but the shares where it is not whole.

    A bar is whole when the feed covered all of it and no id was missed. Volumes and deltas
    are in base currency, by the side of the taker; ``vwap`` in quote currency, NaN where
    nothing traded. A whole bar without trades is ``empty`` (1, else 0) and has zero volume.
    ``covered`` is the share of the bar that the feed covered, 0 where there is no flow bar,
    ``missing`` the number of ids missed.
    """

    buy_volume: FloatArray
    sell_volume: FloatArray
    count: FloatArray
    max_delta: FloatArray
    min_delta: FloatArray
    vwap: FloatArray
    empty: FloatArray
    covered: FloatArray
    missing: FloatArray


@dataclass(frozen=True, slots=True)
class ValueColumns(_Columns):
    """Where value was, and where each bar traded to it, shape (n,) each; NaN where not known.

    ``poc``, ``high``, ``low``, ``node_below`` and ``node_above`` are of the rolling profile
    that ends with the bar (the nodes NaN too where there are none); ``width`` is that of its
    value area with both outer ticks, so one tick at least. ``previous_*`` are of the
    last period that was complete when the bar opened, and all that follows is told against
    its value area: the share of the bar's time in which the price was above, below, and
    inside; what traded above and below, in base currency; and how often the price came back
    into value, or through it, from above and from below (``returns_*``).
    """

    poc: FloatArray
    high: FloatArray
    low: FloatArray
    width: FloatArray
    node_below: FloatArray
    node_above: FloatArray
    previous_poc: FloatArray
    previous_high: FloatArray
    previous_low: FloatArray
    time_above: FloatArray
    time_below: FloatArray
    time_inside: FloatArray
    volume_above: FloatArray
    volume_below: FloatArray
    returns_above: FloatArray
    returns_below: FloatArray


@dataclass(frozen=True, slots=True)
class FootprintColumns(_Columns):
    """Levels of each bar at which one side had far more than the other, shape (n,) each.

    NaN where a bar is not whole or its footprint not kept. ``levels`` counts the bins that traded,
    ``buy_levels`` and ``sell_levels`` those out of balance, ``*_stacks`` the runs of adjacent
    ones, ``*_longest`` the length of the longest run. ``*_stack`` is the middle of the longest
    stack, in quote currency; NaN where there is none.
    """

    levels: FloatArray
    buy_levels: FloatArray
    sell_levels: FloatArray
    buy_stacks: FloatArray
    sell_stacks: FloatArray
    buy_longest: FloatArray
    sell_longest: FloatArray
    buy_stack: FloatArray
    sell_stack: FloatArray


@dataclass(frozen=True, slots=True)
class BookColumns(_Columns):
    """The book during each bar, from samples of it, shape (n,) each.

    NaN in all but ``covered`` where the bar was not covered whole. ``order_flow`` is what came
    to the bid or left the ask between samples, summed over the bar, at the best prices;
    ``deep_flow`` the same of the best ten levels (base currency). The rest are means over the
    bar's time, but those that end in ``_close``, which are the last state: ``touch`` is the
    mean size of the two best queues (base), ``queue_imbalance`` -1..1 at the best prices,
    ``depth_imbalance`` -1..1 of the notional of ten levels and ``depth`` their notional
    (quote, both sides). ``*_offset_bps_close`` is how far a mid stands above the arithmetic
    one. ``bid_swept`` and ``ask_swept`` count the levels that trades cleared in sweeps,
    ``*_refill_per_s`` is how fast that side grew again, as a share of what the sweep had left
    (0 without a sweep); both are NaN where trades are not known.
    """

    order_flow: FloatArray
    deep_flow: FloatArray
    touch: FloatArray
    queue_imbalance: FloatArray
    queue_imbalance_close: FloatArray
    depth_imbalance: FloatArray
    depth: FloatArray
    spread_bps: FloatArray
    weighted_offset_bps_close: FloatArray
    micro_offset_bps_close: FloatArray
    bid_swept: FloatArray
    ask_swept: FloatArray
    bid_refill_per_s: FloatArray
    ask_refill_per_s: FloatArray
    covered: FloatArray


@dataclass(frozen=True, slots=True)
class ForcedColumns(_Columns):
    """Liquidations second by second, as far as a bar tells of them, shape (n,) each.

    NaN where the feed did not cover the bar, or a window that ends with it; what is held against
    the usual minute also where that is not known in every second. ``long_30_s`` and so on are
    the notional of the longs and of the shorts liquidated in the last 30, 120 and 300 s of the
    bar (quote, side of the position). ``peak_30_s`` is the most of any 30 s that ended within
    the bar, as a multiple of the pair's own usual minute. ``cascade`` is 1 where longs and -1
    where shorts cascaded within the bar (the last time, if both did), else 0; ``exhaustion``
    likewise the side whose cascade ran out within the bar.
    """

    long_30_s: FloatArray
    short_30_s: FloatArray
    long_120_s: FloatArray
    short_120_s: FloatArray
    long_300_s: FloatArray
    short_300_s: FloatArray
    peak_30_s: FloatArray
    cascade: FloatArray
    exhaustion: FloatArray
