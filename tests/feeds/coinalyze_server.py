"""Stands in for Coinalyze on 127.0.0.1: the paths and answers of its documentation.

https://api.coinalyze.net/v1/doc/: the key in the header or the query, 40 calls a minute of
which each symbol is one, 429 with `Retry-After`, history in ascending order and in seconds,
the newest 2,000 intervals kept, minutes without liquidations left out.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from hydra_ft.feeds.coinalyze import INTERVALS_MS

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "0123-a-secret-key"
EXCHANGES = [
    {"name": "Binance", "code": "A"},
    {"name": "Bybit", "code": "6"},
    {"name": "Gate.io", "code": "Y"},
]


def market(base: str, code: str = "A", margined: str = "STABLE", **more: Any) -> dict[str, Any]:
    """A row of /future-markets."""
    quote = "USDT" if margined == "STABLE" else "USD"
    return {
        "symbol": f"{base}{quote}_PERP.{code}",
        "exchange": code,
        "symbol_on_exchange": f"{base}{quote}",
        "base_asset": base,
        "quote_asset": quote,
        "expire_at": None,
        "has_buy_sell_data": True,
        "is_perpetual": True,
        "margined": margined,
        "oi_lq_vol_denominated_in": "BASE_ASSET" if margined == "STABLE" else "QUOTE_ASSET",
        "has_long_short_ratio_data": True,
        "has_ohlcv_data": True,
        **more,
    }


MARKETS = [
    market("BTC"),
    market("ETH"),
    market("BTC", margined="COIN"),
    market("BTC", "6"),
    {**market("BTC"), "symbol": "BTCUSDT.A", "is_perpetual": False, "expire_at": 1_800_000_000},
]


@dataclass
class Fault:
    """An answer that goes wrong: a status with headers and a body, or a cut connection.

    With ``lacking`` the connection ends so many bytes before the answer does.
    """

    status: int = 500
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    lacking: int = 0


class Coinalyze:
    """The stand-in; ``now`` is the time (UTC ms) by which it counts calls and drops the old."""

    def __init__(self, now: Callable[[], int], markets: list[dict[str, Any]] | None = None) -> None:
        self.now, self.markets = now, MARKETS if markets is None else markets
        self.liquidated: dict[str, list[tuple[int, float, float]]] = {}
        self.open_interest: dict[str, Callable[[int], float]] = {}
        self.faults: deque[Fault] = deque()
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.unnamed: set[str] = set()
        self.refused = 0
        self._calls: deque[int] = deque()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Fault | Any:
        """Answer one request: a document, or what goes wrong."""
        with self._lock:
            self.asked.append((path, query, headers))
            if self.faults:
                return self.faults.popleft()
            if KEY not in (headers.get("api_key"), query.get("api_key")):
                return Fault(401, '{"message": "Invalid/Missing API key"}')
            symbols = query.get("symbols", "").split(",")
            if wait := self._wait(len(symbols)):
                self.refused += 1
                return Fault(429, '{"message": "Too many requests"}', {"Retry-After": str(wait)})
            return self._document(path, symbols, query)

    def _wait(self, cost: int) -> int:
        """Seconds to wait, 0 if the calls are granted; those before a minute ago are over."""
        while self._calls and self._calls[0] <= self.now() - 60_000:
            self._calls.popleft()
        if len(self._calls) + cost > 40:
            return 1 + (self._calls[0] + 60_000 - self.now()) // 1000
        self._calls.extend([self.now()] * cost)
        return 0

    def _document(self, path: str, symbols: list[str], query: dict[str, str]) -> Fault | Any:
        if path == "/exchanges":
            return EXCHANGES
        if path == "/future-markets":
            return self.markets
        points = {
            "/liquidation-history": self._liquidated,
            "/open-interest-history": self._open_interest,
        }.get(path)
        step = INTERVALS_MS.get(query.get("interval", ""))
        if points is None or step is None or len(symbols) > 20:
            return Fault(400, '{"message": "Bad parameter(s)"}')
        start, stop = (int(query[name]) * 1000 for name in ("from", "to"))
        start = max(-(-start // step) * step, (self.now() // step - 2_000) * step)
        known = {row["symbol"] for row in self.markets}
        return [
            {"symbol": symbol, "history": points(symbol, start, stop, step)}
            for symbol in symbols
            if symbol in known - self.unnamed
        ]

    def _liquidated(self, symbol: str, start: int, stop: int, step: int) -> list[dict[str, Any]]:
        sums: dict[int, list[float]] = {}
        for time, longs, shorts in sorted(self.liquidated.get(symbol, [])):
            total = sums.setdefault(time // step * step, [0.0, 0.0])
            total[0] += longs
            total[1] += shorts
        within = {time: total for time, total in sums.items() if start <= time <= stop}
        return [{"t": t // 1000, "l": longs, "s": shorts} for t, (longs, shorts) in within.items()]

    def _open_interest(self, symbol: str, start: int, stop: int, step: int) -> list[dict[str, Any]]:
        at = self.open_interest.get(symbol)
        if at is None:
            return []
        last = min(stop, self.now())
        return [
            {"t": t // 1000, "o": at(t), "h": 1e12, "l": -1e12, "c": at(t + step)}
            for t in range(start, last + 1, step)
        ]

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        world = self

        class Requests(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                found = world.answer(parts.path.removeprefix("/v1"), query, headers)
                if isinstance(found, Fault) and found.cut:
                    self.close_connection = True
                    return
                if not isinstance(found, Fault):
                    found = Fault(200, json.dumps(found))
                body = found.body
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body.encode()) + found.lacking))
                self.close_connection |= found.lacking > 0
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_words: object) -> None:
                pass

        return Requests
