"""A freqtrade home with downloaded trades and a Hydra database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from bars.flow_reference import made_trades
from bars.freqtrade_flow import frame_of
from freqtrade.data.history import get_datahandler
from freqtrade.enums import TradingMode

from hydra_ft.bars.flow_tables import COUNTED
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from pathlib import Path

    from cli.orders_home import Home

    from hydra_ft.types.flow import Flow, FlowBars, Trades

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE, DAY = 60_000, 86_400_000
START = 1_735_689_600_000  # 2025-01-01 00:00 UTC
BIN = 50
"""Ticks of a basis point of these trades."""


class Data:
    """A freqtrade home with downloaded trades and a Hydra database."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.folder / "data" / "binance"
        self.url = f"sqlite:///{home.file}"

    def download(self, pair: str, trades: Trades, form: str = "feather", **columns: Any) -> Path:
        """Put trades where `freqtrade download-data --dl-trades` does."""
        (self.folder / "futures").mkdir(parents=True, exist_ok=True)
        handler = get_datahandler(self.folder, form)
        handler.trades_store(pair, frame_of(trades).assign(**columns), TradingMode.FUTURES)
        found: Path = handler._pair_trades_filename(self.folder, pair, TradingMode.FUTURES)
        return found

    def run(self, *words: str) -> tuple[int, str, str]:
        self.home.capsys.readouterr()
        work, *rest = words
        code = main(["data", work, "--userdir", str(self.home.folder), *rest])
        shown = self.home.capsys.readouterr()
        return code, shown.out, shown.err

    def build(self, *words: str) -> str:
        code, out, err = self.run("build", *words)
        assert (code, err) == (0, "")
        return out

    def status(self, *words: str) -> list[dict[str, Any]]:
        code, out, err = self.run("status", "--json", *words)
        assert (code, err) == (0, "")
        found: list[dict[str, Any]] = json.loads(out)["feeds"]
        return found

    def bars(self, pair: str = BTC, step_ms: int = MINUTE, exchange: str = "binance") -> FlowBars:
        database = Database(self.url)
        bars = FlowStore(database, exchange).last(pair, step_ms, 1_000_000)
        database.close()
        assert bars is not None
        return bars


def three_days(n: int = 4_000) -> Trades:
    """Trades from the middle of a day to the middle of the second day after it."""
    return made_trades(n, span_ms=2 * DAY, start=START + DAY // 2)


def assert_bars(bars: FlowBars, expected: FlowBars) -> None:
    for name in ("time", *COUNTED):
        assert np.array_equal(getattr(bars, name), getattr(expected, name)), name


def whole(trades: Trades, step_ms: int = MINUTE, **more: Any) -> Flow:
    return flow_of(trades, TradeGrid(0.1, 0.001, BIN), step_ms, **more)
