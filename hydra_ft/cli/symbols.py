"""Names of a market: the exchange's and freqtrade's."""

from __future__ import annotations


def pair_of(symbol: str) -> str:
    """Freqtrade's name of a USDT-margined symbol: BTCUSDT is BTC/USDT:USDT."""
    return f"{symbol.removesuffix('USDT')}/USDT:USDT"


def symbol_of(pair: str) -> str:
    """Exchange's name of a pair: BTC/USDT:USDT is BTCUSDT."""
    return pair.split(":", maxsplit=1)[0].replace("/", "")
