"""What was decided with an entry, by pair and bar: what a size is made from, in every mode.

Live the newest bar counts, in a backtest the one that closed last: the same look-up serves both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.types import Side

if TYPE_CHECKING:
    from hydra_ft.decisions.pipeline import Decisions
    from hydra_ft.types import Bars, FloatArray, IntArray

WINDOW = 288
"""Returns that the volatility of a bar is measured on: a day of 5m bars."""
YEAR_MS = 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Terms:
    """One decided entry: close of its bar (UTC ms), and its numbers; NaN where not known.

    ``stop`` and ``target`` are fractions of the price, ``bias_strength`` is 0 unless the bias
    is on the side of the entry, ``volatility`` is the standard deviation of the log returns of
    a bar.
    """

    at: int
    side: Side
    close: float
    stop: float
    target: float
    confidence: float
    regime_confidence: float
    bias_strength: float
    vol_expansion: float
    volatility: float


@dataclass(frozen=True, slots=True)
class Table:
    """Decisions of a pair with its closes, and the closes of the market timeframe.

    ``volatility`` has shape (n,), as the decisions; the market's arrays have shape (m,), their
    times are opens (UTC ms). ``quantity_step`` is that of the exchange (base units).
    """

    decisions: Decisions
    close: FloatArray
    volatility: FloatArray
    step_ms: int
    market_time: IntArray
    market_close: FloatArray
    market_step_ms: int
    quantity_step: float

    def row(self, now: int) -> int:
        """Row of the newest bar that has closed at a time (UTC ms), -1 without one."""
        return int(np.searchsorted(self.decisions.time, now - self.step_ms, side="right")) - 1

    def price(self, now: int) -> float:
        """Newest close at a time, NaN without one."""
        row = self.row(now)
        return float(self.close[row]) if row >= 0 else float("nan")

    def terms(self, now: int) -> Terms | None:
        """Entry that the newest closed bar has decided, None where it decided none."""
        row, made = self.row(now), self.decisions
        if row < 0 or not made.side[row]:
            return None
        sign = int(made.side[row])
        aligned = int(made.bias[row]) == sign
        return Terms(
            at=int(made.time[row]) + self.step_ms,
            side=Side.LONG if sign > 0 else Side.SHORT,
            close=float(self.close[row]),
            stop=float(made.stop[row]),
            target=float(made.target[row]),
            confidence=float(made.confidence[row]),
            regime_confidence=float(made.regime_confidence[row]),
            bias_strength=float(made.bias_strength[row]) if aligned else 0.0,
            vol_expansion=float(made.numbers["vol_expansion"][row]),
            volatility=float(self.volatility[row]),
        )

    def market_until(self, now: int, bars: int) -> tuple[IntArray, FloatArray]:
        """Times and closes of the last market bars that have closed at a time."""
        end = int(np.searchsorted(self.market_time, now - self.market_step_ms, side="right"))
        start = max(0, end - bars)
        return self.market_time[start:end], self.market_close[start:end]


def table_of(decisions: Decisions, base: Bars, market: Bars, quantity_step: float) -> Table:
    """Lay decisions beside their bars."""
    rows = np.searchsorted(base.time, decisions.time)
    close = base.close[rows]
    return Table(
        decisions=_lean(decisions),
        close=close,
        volatility=spread_of_returns(close, WINDOW),
        step_ms=base.step_ms,
        market_time=market.time,
        market_close=market.close,
        market_step_ms=market.step_ms,
        quantity_step=quantity_step,
    )


def _lean(decisions: Decisions) -> Decisions:
    """Leave out what no entry is sized by: of hundreds of pairs it would be held for nothing."""
    numbers = {"vol_expansion": decisions.numbers["vol_expansion"]}
    return replace(decisions, columns={}, numbers=numbers, failing=decisions.failing[:0].copy())


def spread_of_returns(close: FloatArray, window: int) -> FloatArray:
    """Standard deviation of the last ``window`` log returns at each bar, shape (n,).

    Fewer returns serve where there are no more, from a twelfth of the window up; NaN before.
    """
    spread = np.full(close.shape, np.nan)
    if close.shape[0] < 2:
        return spread
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.diff(np.log(close))
    moves = np.where(np.isfinite(moves), moves, 0.0)
    moves -= moves.mean()  # against the loss of digits in the difference of the sums
    sums = np.concatenate(([0.0], np.cumsum(moves)))
    squares = np.concatenate(([0.0], np.cumsum(moves * moves)))
    ends = np.arange(1, close.shape[0])
    starts = np.maximum(0, ends - window)
    count = ends - starts
    mean = (sums[ends] - sums[starts]) / count
    variance = np.maximum(0.0, (squares[ends] - squares[starts]) / count - mean * mean)
    spread[1:] = np.where(count >= window // 12, np.sqrt(variance), np.nan)
    return spread
