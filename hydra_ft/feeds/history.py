"""Fills the database with what happened before: each pair from where it was left.

An interval counts when it is over, and a while later: the newest ones may still change, so
they are asked for again the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hydra_ft.feeds.coinalyze import AT_ONCE, INTERVALS_MS, KEPT, SOURCE
from hydra_ft.store.flow_coverage import OWN, covered
from hydra_ft.store.flow_derivatives import stepped
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hydra_ft.feeds.coinalyze import Coinalyze, VendorMarket
    from hydra_ft.feeds.exchange_history import ExchangeHistory, Page
    from hydra_ft.store.database import Database
    from hydra_ft.store.flow_derivatives import DerivativesStore
    from hydra_ft.store.flow_markets import Markets

SETTLED_MS: Final = 60_000
"""An interval is taken for final when it has been over for so long."""
OVERLAP: Final = 10
"""Intervals before the end of what is kept that are asked for again."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one pair: how many values, of which stretch (UTC ms; both 0 for nothing)."""

    pair: str
    feed: Feed
    values: int
    start: int = 0
    stop: int = 0


class History:
    """The past of the pairs of one exchange, into the database."""

    def __init__(self, database: Database, markets: Markets, kept: DerivativesStore) -> None:
        self._database, self._markets, self._kept = database, markets, kept

    def liquidations(
        self,
        client: Coinalyze,
        wanted: Sequence[VendorMarket],
        now: int,
        *,
        interval: str = "1min",
        since: int | None = None,
    ) -> Iterator[Fetched]:
        """Fetch liquidations of some pairs, and yield what came of each as it is kept."""
        step, feed = INTERVALS_MS[interval], Feed.LIQUIDATIONS
        for part, begin, stop in self._parts(wanted, feed, now, step, since):
            found = client.liquidations([one.symbol for one in part], begin, stop - step, interval)
            for market in part:
                sums = [row for row in found.get(market.symbol, []) if begin <= row[0] < stop]
                known = self._kept_until(market.pair, feed, stepped(SOURCE, step)) is not None
                start = min([max(begin, now - KEPT * step), *(row[0] for row in sums)])
                # Hours of calm are told by an empty list; who is not told of is not known.
                is_told = market.symbol in found and (sums or known)
                span = (start // step * step, stop) if is_told else None
                self._kept.put_liquidation_history(
                    market.pair, SOURCE, sums, covered=span, step_ms=step
                )
                yield Fetched(market.pair, feed, len(sums), *(span or (0, 0)))

    def open_interest(
        self,
        client: Coinalyze,
        wanted: Sequence[VendorMarket],
        now: int,
        *,
        interval: str = "5min",
        since: int | None = None,
    ) -> Iterator[Fetched]:
        """Fetch open interest of some pairs from the vendor, and yield what came of each.

        A value stands at the time at which it was so: the beginning of its interval, and for
        the newest the end too.
        """
        step, feed = INTERVALS_MS[interval], Feed.OPEN_INTEREST
        for part, begin, stop in self._parts(wanted, feed, now, step, since):
            found = client.open_interest([one.symbol for one in part], begin, stop - step, interval)
            for market in part:
                rows = [row for row in found.get(market.symbol, []) if begin <= row[0] < stop]
                points = [(time, opened) for time, opened, _closed in rows]
                points += [(rows[-1][0] + step, rows[-1][2])] if rows else []
                values = [(t, v, None) if market.in_base else (t, None, v) for t, v in points]
                self._kept.put_open_interest(market.pair, SOURCE, values, step_ms=step)
                yield _fetched(market.pair, [t for t, _v in points])

    def archive(
        self, exchange: ExchangeHistory, pairs: Sequence[str], now: int, *, step_ms: int = 300_000
    ) -> Iterator[Fetched]:
        """Fetch the open interest that the exchange still has (30 days as a rule)."""
        oldest = now - exchange.open_interest_days * DAY_MS
        for pair in pairs:
            begin = self._kept_until(pair, Feed.OPEN_INTEREST, OWN) or 0
            times: list[int] = []
            before: Page = []
            for page in exchange.open_interest(pair, max(oldest, begin - step_ms), now, step_ms):
                # The last value of the page before shows that nothing lies between the two.
                self._kept.put_open_interest(pair, OWN, [*before, *page], step_ms=step_ms)
                times += [time for time, _amount, _value in page]
                before = page[-1:]
            yield _fetched(pair, times)

    def _parts(
        self, wanted: Sequence[VendorMarket], feed: Feed, now: int, step: int, since: int | None
    ) -> Iterator[tuple[Sequence[VendorMarket], int, int]]:
        """Markets in requests, those of a like beginning together: market, beginning, end."""
        stop = (now - SETTLED_MS) // step * step
        begins = {one.symbol: self._begin(one.pair, feed, stop, step, since) for one in wanted}
        ordered = sorted(wanted, key=lambda one: begins[one.symbol])
        for i in range(0, len(ordered), AT_ONCE):
            part = ordered[i : i + AT_ONCE]
            begin = begins[part[0].symbol]
            if begin < stop:
                yield part, begin, stop

    def _begin(self, pair: str, feed: Feed, stop: int, step: int, since: int | None) -> int:
        if since is not None:
            return since // step * step
        oldest = stop - 2_000 * step
        source = stepped(SOURCE, step) if feed is Feed.LIQUIDATIONS else SOURCE
        known = self._kept_until(pair, feed, source)
        return oldest if known is None else max(oldest, known // step * step - OVERLAP * step)

    def _kept_until(self, pair: str, feed: Feed, source: str) -> int | None:
        market = self._markets.find(pair)
        if market is None:
            return None
        with self._database.transaction() as connection:
            found = covered(connection, market, feed, source=source)
        return found[-1].stop if found else None


def vendor_markets(
    known: Mapping[str, VendorMarket], pairs: Sequence[str]
) -> tuple[list[VendorMarket], list[str]]:
    """Markets of some pairs, and the pairs that the vendor does not have."""
    return (
        [known[pair] for pair in pairs if pair in known],
        [pair for pair in pairs if pair not in known],
    )


def _fetched(pair: str, times: Sequence[int]) -> Fetched:
    span = (min(times), max(times)) if times else (0, 0)
    return Fetched(pair, Feed.OPEN_INTEREST, len(times), *span)
