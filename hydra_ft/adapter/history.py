"""What is missing in downloaded data, said once and with the command that fetches it.

A backtest on missing data ends without an error and without a trade; here it is refused
where nothing could be decided at all, and warned about where a part is blocked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.adapter.recorded.feed_states import MANY, whole_bars
from hydra_ft.adapter.recorded.feeds import RECORDED
from hydra_ft.bars.candles import close_time
from hydra_ft.errors import DataError
from hydra_ft.types import Bars, Feed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hydra_ft.decisions.pipeline import HeadRules

COMMAND = "freqtrade download-data"
_FETCH = {
    Feed.TRADES: f"{COMMAND} --dl-trades --pairs {{pair}}, then hydra data build --pairs {{pair}}",
    Feed.LIQUIDATIONS: "hydra data fetch --pairs {pair} (its vendor keeps about a day of minutes)",
    Feed.BOOK: "hydra record --pairs {pair} (a book of the past is not to be had)",
}
"""What brings a recorded feed of the past; ``hydra record`` keeps it from now on."""


def require_candles(pair: str, frames: Mapping[str, Bars], rules: HeadRules) -> None:
    """Raise DataError when a timeframe of a pair has no candles in the tested range at all."""
    missing = [timeframe for timeframe in rules.timeframes if not len(frames[timeframe])]
    if missing:
        needed = " ".join(rules.timeframes)
        raise DataError(
            f"expected candles of {pair} in {needed} for {rules.name}, were none in "
            f"{' and '.join(missing)}; run: {COMMAND} --pairs {pair} --timeframes {needed}"
        )


def shortfalls(
    pair: str, frames: Mapping[str, Bars], rules: HeadRules, feeds: Collection[Feed]
) -> Iterator[str]:
    """Sentences about bars that will be blocked for want of data, one per cause."""
    yield from _late_frames(pair, frames, rules)
    yield from _torn_feeds(pair, frames[rules.base], rules, feeds)
    market = frames[rules.market]
    values = {Feed.FUNDING: market.funding_rate, Feed.OPEN_INTEREST: market.open_interest}
    for feed, column in values.items():
        if feed in feeds and (column is None or not np.isfinite(column).any()):
            yield _empty_feed(pair, feed, rules, feeds)


def _late_frames(pair: str, frames: Mapping[str, Bars], rules: HeadRules) -> Iterator[str]:
    """Coarse candles that end before the base candles do."""
    end = int(close_time(frames[rules.base])[-1])
    for timeframe in rules.timeframes:
        bars = frames[timeframe]
        ends = int(close_time(bars)[-1])
        if ends + bars.step_ms <= end:
            yield (
                f"{pair}: {timeframe} candles end at {_minute(ends)}, {rules.base} candles at "
                f"{_minute(end)}; nothing is traded in between (data_stale:{Feed.CANDLES}); run: "
                f"{COMMAND} --pairs {pair} --timeframes {timeframe}"
            )


def _torn_feeds(pair: str, base: Bars, rules: HeadRules, feeds: Collection[Feed]) -> Iterator[str]:
    """Recorded feeds that are not whole in each of the base candles."""
    for feed in RECORDED:
        if feed not in feeds:
            continue
        whole = whole_bars(base, feed)
        rows = np.flatnonzero(whole)
        if rows.size == len(base):
            continue
        code, fetch = f"data_stale:{feed}", _FETCH[feed].format(pair=pair)
        many = MANY.get(feed, feed)
        if not rows.size:
            yield (
                f"{pair}: hydra.feeds lists {feed}, but none are kept from {_minute(base.time[0])} "
                f"to {_minute(close_time(base)[-1])}, so that nothing is traded ({code}); run: "
                f"{fetch}, or do without: set hydra.feeds to [{_rest(feed, rules, feeds)}]"
            )
        else:
            yield (
                f"{pair}: {many} are complete in {rows.size} of {len(base)} {rules.base} candles, "
                f"from {_minute(base.time[rows[0]])} to {_minute(close_time(base)[rows[-1]])}; "
                f"without them nothing is traded ({code}); hydra data status shows the gaps, "
                f"{fetch} fills what can be had"
            )


def _rest(feed: Feed, rules: HeadRules, feeds: Collection[Feed]) -> str:
    return ", ".join(f'"{one}"' for one in rules.feeds if one in feeds and one is not feed)


def _empty_feed(pair: str, feed: Feed, rules: HeadRules, feeds: Collection[Feed]) -> str:
    """A listed feed without one value: every bar is blocked."""
    kind = {Feed.FUNDING: "funding_rate"}.get(feed, feed.value)
    return (
        f"{pair}: hydra.feeds lists {feed}, but there is no such data, so that nothing is traded "
        f"(data_stale:{feed}); run: {COMMAND} --pairs {pair} --timeframes {rules.market} "
        f"--candle-types {kind}, or do without it: set hydra.feeds to "
        f"[{_rest(feed, rules, feeds)}]"
    )


def _minute(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e3, tz=UTC):%Y-%m-%d %H:%M}"
