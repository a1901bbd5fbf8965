"""Coinalyze: liquidations and open interest of the past, which exchanges do not give.

Protocol: https://api.coinalyze.net/v1/doc/. The key goes in the header ``api_key``; it may
make 40 calls a minute, and each symbol of a request is one, 20 at most. History is in order
of time, stamped in seconds with the beginning of its interval; of intervals below a day the
newest 1,500 to 2,000 are kept. ``l`` and ``s`` of a liquidation are the sides of the
positions. Minutes in which nothing was liquidated are left out.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import FeedError
from hydra_ft.feeds.http_json import Budget, Clock, JsonService
from hydra_ft.store.flow_calls import CallBudget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_ft.store.database import Database

URL: Final = "https://api.coinalyze.net/v1"
KEY: Final = "COINALYZE_API_KEY"
"""Name of the variable of the environment that holds the key."""
SOURCE: Final = "coinalyze"
CALLS_A_MINUTE: Final = 40
AT_ONCE: Final = 20
"""Symbols of one request."""
KEPT: Final = 1_500
"""Intervals that are kept in any case."""
INTERVALS_MS: Final[Mapping[str, int]] = {
    "1min": 60_000,
    "5min": 300_000,
    "15min": 900_000,
    "30min": 1_800_000,
    "1hour": 3_600_000,
    "2hour": 7_200_000,
    "4hour": 14_400_000,
    "6hour": 21_600_000,
    "12hour": 43_200_000,
}


@dataclass(frozen=True, slots=True)
class VendorMarket:
    """A perpetual as Coinalyze knows it; ``in_base`` says in what open interest is counted."""

    symbol: str
    pair: str
    in_base: bool


def shared_budget(database: Database, key: str) -> CallBudget:
    """Budget of a key, shared by all that use the same Hydra database."""
    mark = hashlib.sha256(key.encode()).hexdigest()[:8]
    return CallBudget(database, f"{SOURCE}:{mark}", CALLS_A_MINUTE, 61_000)


class Coinalyze:
    """Client of the API; its methods raise FeedError."""

    def __init__(
        self, key: str, budget: Budget, *, url: str = URL, clock: Clock | None = None
    ) -> None:
        headers = {"api_key": key, "Accept": "application/json"}
        self._service = JsonService("Coinalyze", url, headers, budget, secrets=(key,), clock=clock)

    def markets(self, exchange: str) -> dict[str, VendorMarket]:
        """Perpetuals of an exchange (ccxt's id) by their pair (ccxt's symbol)."""
        code = self._code_of(exchange)
        found = [
            _market(row)
            for row in _rows(self._service.get("/future-markets", {}), "future-markets")
            if row.get("exchange") == code and row.get("is_perpetual")
        ]
        return {market.pair: market for market in found}

    def liquidations(
        self, symbols: Sequence[str], start: int, stop: int, interval: str = "1min"
    ) -> dict[str, list[tuple[int, float, float]]]:
        """Time (UTC ms), longs and shorts in USD of each interval, by symbol.

        Intervals that begin within ``start`` and ``stop`` (both included).
        """
        answer = self._history("/liquidation-history", symbols, start, stop, interval, "true")
        return {
            symbol: [(t, _number(point, "l"), _number(point, "s")) for t, point in points]
            for symbol, points in answer.items()
        }

    def open_interest(
        self, symbols: Sequence[str], start: int, stop: int, interval: str = "5min"
    ) -> dict[str, list[tuple[int, float, float]]]:
        """Time (UTC ms), open interest at the beginning and at the end of each interval."""
        answer = self._history("/open-interest-history", symbols, start, stop, interval, "false")
        return {
            symbol: [(t, _number(point, "o"), _number(point, "c")) for t, point in points]
            for symbol, points in answer.items()
        }

    def _history(
        self, path: str, symbols: Sequence[str], start: int, stop: int, interval: str, usd: str
    ) -> dict[str, list[tuple[int, dict[str, Any]]]]:
        query = {
            "symbols": ",".join(symbols),
            "interval": interval,
            "from": str(start // 1000),
            "to": str(stop // 1000),
            "convert_to_usd": usd,
        }
        rows = _rows(self._service.get(path, query, cost=len(symbols)), path)
        asked = {row.get("symbol"): row for row in rows if row.get("symbol") in symbols}
        return {symbol: _points(row, path) for symbol, row in asked.items() if symbol}

    def _code_of(self, exchange: str) -> str:
        rows = _rows(self._service.get("/exchanges", {}), "exchanges")
        codes = {_plain(str(row.get("name", ""))): str(row.get("code")) for row in rows}
        wanted = _plain(exchange)
        for name in (wanted, *(name for name in codes if name.startswith(wanted))):
            if name in codes:
                return codes[name]
        raise FeedError(
            f"Coinalyze: expected an exchange that it has, was {exchange!r}; it has "
            f"{', '.join(sorted(codes))}"
        )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _market(row: Mapping[str, Any]) -> VendorMarket:
    base, quote = str(row.get("base_asset")), str(row.get("quote_asset"))
    settled = base if row.get("margined") == "COIN" else quote
    return VendorMarket(
        symbol=str(row.get("symbol")),
        pair=f"{base}/{quote}:{settled}",
        in_base=row.get("oi_lq_vol_denominated_in") == "BASE_ASSET",
    )


def _rows(document: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise FeedError(f"Coinalyze: expected a list of objects from {what}, was {document!r:.80}")
    return document


def _points(row: Mapping[str, Any], what: str) -> list[tuple[int, dict[str, Any]]]:
    points = _rows(row.get("history"), what)
    try:
        return [(int(point["t"]) * 1000, point) for point in points]
    except (KeyError, TypeError, ValueError) as error:
        raise FeedError(f"Coinalyze: expected times in {what}, was {points!r:.80}") from error


def _number(point: Mapping[str, Any], name: str) -> float:
    try:
        return float(point[name])
    except (KeyError, TypeError, ValueError) as error:
        raise FeedError(f"Coinalyze: expected the number {name!r}, was {point!r:.80}") from error
