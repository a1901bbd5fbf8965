"""How long a state lasts, and how often it turns back at once: pure counts over arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_ft.types import BoolArray, IntArray

WHIPSAW_BARS = 3
"""A switch is undone when the state before it comes back within so many bars."""


@dataclass(frozen=True, slots=True)
class Dwell:
    """Switches of a state over some stretches of bars.

    ``lengths`` are the bars of every completed stay: those at the edge of a stretch are
    left out, because they are longer than what was seen. Of the switches, ``judged`` have
    enough bars after them to see whether they are undone, and ``undone`` were.
    """

    bars: int
    switches: int
    judged: int
    undone: int
    lengths: IntArray

    @property
    def whipsaw_rate(self) -> float:
        """Share of the judged switches that were undone, 0..1; NaN without any."""
        return self.undone / self.judged if self.judged else float("nan")

    @property
    def switches_per_bar(self) -> float:
        """Switches a bar; NaN without bars."""
        return self.switches / self.bars if self.bars else float("nan")

    def length_at(self, percentile: float) -> float:
        """Bars of a completed stay at a percentile (0..100); NaN without any."""
        return float(np.percentile(self.lengths, percentile)) if self.lengths.size else float("nan")


def stretches(values: IntArray, known: BoolArray) -> list[IntArray]:
    """Cut values (n,) into the parts in which all are known."""
    edges = np.flatnonzero(np.diff(known.astype(np.int8))) + 1
    parts = np.split(np.arange(values.shape[0]), edges)
    return [values[rows] for rows in parts if rows.size and known[rows[0]]]


def dwell(parts: Iterable[IntArray]) -> Dwell:
    """Count over stretches of bars; no switch is seen between two of them."""
    bars = switches = judged = undone = 0
    lengths: list[IntArray] = []
    for states in parts:
        at = np.flatnonzero(np.diff(states)) + 1
        after = at[at + WHIPSAW_BARS < states.shape[0]]
        back = [np.any(states[i + 1 : i + 1 + WHIPSAW_BARS] == states[i - 1]) for i in after]
        bars += states.shape[0]
        switches += at.size
        judged += after.size
        undone += int(np.sum(back))
        lengths.append(np.diff(at))
    stays = np.concatenate(lengths) if lengths else np.empty(0, dtype=np.int64)
    return Dwell(bars, switches, judged, undone, stays)
