"""How often each criterion of the scalper held: counted bar by bar, told in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import Bars, FloatArray

SIGNAL = "signal"


class HitCounts:
    """Known bars, and how often each criterion held at them."""

    def __init__(self) -> None:
        self.bars = 0
        self._held: dict[str, int] = {}

    def add(self, flags: Mapping[str, FloatArray]) -> None:
        """Count flags (1, 0, or NaN where not known), all of the same bars."""
        self.bars += int(np.isfinite(flags[SIGNAL]).sum())
        for name, values in flags.items():
            self._held[name] = self._held.get(name, 0) + int(np.nansum(values))

    def sentence(self, pair: str, step_ms: int) -> str:
        """Say it: ``BTC/USDT:USDT: of 360 bars of 10 s low_vol 9.2 %, ... signal 0 % (0)``."""
        length = f"{step_ms // 1000:d} s"
        if not self.bars:
            return f"{pair}: no bar of {length} is known with the 50 before it"
        shares = ", ".join(
            f"{name} {100 * held / self.bars:.3g} %" for name, held in self._held.items()
        )
        return f"{pair}: of {self.bars} bars of {length} {shares} ({self._held[SIGNAL]})"


def only_whole(bars: Bars) -> Bars:
    """Bars made of trades with NaN where a trade is missing: no quiet bar is made of a hole."""
    if bars.flow is None:
        return bars
    whole = (bars.flow.covered == 1) & (bars.flow.missing == 0)
    return replace(
        bars,
        open=np.where(whole, bars.open, np.nan),
        high=np.where(whole, bars.high, np.nan),
        low=np.where(whole, bars.low, np.nan),
        close=np.where(whole, bars.close, np.nan),
        volume=np.where(whole, bars.volume, np.nan),
    )
