"""How much of each bar a feed covered, from the stretches of time in which it was whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types import FloatArray, IntArray


def merged(stretches: Sequence[tuple[int, int]]) -> tuple[IntArray, IntArray]:
    """Starts and stops (exclusive) of stretches in order, those that touch as one."""
    ordered = np.array(sorted(stretches), dtype=np.int64).reshape(-1, 2)
    ordered = ordered[ordered[:, 1] > ordered[:, 0]]
    starts, stops = ordered[:, 0], np.maximum.accumulate(ordered[:, 1])
    apart = np.flatnonzero(starts[1:] > stops[:-1])
    first = np.concatenate(([0], apart + 1))[: len(starts)]
    last = np.concatenate((apart, [len(starts) - 1]))[: len(starts)]
    return starts[first], stops[last]


def begun(stretches: Sequence[tuple[int, int]], since: IntArray, until: IntArray) -> IntArray:
    """Start of the stretch that covers all of ``since`` to ``until``, -1 where none does.

    Shapes (n,) -> (n,); ``until`` is exclusive.
    """
    starts, stops = merged(stretches)
    if not starts.size:
        return np.full(since.shape, -1, dtype=np.int64)
    at = np.searchsorted(starts, since, side="right") - 1
    whole = (at >= 0) & (stops[at] >= until)
    return np.where(whole, starts[at], -1).astype(np.int64)


def covered_shares(
    stretches: Sequence[tuple[int, int]], time: IntArray, step_ms: int
) -> FloatArray:
    """Share of each bar that is covered, 0..1, shape (n,)."""
    starts, stops = merged(stretches)
    lengths = np.concatenate(([0], np.cumsum(stops - starts)))

    def before(at: IntArray) -> IntArray:
        """Milliseconds covered before a time."""
        row = np.searchsorted(starts, at, side="right")
        inside = np.zeros(at.shape, dtype=np.int64)
        some = row > 0
        last = row[some] - 1
        inside[some] = np.minimum(at[some], stops[last]) - stops[last]
        found: IntArray = lengths[row] + inside
        return found

    return (before(time + step_ms) - before(time)) / step_ms


def sampled(time: IntArray, longest_ms: int) -> list[tuple[int, int]]:
    """Stretches between samples that are no more than ``longest_ms`` apart.

    For a feed of which nobody kept when it stood. ``time``, shape (n,), does not fall.
    """
    if not time.size:
        return []
    torn = np.flatnonzero(np.diff(time) > longest_ms)
    firsts = time[np.concatenate(([0], torn + 1))]
    lasts = time[np.concatenate((torn, [time.size - 1]))]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
