"""The mark price of a contract beside its candles, as freqtrade brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from freqtrade.enums import CandleType

from hydra_ft.adapter.frames import times
from hydra_ft.bars.beside import with_reference
from hydra_ft.decisions.rules import needed_features

if TYPE_CHECKING:
    from collections.abc import Collection

    from freqtrade.data.dataprovider import DataProvider

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.types import Bars, Feed


def marked(rules: HeadRules, feeds: Collection[Feed]) -> tuple[str, ...]:
    """Timeframes of the head on which a feature that it computes reads a reference price."""
    wanted = needed_features(rules, feeds)
    return tuple(
        timeframe
        for timeframe in rules.timeframes
        if any("reference" in feature.groups for feature in wanted[timeframe])
    )


def with_marks(dp: DataProvider, pair: str, timeframe: str, bars: Bars) -> Bars:
    """Bars with the closes of the mark's candles as their ``reference``, NaN where is none.

    In a bot they are those of ``informative_pairs``, in a test those of ``freqtrade
    download-data --candle-types mark``: without the option it brings those of 1h alone.
    """
    frame = dp.get_pair_dataframe(pair, timeframe, CandleType.MARK)
    if not len(frame):
        return with_reference(bars, np.empty(0, np.int64), np.empty(0))
    return with_reference(bars, times(frame), frame["close"].to_numpy(np.float64))
