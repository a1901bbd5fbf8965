"""Recorded trades as freqtrade stores them, read batch by batch: a file may be of any length."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loopback_exchange.clock import MINUTE_MS

if TYPE_CHECKING:
    from loopback_exchange.market.bridge import Flags
    from loopback_exchange.market.noise import Floats, Ints

_COLUMNS = ("timestamp", "id", "side", "price", "amount")
_NAME = re.compile(r"^(?P<base>[A-Z0-9]+)_USDT_USDT-trades\.feather$")


class RawTrades(NamedTuple):
    """Trades of one batch as the file has them; arrays of one length."""

    time_ms: Ints
    id: Ints
    is_buy: Flags  # the aggressor bought
    price: Floats  # quote
    amount: Floats  # base


@dataclass(frozen=True)
class Batches:
    """Where the batches of a file lie: arrays of one length, times and ids of each batch."""

    rows: Ints
    last_ms: Ints
    low_id: Ints
    high_id: Ints


def trade_files(folder: Path) -> dict[str, Path]:
    """Find the trades files of the pairs of a folder, by symbol."""
    found = ((_NAME.match(path.name), path) for path in sorted(folder.iterdir()))
    return {f"{match['base']}USDT": path for match, path in found if match}


def decimals(numbers: Floats, least: int = 0) -> int:
    """Give the decimal places, at least so many and at most 8, that numbers are written with."""
    for places in range(least, 8):
        if not len(numbers) or np.abs(np.round(numbers, places) - numbers).max() <= 1e-9:
            return places
    return 8


class TradeFile:
    """A file that ``freqtrade download-data --dl-trades`` has written in feather format.

    It is read through once to be checked, and then a batch (65,536 trades) at a time.

    Attributes
    ----------
    price_decimals, amount_decimals : int
        Decimal places of all prices and amounts.
    first_price : float
        Price of the first trade, in quote.
    minute_notional : float
        Mean turnover of a minute between the first and the last trade, in quote.

    Raises
    ------
    ValueError
        When the file is no such file, holds no trades, or they are not in time order.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        # Not memory-mapped: a file that is cut while it is mapped would end the process.
        try:
            self._reader = pa.ipc.open_file(pa.OSFile(str(self._path)))
        except pa.ArrowInvalid as error:
            raise self._refusal("a feather file", f"none ({error})") from error
        missing = sorted(set(_COLUMNS) - set(self._reader.schema.names))
        if missing:
            raise self._refusal(f"columns {', '.join(_COLUMNS)}", f"without {', '.join(missing)}")
        self.price_decimals = self.amount_decimals = 0
        self.first_price = self.minute_notional = 0.0
        self.batches = self._survey()

    def read(self, batch: int) -> RawTrades:
        """Read one batch."""
        with self._lock:
            table = self._reader.get_batch(batch)
        columns = {name: table.column(name) for name in _COLUMNS}
        return RawTrades(
            self._numbers(columns["timestamp"], pa.int64()),
            self._numbers(columns["id"], pa.int64()),
            self._sides(columns["side"]),
            self._numbers(columns["price"], pa.float64()),
            self._numbers(columns["amount"], pa.float64()),
        )

    def _numbers(self, column: Any, kind: Any) -> Any:
        try:
            return pc.cast(column, kind).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid as error:
            raise self._refusal("times, prices, amounts and ids that are whole", error) from error

    def _sides(self, column: Any) -> Flags:
        sides = pc.cast(column, pa.string())
        bought: Flags = pc.equal(sides, "buy").to_numpy(zero_copy_only=False)
        if not pc.all(pc.is_in(sides, pa.array(["buy", "sell"]))).as_py():
            raise self._refusal("sides buy and sell", "with others")
        return bought

    def _survey(self) -> Batches:
        count = self._reader.num_record_batches
        found: list[tuple[int, int, int, int]] = []
        begun, newest, turnover = 0, -1, 0.0
        for batch in range(count):
            raw = self.read(batch)
            if not len(raw.id):
                # An empty batch is found by no time and no id.
                found.append((0, newest, 1, 0))
                continue
            self._check(raw, newest)
            if newest < 0:
                begun, self.first_price = int(raw.time_ms[0]), float(raw.price[0])
            newest = int(raw.time_ms[-1])
            found.append((len(raw.id), newest, int(raw.id.min()), int(raw.id.max())))
            self.price_decimals = decimals(raw.price, self.price_decimals)
            self.amount_decimals = decimals(raw.amount, self.amount_decimals)
            turnover += float(raw.price @ raw.amount)
        if newest < 0:
            raise self._refusal("trades", "empty")
        self.minute_notional = turnover / (newest // MINUTE_MS - begun // MINUTE_MS + 1)
        return Batches(*(np.array(column, dtype=np.int64) for column in zip(*found, strict=True)))

    def _check(self, raw: RawTrades, newest_ms: int) -> None:
        if (np.diff(raw.time_ms, prepend=newest_ms) < 0).any():
            raise self._refusal("trades in time order", "out of order; sort it by timestamp")
        # Written so that a NaN is refused too.
        if not ((raw.price > 0) & (raw.amount > 0) & (raw.id >= 0)).all():
            raise self._refusal("prices and amounts above 0, ids of 0 or more", "with others")

    def _refusal(self, expected: str, was: object) -> ValueError:
        return ValueError(
            f"Expected {expected} in {self._path}, as freqtrade download-data --dl-trades writes "
            f"a trades file; it was {was}. Change the file, or leave it out."
        )
