"""A freqtrade home in a folder of its own: embedded exchange, configuration, data, strategies."""

from __future__ import annotations

import json
import logging
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade.configuration import Configuration
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from benchmarks.backtest import market as frames
from loopback_exchange import Market, Server, freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
BENCH_STRATEGIES = Path(__file__).with_name("strategies")
HEADS = REPOSITORY / "strategies"
WARMUP_DAYS = {"5m": 12.0, "1h": 24.0, "4h": 60.0}
"""What a head reads before the first day that is tested, and a little more."""


def pair_of(symbol: str) -> str:
    """Freqtrade's name of a symbol."""
    return f"{symbol.removesuffix('USDT')}/USDT:USDT"


class Home:
    """A home on disk and the exchange it talks to; nothing leaves this machine."""

    def __init__(self, folder: Path, market: Market, url: str, pairs: int) -> None:
        self.market = market
        self.userdir = folder / "user_data"
        self.datadir = self.userdir / "data" / "binance"
        (self.datadir / "futures").mkdir(parents=True)
        self._file = folder / "config.json"
        self._url = url
        self.pairs = {pair_of(symbol): symbol for symbol in market.symbols[:pairs]}
        self._exchanges: list[Any] = []
        self._tests: list[Backtesting] = []

    def config(self, runmode: RunMode, *, sizes: bool = True, **chase: bool) -> dict[str, Any]:
        """The example configuration of the pack, on this home, read as freqtrade reads it."""
        example = json.loads((REPOSITORY / "config.json.example").read_text(encoding="utf-8"))
        exchange = freqtrade_exchange_config(self._url)
        exchange["ccxt_config"]["options"] |= example["exchange"]["ccxt_config"]["options"]
        exchange["pair_whitelist"] = list(self.pairs)
        risk = {**example["hydra"].get("risk", {}), "enabled": sizes}
        hydra = {**example["hydra"], "chase": {**example["hydra"]["chase"], **chase}, "risk": risk}
        made = {
            **example,
            "exchange": exchange,
            "hydra": hydra,
            "strategy_path": str(HEADS),
            "max_open_trades": len(self.pairs),
            # Enough that the compounding of a long test never runs into a limit.
            "stake_amount": 100,
            "dry_run_wallet": 1_000_000,
        }
        self._file.write_text(json.dumps(made), encoding="utf-8")
        arguments = {"config": [str(self._file)], "user_data_dir": str(self.userdir)}
        # What freqtrade says of each of the many tests belongs to nobody, and takes time.
        logging.disable(logging.WARNING)
        found: dict[str, Any] = Configuration(arguments, runmode).get_config()
        return found

    def store(self, days: float) -> None:
        """Write what freqtrade would have downloaded for a test over some days."""
        handler = get_datahandler(self.datadir, "feather")
        for pair, symbol in self.pairs.items():
            for timeframe, warmup in WARMUP_DAYS.items():
                candles = frames.candles(self.market, symbol, timeframe, days + warmup)
                bare = candles[frames.CANDLES]
                handler.ohlcv_store(pair, timeframe, bare, CandleType.FUTURES)
                if timeframe == "1h":
                    handler.ohlcv_store(pair, timeframe, bare, CandleType.MARK)
                    held = frames.open_interest(candles)
                    handler.ohlcv_store(pair, timeframe, held, CandleType.OPEN_INTEREST)
            rates = frames.funding(self.market, symbol, days + WARMUP_DAYS["1h"])
            handler.ohlcv_store(pair, "1h", rates, CandleType.FUNDING_RATE)

    def testing(self, days: float, *, sizes: bool = True, **chase: bool) -> Backtesting:
        """Freqtrade's backtester on this home, over the last days, with HydraFlow."""
        config = self.config(RunMode.BACKTEST, sizes=sizes, **chase)
        begin = (frames.END_MS - int(days * frames.DAY_MS)) // 1000
        config["timerange"] = f"{begin}-{frames.END_MS // 1000}"
        self._tests.append(Backtesting(config))
        self._exchanges.append(self._tests[-1].exchange)
        return self._tests[-1]

    def exchange(self, config: dict[str, Any]) -> Any:
        """Freqtrade's own exchange, with the markets of the embedded one."""
        self._exchanges.append(ExchangeResolver.load_exchange(config))
        return self._exchanges[-1]

    def close(self) -> None:
        """Let go of what talks to the embedded exchange, and of freqtrade's switched-off books."""
        for testing in self._tests:
            testing.cleanup()
        for exchange in self._exchanges:
            exchange.close()


def bench_strategy(name: str, config: dict[str, Any]) -> Any:
    """One of the strategies to compare with, loaded by freqtrade."""
    own = {**config, "strategy": name, "strategy_path": str(BENCH_STRATEGIES)}
    return StrategyResolver.load_strategy(own)


@contextmanager
def opened(folder: Path, pairs: int = 8) -> Iterator[Home]:
    """A home in a folder for so many pairs, with its exchange running."""
    market = Market(seed=7)
    try:
        with Server(market) as server, closing(Home(folder, market, server.url, pairs)) as home:
            yield home
    finally:
        logging.disable(logging.NOTSET)
