"""A head that reads the book, single liquidations and the mark; it never enters."""

from dataclasses import replace

import numpy as np

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.rules import HeadRules
from hydra_ft.signals.registry import SIGNALS, SignalColumns
from hydra_ft.types import Feed

NEEDS = ("ofi_5m", "queue_imbalance_5m", "microprice_offset_bps_5m", "cascade_30_s_5m", "basis_1h")
FEEDS = (Feed.CANDLES, Feed.LIQUIDATIONS, Feed.BOOK)


def nothing(columns, _market, _rules) -> SignalColumns:
    """Fire on no bar: what is looked at is the columns."""
    n = columns["ofi_5m"].shape[0]
    none, half = np.zeros(n, dtype=np.bool_), (np.full(n, 0.5),) * 2
    return SignalColumns(none, none, half, half, half)


class BookHead(HydraStrategy):
    """Writes the columns of its frame to a file for each pair."""

    can_short = True
    rules = HeadRules(
        name="BookHead",
        feeds=FEEDS,
        signals=(
            replace(
                SIGNALS["trend_pullback"],
                feeds=FEEDS,
                needs=NEEDS,
                uses=(),
                unless=(),
                detect=nothing,
            ),
        ),
    )
    stoploss = -0.04
    minimal_roi = {"0": 10.0}  # noqa: RUF012 - as in any strategy

    def populate_indicators(self, dataframe, metadata):
        frame = super().populate_indicators(dataframe, metadata)
        name = metadata["pair"].split("/")[0]
        frame[["date", *NEEDS]].to_feather(self.config["user_data_dir"] / f"{name}.feather")
        return frame
