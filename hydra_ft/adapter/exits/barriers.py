"""What a decision declared of its exits, and the table in which a backtest looks it up.

Callbacks run once per open trade and candle; what they need is found by the number of the
bar in arrays, never in a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.adapter.frames import times

if TYPE_CHECKING:
    import pandas as pd

    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.types import FloatArray, IntArray, Side

NEEDED = ("hydra_entry", "hydra_stop", "hydra_target", "hydra_max_hold_s")


@dataclass(frozen=True, slots=True)
class Barriers:
    """Stop and target as fractions of the entry price, and the longest hold (s); 0: none.

    ``fee`` is that of R, of the price: what entry and exit cost together; 0 until it is known.
    """

    stop: float
    target: float
    max_hold_s: int
    fee: float = 0.0

    def __bool__(self) -> bool:
        """Whether there is a stop: without one nothing else is known either."""
        return self.stop > 0


NO_BARRIERS = Barriers(0.0, 0.0, 0)


def barriers_at(decisions: Decisions, row: int) -> Barriers:
    """Return what the decision of a row declared; ``NO_BARRIERS`` where it enters nothing."""
    return _barriers(decisions.stop[row], decisions.target[row], decisions.max_hold_s[row])


def _barriers(stop: float, target: float, max_hold_s: float) -> Barriers:
    if not stop > 0:  # NaN, too
        return NO_BARRIERS
    hold = int(max_hold_s) if max_hold_s > 0 else 0
    return Barriers(float(stop), float(target) if target > 0 else 0.0, hold)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of a pair on its base bars, shape (n,) each; NaN where nothing is declared."""

    time: IntArray
    open: FloatArray
    side: FloatArray
    stop: FloatArray
    target: FloatArray
    max_hold_s: FloatArray


class BarrierTable:
    """Decisions on all analysed bars of all pairs, by the time of their bars (UTC ms)."""

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._pairs: dict[str, _Columns] = {}

    def note(self, pair: str, frame: pd.DataFrame) -> None:
        """Take in the analysed frame of a pair, in the place of its last one."""
        if not len(frame) or any(name not in frame.columns for name in NEEDED):
            self._pairs.pop(pair, None)
            return
        side, stop, target, hold = (frame[name].to_numpy(np.float64) for name in NEEDED)
        opens = frame["open"].to_numpy(np.float64)
        self._pairs[pair] = _Columns(times(frame), opens, side, stop, target, hold)

    def decided(self, pair: str, side: Side, entered_at: int) -> Barriers:
        """Return what the last bar that had closed at a time declared for a side."""
        columns = self._pairs.get(pair)
        if columns is None:
            return NO_BARRIERS
        row = int(np.searchsorted(columns.time, entered_at - self._step_ms, side="right")) - 1
        if row < 0 or columns.side[row] != side.sign:
            return NO_BARRIERS
        return _barriers(columns.stop[row], columns.target[row], columns.max_hold_s[row])

    def open_at(self, pair: str, now: int) -> float:
        """Open of the bar that opens at a time; NaN where none does."""
        columns = self._pairs.get(pair)
        if columns is None:
            return float("nan")
        row = int(np.searchsorted(columns.time, now))
        opens = row < len(columns.time) and columns.time[row] == now
        return float(columns.open[row]) if opens else float("nan")
