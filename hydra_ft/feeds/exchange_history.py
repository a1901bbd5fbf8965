"""Open interest that an exchange still has, page by page, through ccxt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ccxt

from hydra_ft.errors import FeedError
from hydra_ft.feeds.recorder_setup import SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Page = list[tuple[int, float | None, float | None]]

OPEN_INTEREST_DAYS: Final = 30
"""Exchanges keep as much; the first day is left out, they drop it while it is asked for."""
PAGE: Final[Mapping[str, int]] = {"binance": 500, "bybit": 200, "okx": 100}
"""Values of a page; the smallest where it is not known."""
MINUTES: Final[Mapping[int, str]] = {5: "5m", 15: "15m", 30: "30m", 60: "1h"}


class ExchangeHistory:
    """Client of one exchange (ccxt's id); its methods raise FeedError.

    ``options`` are those of ccxt, as in freqtrade's ``exchange.ccxt_config``. No key is
    needed, and none is used.
    """

    def __init__(
        self,
        exchange: str,
        options: Mapping[str, Any] | None = None,
        *,
        days: int = OPEN_INTEREST_DAYS - 1,
    ) -> None:
        self.open_interest_days = days
        made = getattr(ccxt, exchange, None)
        if made is None or exchange not in ccxt.exchanges:
            raise FeedError(f"expected an exchange of ccxt, was {exchange!r}; see ccxt.exchanges")
        given = {k: v for k, v in (options or {}).items() if k not in SECRETS}
        more = {"defaultType": "swap", **given.get("options", {})}
        self._client = made({"enableRateLimit": True, **given, "options": more})
        self._page = PAGE.get(exchange, min(PAGE.values()))
        if not self._client.has.get("fetchOpenInterestHistory"):
            raise FeedError(f"{exchange}: expected a history of open interest, ccxt knows none")

    def open_interest(self, pair: str, start: int, stop: int, step_ms: int) -> Iterator[Page]:
        """Yield pages of time (UTC ms), base and quote currency, None where one is not told."""
        timeframe = MINUTES.get(step_ms // 60_000)
        if timeframe is None:
            raise FeedError(
                f"open interest: expected steps of {MINUTES.values()}, was {step_ms} ms"
            )
        while start < stop:
            page = [row for row in self._fetched(pair, timeframe, start) if row[0] >= start]
            if not page:
                # Nothing in this stretch; what comes later may still be there.
                start += self._page * step_ms
                continue
            yield [row for row in page if row[0] < stop]
            start = page[-1][0] + 1

    def _fetched(self, pair: str, timeframe: str, start: int) -> Page:
        try:
            rows = self._client.fetch_open_interest_history(pair, timeframe, start, self._page)
        except (ccxt.BaseError, TypeError) as error:
            raise FeedError(
                f"expected open interest of {pair} from {self._client.id}, was {error}; try later"
            ) from error
        found = [
            (int(r["timestamp"]), _float(r["openInterestAmount"]), _float(r["openInterestValue"]))
            for r in rows
        ]
        return sorted(found, key=lambda row: row[0])


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
