"""A loopback exchange that speaks Binance USDT-M futures: REST, and market streams.

Unmodified freqtrade and ccxt run against it, for the demo, the tests and the fault drills::

    from loopback_exchange import Market, Server, freqtrade_exchange_config

    with Server(Market(seed=7)) as server:
        config = freqtrade_exchange_config(server.url)

The market is generated (``Market``), or replayed from freqtrade's own files (``Replay``): candles,
and trades where they were recorded. ``python -m loopback_exchange --help`` says how to run it by
hand.

Trades, books, best quotes and forced orders are streamed over WebSocket too, to ccxt.pro or any
other client; ``server.streams`` puts a load on them, and lets things go wrong::

    server.streams.start_load(1_000)           # trades a second, over all symbols
    server.streams.faults.drop_share = 0.01    # lost on their way
    server.streams.disconnect()

It imports nothing of Hydra, freqtrade or ccxt, and listens on 127.0.0.1 only.
"""

from __future__ import annotations

from loopback_exchange.control import Control, FillOrder
from loopback_exchange.errors import ApiError, Code, LoopbackError, PortTaken
from loopback_exchange.exchange import Exchange
from loopback_exchange.faults import FaultKind, FaultSchedule, Strike
from loopback_exchange.market import (
    DEFAULT_SYMBOLS,
    Course,
    LedMarket,
    Market,
    MarketSource,
    Replay,
    symbols,
)
from loopback_exchange.matching.journal import Event
from loopback_exchange.server import Server
from loopback_exchange.streams import Hub, Load, StreamFaults
from loopback_exchange.urls import ccxt_urls, freqtrade_exchange_config

__all__ = [
    "DEFAULT_SYMBOLS",
    "ApiError",
    "Code",
    "Control",
    "Course",
    "Event",
    "Exchange",
    "FaultKind",
    "FaultSchedule",
    "FillOrder",
    "Hub",
    "LedMarket",
    "Load",
    "LoopbackError",
    "Market",
    "MarketSource",
    "PortTaken",
    "Replay",
    "Server",
    "StreamFaults",
    "Strike",
    "ccxt_urls",
    "freqtrade_exchange_config",
    "symbols",
]
