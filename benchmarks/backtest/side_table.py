"""Features of a pair where a callback finds them without a frame: by the candle's number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from hydra_ft.types import FloatArray


class SideTable:
    """Values of shape (n, k), one row per candle from ``first_s`` on, without holes."""

    def __init__(self, first_s: int, step_s: int, values: FloatArray) -> None:
        self._step_s, self._first = step_s, first_s // step_s
        self._values = values

    def value(self, at: datetime, column: int) -> float:
        """Value of the last candle that has closed by a moment (UTC)."""
        return float(self._values[int(at.timestamp()) // self._step_s - self._first - 1, column])
