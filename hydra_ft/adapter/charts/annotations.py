"""What FreqUI draws over the candles: the regime as boxes, stops and targets as lines.

Drawn from the columns of the frame that decided, so that a box is the regime that gated and
a line the stop that was decided. Trades, their orders and their real stops are drawn by
freqtrade itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.types import BoolArray, FloatArray, IntArray, Regime, Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    from freqtrade.ft_types.plot_annotation_type import (
        AnnotationType,
        AreaAnnotationType,
        LineAnnotationType,
    )

MOST_BOXES = 300
MOST_ENTRIES = 100
"""Entries whose lines are drawn, the newest; each has two."""

BOXES = {
    Regime.CHOPPY: "rgba(128, 128, 128, 0.12)",
    Regime.RANGING: "rgba(66, 133, 244, 0.12)",
    Regime.UP: "rgba(38, 166, 91, 0.12)",
    Regime.DOWN: "rgba(214, 69, 65, 0.12)",
}
"""Colour of a regime's box; half-clear, as candles are drawn over it."""

STOP, TARGET = "rgb(214, 69, 65)", "rgb(38, 166, 91)"


def drawn(frame: pd.DataFrame) -> list[AnnotationType]:
    """Boxes and lines of an analysed frame; none where the columns of a decision are missing."""
    return [*regime_boxes(frame), *barrier_lines(frame)]


def runs(values: IntArray, known: BoolArray) -> tuple[IntArray, IntArray]:
    """First and last row of every run of equal and known values, shape (k,) each."""
    shown = np.where(known, values, -1)
    starts = np.flatnonzero(np.append(True, shown[1:] != shown[:-1]))
    ends = np.append(starts[1:], len(shown)) - 1
    kept = shown[starts] >= 0
    return starts[kept], ends[kept]


def regime_boxes(frame: pd.DataFrame) -> list[AreaAnnotationType]:
    """One box from each change of the regime to the next; none where it is not known.

    Where there are more than ``MOST_BOXES``, the shortest are left out: what is drawn is
    always true, and the column itself is drawn in full below.
    """
    if not len(frame) or not {"hydra_regime", "hydra_regime_confidence"} <= set(frame.columns):
        return []
    regime = _whole(frame["hydra_regime"])
    known = np.isfinite(frame["hydra_regime_confidence"].to_numpy(np.float64))
    starts, ends = runs(regime, known)
    longest = np.sort(np.argsort(starts - ends, kind="stable")[:MOST_BOXES])
    starts, ends = starts[longest], ends[longest]
    opened, closed = _dates(frame, starts), _dates(frame, np.minimum(ends + 1, len(frame) - 1))
    return [
        {
            "type": "area",
            "label": state.name,
            "color": BOXES[state],
            "start": start,
            "end": end,
        }
        for state, start, end in zip(map(Regime, regime[starts]), opened, closed, strict=True)
    ]


def barrier_lines(frame: pd.DataFrame) -> list[LineAnnotationType]:
    """Stop and target of every entry that was decided, as far as they mattered.

    From the bar of the entry to the first at which the price reaches one of the two or the
    side is told to leave, at most as long as the entry may be held, and never past the
    frame: FreqUI leaves out a line of which one end lies outside. Bars in a row that say
    the same entry draw the first.
    """
    if not {"hydra_entry", "hydra_stop", "hydra_target"} <= set(frame.columns):
        return []
    side = _whole(frame["hydra_entry"])
    rows = _first_of_each(frame, side)
    if not rows.size:
        return []
    stops, targets = (frame[name].to_numpy(np.float64)[rows] for name in _BARRIERS)
    close = frame["close"].to_numpy(np.float64)[rows]
    low, high = close * (1 - side[rows] * stops), close * (1 + side[rows] * targets)
    ends = _ends(frame, rows, side[rows], np.minimum(low, high), np.maximum(low, high))
    opened, closed = _dates(frame, rows), _dates(frame, ends)
    lines: list[LineAnnotationType] = []
    for i in range(len(rows)):
        span = (opened[i], closed[i])
        lines.append(_line(f"stop {stops[i]:.1%}", STOP, span, float(low[i])))
        lines.append(_line(f"target {targets[i]:.1%}", TARGET, span, float(high[i])))
    return lines


_BARRIERS = ("hydra_stop", "hydra_target")


def _first_of_each(frame: pd.DataFrame, side: IntArray) -> IntArray:
    """Rows of the newest entries with a stop and a target, the first of equal ones in a row.

    The last row is none of them: its lines would have no length yet.
    """
    signal = _whole(frame["hydra_signal"]) if "hydra_signal" in frame else np.zeros_like(side)
    barriers = [frame[name].to_numpy(np.float64) for name in _BARRIERS]
    usable = np.isfinite(barriers).all(axis=0) & (side != 0)
    repeated = np.zeros(len(side), dtype=np.bool_)
    repeated[1:] = usable[:-1] & (side[1:] == side[:-1]) & (signal[1:] == signal[:-1])
    rows = np.flatnonzero(usable & ~repeated)
    return rows[rows < len(side) - 1][-MOST_ENTRIES:]


def _ends(
    frame: pd.DataFrame, rows: IntArray, side: IntArray, lower: FloatArray, upper: FloatArray
) -> IntArray:
    """Last row of each entry's lines, shape (k,)."""
    low, high = (frame[name].to_numpy(np.float64) for name in ("low", "high"))
    last = _held_until(frame, rows)
    ends = last.copy()
    for i, row in enumerate(rows):
        after = slice(row + 1, last[i])
        over = (low[after] <= lower[i]) | (high[after] >= upper[i])
        leaves = f"hydra_exit_{Side.LONG if side[i] > 0 else Side.SHORT}"
        if leaves in frame:
            over |= frame[leaves].to_numpy()[after] > 0
        if over.any():
            ends[i] = row + 1 + int(over.argmax())
    return ends


def _held_until(frame: pd.DataFrame, rows: IntArray) -> IntArray:
    """Last row at which each entry may still be held; the frame's last where no limit is known."""
    final = len(frame) - 1
    if "hydra_max_hold_s" not in frame:
        return np.full(rows.shape, final)
    step_s = (frame["date"].iloc[1] - frame["date"].iloc[0]).total_seconds()
    # A bar decides at its close, so the hold begins with the next one.
    bars = np.ceil(frame["hydra_max_hold_s"].to_numpy(np.float64)[rows] / step_s)
    limit = np.where(np.isfinite(bars) & (bars > 0), rows + bars, final)
    return np.minimum(limit, final).astype(np.int64)


def _line(
    label: str, color: str, span: tuple[datetime, datetime], price: float
) -> LineAnnotationType:
    return {
        "type": "line",
        "label": label,
        "color": color,
        "line_style": "dashed",
        "start": span[0],
        "end": span[1],
        "y_start": price,
        "y_end": price,
    }


def _whole(column: pd.Series) -> IntArray:
    """Whole numbers of a column, 0 where it has none, shape (n,)."""
    return np.nan_to_num(column.to_numpy(np.float64)).astype(np.int64)


def _dates(frame: pd.DataFrame, rows: IntArray) -> Sequence[datetime]:
    """Dates of these rows, shape (k,), as freqtrade's schema takes them."""
    return [one.to_pydatetime() for one in frame["date"].iloc[rows]]
