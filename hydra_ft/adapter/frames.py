"""Freqtrade's frames to bars, and columns back into a frame: read once, written once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from freqtrade.enums import CandleType

from hydra_ft.bars.candles import bars_from, timeframe_ms
from hydra_ft.types import Bars, Feed, FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from freqtrade.data.dataprovider import DataProvider
    from pandas.api.extensions import ExtensionArray

    Column: TypeAlias = "np.ndarray | ExtensionArray | list[str | None]"

COLUMNS = {
    Feed.FUNDING: (CandleType.FUNDING_RATE, "funding_rate"),
    Feed.OPEN_INTEREST: (CandleType.OPEN_INTEREST, "open_interest_amount"),
}
"""Candle type and column that freqtrade keeps each feed in."""


def times(frame: pd.DataFrame) -> IntArray:
    """Open times of a frame in UTC milliseconds, shape (n,)."""
    # The column's own array counts in UTC already; a Series accessor costs ten times this.
    return np.asarray(frame["date"].array.as_unit("ms").asi8, dtype=np.int64)


def to_bars(
    frame: pd.DataFrame, timeframe: str, extras: Mapping[Feed, FloatArray] | None = None
) -> Bars:
    """Bars of a frame of candles; ``extras`` holds the values of other feeds per row.

    Raises DataError when the candles are unordered or malformed.
    """
    extras = extras or {}
    prices = tuple(frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close"))
    return bars_from(
        times(frame) if len(frame) else np.empty(0, np.int64),
        timeframe_ms(timeframe),
        (prices[0], prices[1], prices[2], prices[3]),
        frame["volume"].to_numpy(np.float64),
        funding_rate=extras.get(Feed.FUNDING),
        open_interest=extras.get(Feed.OPEN_INTEREST),
    )


def _onto(bar_times: IntArray, step_ms: int, frame: pd.DataFrame, column: str) -> FloatArray:
    """Last value of ``column`` that falls within each bar, NaN where none does."""
    values = np.full(bar_times.shape[0], np.nan)
    if not len(frame) or column not in frame or not bar_times.shape[0]:
        return values
    at = times(frame)
    row = np.searchsorted(bar_times, at, side="right") - 1
    inside = (row >= 0) & (at < bar_times[row] + step_ms)
    # Rows come in order of time: where several fall into one bar, the last one stays.
    values[row[inside]] = frame[column].to_numpy(np.float64)[inside]
    return values


def read_bars(dp: DataProvider, pair: str, timeframe: str, feeds: frozenset[Feed]) -> Bars:
    """Bars of a pair from freqtrade's data, with funding and open interest if listed."""
    frame = dp.get_pair_dataframe(pair, timeframe)
    if not len(frame):
        frame = pd.DataFrame(columns=["date", "open", "high", "low", "close", "volume"])
    bar_times = times(frame) if len(frame) else np.empty(0, np.int64)
    extras = {}
    for feed, (candle_type, column) in COLUMNS.items():
        if feed in feeds:
            rows = dp.get_pair_dataframe(pair, timeframe, candle_type)
            extras[feed] = _onto(bar_times, timeframe_ms(timeframe), rows, column)
    return to_bars(frame, timeframe, extras)


def with_columns(
    frame: pd.DataFrame, columns: Mapping[str, Column], beside: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the frame with these columns set, all inserted at once, and those of ``beside``.

    A column that is there already is replaced: freqtrade puts empty tags in before it asks
    for the signals, and a second column of that name would hide the tag for ever.
    """
    there = frame.columns
    # A set of the few names is made quicker than an index tells that it lacks many.
    held = set(there) if len(columns) > len(there) else there
    known = [name for name in columns if name in held]
    replaced = [name for name in known if not _holds(frame, name, columns[name])]
    if replaced:
        frame = frame.copy(deep=False)
        for name in replaced:
            frame[name] = columns[name]
    if len(known) == len(columns) and beside is None:
        return frame
    added = _blocks({n: v for n, v in columns.items() if n not in known}, frame.index)
    if beside is not None:
        added.append((tuple(beside.columns), beside))
    made = pd.concat([frame, *(block for _, block in added)], axis=1, ignore_index=True)
    made.columns = _named(*there, *(name for names, _ in added for name in names)).view()
    return made


def _holds(frame: pd.DataFrame, name: str, values: Column) -> bool:
    """Whether whole numbers are in the frame as they are: to look is cheaper than to set."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "i":
        return False
    held = frame[name]
    return held.dtype == values.dtype and np.array_equal(held.to_numpy(), values)


def _blocks(
    columns: Mapping[str, Column], index: pd.Index
) -> list[tuple[Sequence[str], pd.DataFrame]]:
    """Names and frames of the columns by dtype: pandas checks and copies by the block."""
    kinds: dict[np.dtype, list[str]] = {}
    texts: dict[str, Column] = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray):
            kinds.setdefault(values.dtype, []).append(name)
        else:
            texts[name] = values
    made: list[tuple[Sequence[str], pd.DataFrame]] = [
        (names, pd.DataFrame(np.array([columns[n] for n in names]).T, index, copy=False))
        for names in kinds.values()
    ]
    return [*made, (tuple(texts), pd.DataFrame(texts, index))] if texts else made


@lru_cache(maxsize=256)
def _named(*names: str) -> pd.Index:
    """Column names as pandas keeps and finds them: making that takes longer than a block does."""
    return pd.Index(names)
