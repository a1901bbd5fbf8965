"""What flow bars prove complete, and bars as far as that is proven."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.store.flow_coverage import Stretch
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.types.flow import FlowBars


def proven(bars: FlowBars) -> tuple[list[Stretch], bool]:
    """Stretches of whole bars, and whether bars before these are in doubt now."""
    edges = np.flatnonzero(np.diff(bars.whole, prepend=False, append=False))
    found = [_stretch(bars, begin, end) for begin, end in edges.reshape(-1, 2).tolist()]
    return found, bars.doubted()[1]


def as_proven(bars: FlowBars, stretches: Sequence[Stretch]) -> FlowBars:
    """Bars of which what no stretch holds is uncovered, where they do not say so themselves.

    A hole that was noticed after its bars had closed, a trade that came too late or did not
    fit the grid: none of these is in the bars, but what they make doubtful is not proven.
    ``stretches`` are apart and oldest first.
    """
    edges = np.array([(one.start, one.stop) for one in stretches], dtype=np.int64).reshape(-1, 2)
    held = np.cumsum(edges[:, 1] - edges[:, 0])
    both = np.stack([held - (edges[:, 1] - edges[:, 0]), held], axis=1).ravel()
    ends = np.append(bars.time, bars.time[-1:] + bars.step_ms)
    if edges.size:
        until = np.rint(np.interp(ends, edges.ravel(), both, left=0.0)).astype(np.int64)
    else:
        until = np.zeros_like(ends)
    unproven = bars.step_ms - np.diff(until)
    if not unproven.any():
        return bars
    says_so = (bars.uncovered_ms > 0) | (bars.missing_ids > 0)
    return replace(bars, uncovered_ms=np.where(says_so, bars.uncovered_ms, unproven))


def _stretch(bars: FlowBars, begin: int, end: int) -> Stretch:
    firsts, lasts = bars.first_id[begin:end], bars.last_id[begin:end]
    known = firsts[firsts != NO_ID]
    return Stretch(
        start=int(bars.time[begin]),
        stop=int(bars.time[end - 1]) + bars.step_ms,
        first_id=int(known.min()) if known.size else NO_ID,
        last_id=int(lasts.max()),
    )
