"""One line about how a recorder does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.feeds.recorder import RecorderHealth
    from hydra_ft.feeds.recorder_policy import FeedCounts


def line_of(health: RecorderHealth, now_s: float, *, is_over: bool = False) -> str:
    """Return the feeds, each with its state, and the totals; what is wrong stands in it.

    ``is_over`` is for the last line, when nothing is tried any more.
    """
    again = "" if is_over else ", trying again"
    if health.markets_error:
        return f"markets cannot be loaded{again}: {_on_one_line(health.markets_error):.300}"
    if not health.feeds:
        return "loading markets"
    parts = [_feed(feed, now_s) for feed in health.feeds]
    if health.pairs:
        counted = sum(pair.counted for pair in health.pairs)
        missing = sum(pair.missing for pair in health.pairs)
        fetched = sum(pair.refetched for pair in health.pairs)
        late = sum(pair.late for pair in health.pairs)
        off = [pair for pair in health.pairs if pair.off_grid]
        parts.append(
            f"trades counted {counted} (fetched {fetched}), missing {missing}, late {late}"
        )
        if off:
            total, names = sum(pair.off_grid for pair in off), ", ".join(pair.pair for pair in off)
            parts.append(
                f"refused {total} off the steps known then, which are asked for anew: {names:.200}"
            )
    parts.append(
        f"written {health.written}, waiting {health.queued}, dropped {health.dropped}, "
        f"failed writes {health.write_failures}, failed fetches {health.refetch_failures}"
    )
    if health.left_out:
        parts.append(f"left out {len(health.left_out)}: {'; '.join(health.left_out):.300}")
    if health.write_error:
        parts.append(f"cannot write{again}: {_on_one_line(health.write_error):.300}")
    return " | ".join(parts)


def _on_one_line(error: str) -> str:
    """Return an error without the statement and the address that SQLAlchemy adds on own lines."""
    told = error.partition("\n[SQL")[0].partition("\n(Background")[0]
    return " ".join(told.split())


def _feed(feed: FeedCounts, now_s: float) -> str:
    state = "up" if feed.is_connected else "DOWN"
    last = "nothing yet"
    if feed.last_event_s is not None:
        last = f"last {max(0.0, now_s - feed.last_event_s):.0f} s ago"
    text = f"{feed.feed} {state}, {feed.events} events, {last}, losses {feed.losses}"
    if feed.refused:
        text += f", refused {feed.refused}"
        if feed.refused_why:
            text += f" ({feed.refused_why:.150})"
    if feed.overflows:
        text += f", overflows {feed.overflows}"
    if not feed.is_connected and feed.last_error:
        text += f" ({feed.last_error:.200})"
    return text
