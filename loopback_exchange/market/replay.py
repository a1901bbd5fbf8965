"""The recorded market: candles, funding and mark prices from freqtrade's own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from loopback_exchange.clock import DAY_MS, HOUR_MS, MINUTE_MS
from loopback_exchange.market.block import fill_marks
from loopback_exchange.market.recorded import (
    Series,
    derived_spec,
    finest_series,
    futures_folder,
    times_ms,
    to_minutes,
)
from loopback_exchange.market.source import MarketSource

if TYPE_CHECKING:
    from loopback_exchange.market.noise import Floats, Ints
    from loopback_exchange.market.specs import SymbolSpec


@dataclass(frozen=True)
class _Recorded:
    first: int
    rows: np.ndarray
    funding_ms: Ints
    funding_rate: Floats
    mark_ms: Ints  # hours of which the mark file has the whole candle
    marks: Floats  # (n, 4)


class Replay(MarketSource):
    """A recorded market.

    Minutes come from the finest series of each pair (1m, else 5m, else 3m); coarser candles are
    their sums, also where a coarser file exists. Within a candle, minutes and trades are a
    bridge through its open, high, low and close. Funding rates are served as recorded. A mark
    candle of one hour is served as recorded where the file has that hour; of rows that stand
    further apart only the open is used, since the rest of such a row is not of that hour;
    all other mark candles follow the trades.

    Parameters
    ----------
    folder : path
        What freqtrade calls datadir: it, or its folder ``futures``, holds the files.
    shift_days : int
        Whole days added to every recorded time; 0 leaves them as recorded.
    """

    def __init__(self, folder: str | Path, shift_days: int = 0) -> None:
        self._folder = futures_folder(Path(folder))
        self._shift_ms = shift_days * DAY_MS
        series = finest_series(self._folder)
        super().__init__({name: derived_spec(name, one) for name, one in series.items()})
        self._data = {name: self._load(self.spec(name), one) for name, one in series.items()}

    def _load(self, spec: SymbolSpec, series: Series) -> _Recorded:
        first, rows = to_minutes(series, spec)
        funding = self._file(spec, "funding_rate")
        mark = self._file(spec, "mark")
        interest = self._file(spec, "open_interest")
        self._set_basis(rows, first, spec, mark)
        rows["open_interest"] = np.nan
        if interest is not None:
            column = next(name for name in interest.columns if name != "date")
            at = np.arange(first, first + len(rows)) * MINUTE_MS
            values = interest[column].to_numpy(np.float64)
            rows["open_interest"] = np.interp(at, times_ms(interest), values)
        hours, marks = self._whole_hours(mark)
        times, rates = np.zeros(0, dtype=np.int64), np.zeros(0)
        if funding is not None:
            times = times_ms(funding) + self._shift_ms
            column = "funding_rate" if "funding_rate" in funding else "open"
            rates = funding[column].to_numpy(np.float64)
        return _Recorded(first + self._shift_ms // MINUTE_MS, rows, times, rates, hours, marks)

    def _file(self, spec: SymbolSpec, kind: str) -> pd.DataFrame | None:
        found = sorted(self._folder.glob(f"{spec.base}_USDT_USDT-*-{kind}.feather"))
        return pd.read_feather(found[0]).sort_values("date") if found else None

    def _set_basis(
        self, rows: np.ndarray, first: int, spec: SymbolSpec, mark: pd.DataFrame | None
    ) -> None:
        """Let the mark price pass through every recorded mark open."""
        if mark is not None:
            at = times_ms(mark) // MINUTE_MS - first
            inside = (at >= 0) & (at < len(rows))
            if inside.any():
                at, opens = at[inside], mark["open"].to_numpy(np.float64)[inside]
                ratio = opens / (rows["open"][at] * float(spec.tick)) - 1.0
                rows["basis"] = np.interp(np.arange(len(rows)), at, ratio)
        fill_marks(rows, float(spec.tick))

    def _whole_hours(self, mark: pd.DataFrame | None) -> tuple[Ints, Floats]:
        if mark is None or len(mark) < 2:
            return np.zeros(0, dtype=np.int64), np.zeros((0, 4))
        times = times_ms(mark)
        gap = np.diff(times, append=times[-1] + np.diff(times)[-1])
        whole = gap == HOUR_MS
        marks = mark[["open", "high", "low", "close"]].to_numpy(np.float64)
        return times[whole] + self._shift_ms, marks[whole]

    def span(self, symbol: str) -> tuple[int, int]:
        """Recorded minutes, shifted."""
        data = self._data[symbol]
        return data.first, data.first + len(data.rows)

    def _rows(self, symbol: str, first: int, stop: int) -> np.ndarray:
        data = self._data[symbol]
        return data.rows[first - data.first : stop - data.first]

    def _minute_of_trade(self, symbol: str, trade_id: int) -> int:
        data = self._data[symbol]
        if trade_id >= int(data.rows["first_id"][-1] + data.rows["count"][-1]):
            return data.first + len(data.rows)
        return data.first + int(np.searchsorted(data.rows["first_id"], trade_id, side="right")) - 1

    def funding(self, symbol: str, start_ms: int, stop_ms: int) -> tuple[Ints, Floats]:
        """Give the recorded settlements."""
        data = self._data[symbol]
        wanted = (data.funding_ms >= start_ms) & (data.funding_ms < stop_ms)
        return data.funding_ms[wanted], data.funding_rate[wanted]

    def funding_now(self, symbol: str, now_ms: int) -> tuple[float, int]:
        """Give the last recorded rate and the next recorded settlement."""
        data = self._data[symbol]
        at = int(np.searchsorted(data.funding_ms, now_ms, side="right"))
        rate = float(data.funding_rate[at - 1]) if at else 0.0
        following = (now_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS
        return rate, int(data.funding_ms[at]) if at < len(data.funding_ms) else following

    def mark_candles(
        self, symbol: str, interval_ms: int, start_ms: int, end_ms: int, now_ms: int
    ) -> tuple[Ints, Floats]:
        """Give mark candles; those of one hour as recorded where the file has the hour."""
        times, prices = super().mark_candles(symbol, interval_ms, start_ms, end_ms, now_ms)
        data = self._data[symbol]
        if interval_ms == HOUR_MS and len(data.mark_ms):
            past = times[times + HOUR_MS <= now_ms]
            at = np.minimum(np.searchsorted(data.mark_ms, past), len(data.mark_ms) - 1)
            same = np.flatnonzero(data.mark_ms[at] == past)
            prices[same] = data.marks[at[same]]
        return times, prices
