"""What to tell ccxt and freqtrade so that every call of theirs comes to this server."""

from __future__ import annotations

from typing import Any

_PATHS = {
    **{f"fapi{who}{version}": f"/fapi/{path}"
       for who in ("Public", "Private")
       for version, path in (("", "v1"), ("V2", "v2"), ("V3", "v3"))},
    "fapiData": "/futures/data",
    **{f"sapi{version}": f"/sapi/{path}"
       for version, path in (("", "v1"), ("V2", "v2"), ("V3", "v3"), ("V4", "v4"))},
    "dapiPublic": "/dapi/v1", "dapiPrivate": "/dapi/v1", "dapiPrivateV2": "/dapi/v2",
    "dapiData": "/futures/data",
    "eapiPublic": "/eapi/v1", "eapiPrivate": "/eapi/v1",
    "public": "/api/v3", "private": "/api/v3", "v1": "/api/v1",
    "papi": "/papi/v1", "papiV2": "/papi/v2",
}  # fmt: skip
_STREAMS = ("spot", "margin", "linear", "inverse", "stock", "option", "optionMarket",
            "optionPrivate", "papi")  # fmt: skip
_CALLS = ("spot", "linear", "inverse")


def ccxt_urls(base_url: str) -> dict[str, Any]:
    """Give every key of ccxt's binance ``urls.api``, pointing at ``base_url``.

    All keys are there, those of ccxt.pro's streams too, so that a call which this server does
    not know fails here instead of reaching the real exchange.
    """
    base = base_url.rstrip("/")
    stream = base.replace("http://", "ws://", 1) + "/ws"
    urls: dict[str, Any] = {name: base + path for name, path in _PATHS.items()}
    calls = dict.fromkeys(_CALLS, f"{stream}-api")
    urls["ws"] = {**dict.fromkeys(_STREAMS, stream), "ws-api": calls}
    return urls


def freqtrade_exchange_config(base_url: str) -> dict[str, Any]:
    """Give the ``exchange`` section of a freqtrade configuration for this server.

    It trades futures with ``"trading_mode": "futures", "margin_mode": "isolated"``; add a
    ``pair_whitelist``.
    """
    return {
        "name": "binance",
        "key": "loopback",
        "secret": "loopback",
        "enable_ws": False,
        "only_from_ccxt": True,
        "pair_whitelist": [],
        "ccxt_config": {
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["linear"]}, "fetchMargins": False},
            "urls": {"api": ccxt_urls(base_url)},
        },
    }
