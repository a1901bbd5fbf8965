"""Bars of the frames that a bot's exchange holds: read again only where they were refreshed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.adapter.frames import COLUMNS, read_bars
from hydra_ft.adapter.start import TRADES

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd
    from freqtrade.data.dataprovider import DataProvider

    from hydra_ft.types import Bars, Feed


class HeldFrames:
    """What was read of the coarser candles and feeds of each pair, for as long as they stay.

    A candle of 1h is refreshed once an hour: freqtrade puts a new frame in the place of the old
    one then, and never writes into one. Outside a bot that trades everything is read each time.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[list[pd.DataFrame], Bars]] = {}

    def bars(self, dp: DataProvider, pair: str, timeframe: str, feeds: frozenset[Feed]) -> Bars:
        """Return what ``read_bars`` does: the very bars of before where nothing is new."""
        if dp.runmode not in TRADES:
            return read_bars(dp, pair, timeframe, feeds)
        types = ("", *(kind for feed, (kind, _) in COLUMNS.items() if feed in feeds))
        held = [dp.ohlcv(pair, timeframe, copy=False, candle_type=kind) for kind in types]
        before = self._read.get((pair, timeframe))
        # Where nothing is held freqtrade makes an empty frame each time, and it is read again.
        if before is not None and _same_objects(before[0], held):
            return before[1]
        bars = read_bars(dp, pair, timeframe, feeds)
        self._read[pair, timeframe] = held, bars
        return bars

    def keep(self, pairs: Collection[str]) -> None:
        """Let go what was read of all pairs but these."""
        self._read = {key: kept for key, kept in self._read.items() if key[0] in pairs}


def _same_objects(one: list[pd.DataFrame], other: list[pd.DataFrame]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
