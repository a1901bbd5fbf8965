"""The recorded market: candles, trades, funding and mark prices from freqtrade's own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from loopback_exchange.clock import DAY_MS, HOUR_MS, MINUTE_MS
from loopback_exchange.market.block import MINUTE, fill_marks
from loopback_exchange.market.overlay import lay_over
from loopback_exchange.market.recorded import (
    Series,
    derived_spec,
    finest_series,
    futures_folder,
    times_ms,
    to_minutes,
)
from loopback_exchange.market.source import MarketSource
from loopback_exchange.market.tape import Tape, turnover
from loopback_exchange.market.trade_file import TradeFile, trade_files
from loopback_exchange.market.trades import LastTrade, Trades, last_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_exchange.market.bridge import Flags
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
    tape: Tape | None
    taped: Flags  # which minutes are the tape's
    busy: Ints  # the latest minute with a trade up to each one, as a row; -1 before the first
    ids: Ints  # the least id that can follow at the beginning of each minute


class Replay(MarketSource):
    """A recorded market.

    Minutes come from the finest series of each pair (1m, else 5m, else 3m); coarser candles are
    their sums, also where a coarser file exists. Within a candle, minutes and trades are a
    bridge through its open, high, low and close. Funding rates are served as recorded. A mark
    candle of one hour is served as recorded where the file has that hour; of rows that stand
    further apart only the open is used, since the rest of such a row is not of that hour;
    all other mark candles follow the trades.

    Where there are recorded trades (``BTC_USDT_USDT-trades.feather``, as ``freqtrade
    download-data --dl-trades`` writes them), they are what trades: they fill resting orders, they
    are downloaded again with their ids, and candles are their sums; see ``lay_over`` for where
    they begin and end. A pair may have trades and no candles. The file stays where it is and is
    read as it is needed, so it must not be written while it is replayed.

    Parameters
    ----------
    folder : path, optional
        What freqtrade calls datadir: it, or its folder ``futures``, holds the files. It may be
        left out where ``trades`` are given.
    shift_days : int
        Whole days added to every recorded time; 0 leaves them as recorded.
    trades : mapping from symbol to path, optional
        Files of trades from elsewhere, in place of those of the folder. The pair of the file does
        not matter: a spot recording is replayed as the perpetual contract that is named.

    Raises
    ------
    FileNotFoundError
        When there is nothing to replay.
    ValueError
        When a file of trades is none, or does not fit the candles.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        shift_days: int = 0,
        trades: Mapping[str, str | Path] | None = None,
    ) -> None:
        if folder is None and not trades:
            raise FileNotFoundError("Expected a folder or trades to replay; there were neither.")
        self._folder = None if folder is None else futures_folder(Path(folder))
        self._shift_ms = shift_days * DAY_MS
        series = finest_series(self._folder) if self._folder else {}
        found = {**(trade_files(self._folder) if self._folder else {}), **(trades or {})}
        files = {name: TradeFile(path) for name, path in found.items()}
        names = sorted({*series, *files})
        super().__init__({one: derived_spec(one, series.get(one), files.get(one)) for one in names})
        self._data = {one: self._load(one, series.get(one), files.get(one)) for one in names}

    def _load(self, symbol: str, series: Series | None, file: TradeFile | None) -> _Recorded:
        spec = self.spec(symbol)
        first, rows = to_minutes(series, spec) if series else (0, np.zeros(0, dtype=MINUTE))
        tape, taped = None, np.zeros(len(rows), dtype=np.bool_)
        if file is not None:
            minutes = Tape(file, spec).minutes()
            first, rows = lay_over(symbol, first, rows, minutes)
            tape, taped = Tape(file, spec, self._shift_ms), np.zeros(len(rows), dtype=np.bool_)
            taped[minutes.minute - first] = True
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
        busy = np.maximum.accumulate(np.where(rows["count"] > 0, np.arange(len(rows)), -1))
        ids = np.maximum.accumulate(rows["first_id"])
        first += self._shift_ms // MINUTE_MS
        return _Recorded(first, rows, times, rates, hours, marks, tape, taped, busy, ids)

    def _file(self, spec: SymbolSpec, kind: str) -> pd.DataFrame | None:
        if self._folder is None:
            return None
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
        recorded = None if data.tape is None else data.tape.minute_of(trade_id)
        if recorded is not None:
            return recorded
        return data.first + int(np.searchsorted(data.ids, trade_id, side="right")) - 1

    # ---- recorded trades

    def trades_of_minute(self, symbol: str, minute: int) -> Trades:
        """Give the trades of one whole minute, as recorded where they are."""
        tape = self._tape_of(symbol, minute)
        if tape is None:
            return super().trades_of_minute(symbol, minute)
        return tape.between(minute * MINUTE_MS, (minute + 1) * MINUTE_MS)

    def _tape_of(self, symbol: str, minute: int) -> Tape | None:
        data = self._data[symbol]
        at = minute - data.first
        return data.tape if 0 <= at < len(data.taped) and data.taped[at] else None

    def _last_before(self, symbol: str, minute: int) -> LastTrade:
        data = self._data[symbol]
        at = minute - data.first
        if at == 0 or data.busy[at - 1] < 0:
            return super()._last_before(symbol, minute)
        return last_of(self.trades_of_minute(symbol, data.first + int(data.busy[at - 1])))

    def forming_row(self, symbol: str, now_ms: int) -> np.ndarray:
        """Give the minute of ``now_ms`` as its trades so far make it: one row, or none."""
        minute = now_ms // MINUTE_MS
        if self._tape_of(symbol, minute) is None:
            return super().forming_row(symbol, now_ms)
        row = self._rows(symbol, minute, minute + 1).copy()
        trades = self.trades_of_minute(symbol, minute)
        seen = trades.part(0, trades.before(now_ms + 1))
        bought, count = seen.quantity[seen.is_buy].sum(), len(seen.id)
        row["count"], row["volume"], row["taker_buy"] = count, seen.quantity.sum(), bought
        row["quote"] = turnover(seen, self.spec(symbol)).sum()
        # Before its first trade, a minute is flat at the last price: its open is not known yet.
        shown = seen.price if count else np.array([self.last_trade(symbol, now_ms).price])
        row["open"], row["close"], row["high"], row["low"] = (
            shown[0], shown[-1], shown.max(), shown.min(),
        )  # fmt: skip
        fill_marks(row, float(self.spec(symbol).tick))
        return row

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
