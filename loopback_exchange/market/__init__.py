"""The market that the exchange serves: generated (``Market``) or recorded (``Replay``)."""

from __future__ import annotations

from loopback_exchange.market.book import Book
from loopback_exchange.market.candles import Candles
from loopback_exchange.market.course import Course, LedMarket
from loopback_exchange.market.replay import Replay
from loopback_exchange.market.source import MarketSource
from loopback_exchange.market.specs import DEFAULT_SYMBOLS, SymbolSpec, spec_of, symbols
from loopback_exchange.market.synthetic import Market
from loopback_exchange.market.trades import Trades

__all__ = [
    "DEFAULT_SYMBOLS",
    "Book",
    "Candles",
    "Course",
    "LedMarket",
    "Market",
    "MarketSource",
    "Replay",
    "SymbolSpec",
    "Trades",
    "spec_of",
    "symbols",
]
