"""Files of `freqtrade download-data --dl-trades`, read with freqtrade's own data handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from freqtrade.configuration import TimeRange
from freqtrade.data.history import get_datahandler
from freqtrade.enums import TradingMode
from pyarrow import ArrowException, dataset

from hydra_ft.bars.flow_trades import milliseconds, trades_from
from hydra_ft.errors import DataError
from hydra_ft.types.flow import NO_ID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from hydra_ft.types import IntArray
    from hydra_ft.types.flow import Trades

ARROW: Final = frozenset({"feather", "parquet"})
"""Formats of which a part can be read."""
UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, ArrowException)


@dataclass(frozen=True)
class TradeFiles:
    """The trades that a bot has downloaded, by pair.

    ``format`` is freqtrade's ``dataformat_trades``, ``mode`` its ``trading_mode``.
    """

    folder: Path
    format: str
    mode: TradingMode

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TradeFiles:
        """Trades of a bot, by its configuration."""
        mode = TradingMode(config.get("trading_mode", TradingMode.SPOT))
        return cls(config["datadir"], config.get("dataformat_trades", "feather"), mode)

    def pairs(self) -> list[str]:
        """Return the pairs of which there is a file, by name."""
        return sorted(self._reader.trades_get_available_data(self.folder, self.mode))

    def path(self, pair: str) -> Path:
        """File of a pair."""
        found: Path = self._reader._pair_trades_filename(self.folder, pair, self.mode)  # noqa: SLF001
        return found

    def stamps(self, pair: str) -> IntArray:
        """Return the times of all trades of a pair (UTC ms), in order.

        Raises DataError where the file cannot be read.
        """
        try:
            if self.format in ARROW:
                table = dataset.dataset(self.path(pair), format=self.format)
                column: Any = table.to_table(columns=["timestamp"]).column("timestamp")
                stamps = np.array(column, dtype=np.int64)
            else:
                stamps = self._frame(pair, None)["timestamp"].to_numpy(np.int64)
        except UNREADABLE as error:
            raise self._unreadable(pair, error) from error
        return np.sort(stamps)

    def trades(self, pair: str, start: int, stop: int) -> Trades:
        """Return the trades of a pair from ``start`` to before ``stop`` (UTC ms), in order.

        The handler is asked for what is in the file, not for its ``trades_load``: that one
        takes trades of one moment without an id for the same trade, and turns a damaged file
        into an empty one. Raises DataError where the file cannot be read.
        """
        # The filter compares these with the milliseconds of the file.
        within = TimeRange("date", "date", start, stop)
        try:
            frame = self._frame(pair, within)
            times = frame["timestamp"]
            return _trades(frame[(times >= start) & (times < stop)])
        except UNREADABLE as error:
            raise self._unreadable(pair, error) from error

    @property
    def _reader(self) -> Any:
        return get_datahandler(self.folder, self.format)

    def _frame(self, pair: str, within: TimeRange | None) -> pd.DataFrame:
        frame: pd.DataFrame = self._reader._trades_load(pair, self.mode, within)  # noqa: SLF001
        return frame

    def _unreadable(self, pair: str, error: BaseException) -> DataError:
        return DataError(
            f"expected trades of {pair} in {self.path(pair)}, was {error}; download them anew: "
            f"freqtrade download-data --dl-trades --erase --pairs {pair}"
        )


def _trades(frame: pd.DataFrame) -> Trades:
    """Trades of freqtrade's frame of them, in the order of their times and ids."""
    frame = frame.reset_index(drop=True)
    ids, frame = _ids(frame)
    sides = frame["side"].map({"buy": 1, "sell": -1})
    if sides.isna().any():
        raise ValueError(f"side {frame['side'][sides.isna()].iloc[0]!r}")
    trades = trades_from(
        ids,
        milliseconds(frame["timestamp"].to_numpy(np.int64)),
        frame["price"].to_numpy(np.float64),
        frame["amount"].to_numpy(np.float64),
        sides.to_numpy(np.int8),
    )
    order = np.lexsort((trades.id, trades.time))
    if (np.diff(order) == 1).all():
        return trades
    columns = (trades.id, trades.time, trades.price, trades.quantity, trades.side)
    return trades_from(*(column[order] for column in columns))


def _ids(frame: pd.DataFrame) -> tuple[IntArray, pd.DataFrame]:
    """Ids as numbers, and the rows without repetitions where ids are no numbers."""
    text = frame["id"]
    try:
        return np.asarray(text.astype("int64"), dtype=np.int64), frame
    except (ValueError, TypeError):
        named = text.notna() & ~text.astype(str).isin(["", "None", "nan"])
        frame = frame[~(named & text.duplicated())].reset_index(drop=True)
        return np.full(len(frame), NO_ID, dtype=np.int64), frame
