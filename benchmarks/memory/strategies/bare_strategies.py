"""Strategies that do nothing, and import nothing of Hydra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade.strategy import IStrategy

if TYPE_CHECKING:
    import pandas as pd


class Bare(IStrategy):  # type: ignore[misc]
    """Nothing at all, on candles of 5m."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    stoploss = -0.9
    minimal_roi: dict[str, float] = {"0": 100.0}  # noqa: RUF012 - set per instance

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> Any:
        """Add nothing."""
        del metadata
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> Any:
        """Enter never."""
        del metadata
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> Any:
        """Leave never."""
        del metadata
        return dataframe


class BareWide(Bare):
    """Nothing at all, with everything that HydraFlow lets freqtrade download."""

    def informative_pairs(self) -> list[tuple[str, ...]]:
        """Coarser candles, funding and open interest of every pair."""
        pairs: list[tuple[str, ...]] = []
        for pair in self.dp.current_whitelist():
            pairs += [(pair, "1h"), (pair, "4h")]
            pairs += [(pair, "1h", "funding_rate"), (pair, "1h", "open_interest")]
        return pairs
