"""Messages of the venues, written by hand after their documentation, with what they mean.

Binance: "Aggregate Trade Streams", "Liquidation Order Streams" of USDS-M futures. Bybit v5:
"Trade", "All Liquidation". OKX v5: "Trades channel", "Liquidation orders channel".
"""

from __future__ import annotations

from typing import Any

BINANCE_AGG_TRADE: dict[str, Any] = {
    "e": "aggTrade",
    "E": 1_763_716_200_123,
    "s": "BTCUSDT",
    "a": 5_933_014,
    "p": "86250.40",
    "q": "0.125",
    "f": 100,
    "l": 105,
    "T": 1_763_716_200_120,
    "m": True,
}
BINANCE_TRADE: dict[str, Any] = {
    "e": "trade",
    "E": 1_763_716_200_123,
    "T": 1_763_716_200_120,
    "s": "BTCUSDT",
    "t": 105,
    "p": "86250.40",
    "q": "0.125",
    "X": "MARKET",
    "m": False,
}
BINANCE_FORCE_ORDER: dict[str, Any] = {
    "e": "forceOrder",
    "E": 1_763_716_201_000,
    "o": {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.030",
        "p": "85900.00",
        "ap": "86100.50",
        "X": "FILLED",
        "l": "0.010",
        "z": "0.030",
        "T": 1_763_716_200_998,
    },
}
BYBIT_TRADE: dict[str, Any] = {
    "topic": "publicTrade.BTCUSDT",
    "type": "snapshot",
    "ts": 1_672_304_486_868,
    "data": [
        {
            "T": 1_672_304_486_865,
            "s": "BTCUSDT",
            "S": "Buy",
            "v": "0.001",
            "p": "16578.50",
            "L": "PlusTick",
            "i": "20f43950-d8dd-5b31-9112-a178eb6023af",
            "BT": False,
        }
    ],
}
BYBIT_LIQUIDATION: dict[str, Any] = {
    "topic": "allLiquidation.ROSEUSDT",
    "type": "snapshot",
    "ts": 1_739_502_303_204,
    "data": [
        {"T": 1_739_502_302_929, "s": "ROSEUSDT", "S": "Sell", "v": "20000", "p": "0.04499"},
        {"T": 1_739_502_302_930, "s": "ROSEUSDT", "S": "Buy", "v": "500", "p": "0.04400"},
    ],
}
OKX_TRADE: dict[str, Any] = {
    "arg": {"channel": "trades", "instId": "BTC-USDT-SWAP"},
    "data": [
        {
            "instId": "BTC-USDT-SWAP",
            "tradeId": "130639474",
            "px": "42219.9",
            "sz": "12",
            "side": "sell",
            "ts": "1630048897897",
            "count": "3",
        }
    ],
}
OKX_LIQUIDATION: dict[str, Any] = {
    "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
    "data": [
        {
            "details": [
                {
                    "bkLoss": "0",
                    "bkPx": "42100.5",
                    "ccy": "",
                    "posSide": "short",
                    "side": "buy",
                    "sz": "13",
                    "ts": "1692266434010",
                },
                {
                    "bkLoss": "0",
                    "bkPx": "41900",
                    "ccy": "",
                    "posSide": "net",
                    "side": "sell",
                    "sz": "2",
                    "ts": "1692266434020",
                },
            ],
            "instFamily": "BTC-USDT",
            "instId": "BTC-USDT-SWAP",
            "instType": "SWAP",
            "uly": "BTC-USDT",
        }
    ],
}
