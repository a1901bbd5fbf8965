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
    that ends with the bar (the nodes NaN too where there are none). ``previous_*`` are of the
    last period that was complete when the bar opened, and all that follows is told against
    its value area: the share of the bar's time in which the price was above, below, and
    inside; what traded above and below, in base currency; and how often the price came back
    into value, or through it, from above and from below (``returns_*``).
    """

    poc: FloatArray
    high: FloatArray
    low: FloatArray
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
