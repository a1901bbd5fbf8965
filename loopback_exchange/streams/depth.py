"""Changes of a book between two looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from loopback_exchange.market.book import Book

    Side = list[tuple[int, int]]

LEVELS = 100
"""Levels of each side that are exact on the stream; a snapshot may be deeper."""
_DEEPEST = 1000


class Change(NamedTuple):
    """Levels (ticks, steps) that have changed, a size of 0 for one that is gone.

    ``first`` to ``last`` are the versions of the book that it covers, ``before`` is the last
    one of the change before it.
    """

    first: int
    last: int
    before: int
    bids: Side
    asks: Side


def change_between(old: Book, new: Book) -> Change:
    """Give what turns one book into another, and any deeper snapshot of the one as well.

    Prices that the touch has passed are named as gone, whether or not they were in sight.
    """
    return Change(
        first=min(old.version + 1, new.version),
        last=new.version,
        before=old.version,
        bids=_changed(old.bids, new.bids, -1),
        asks=_changed(old.asks, new.asks, 1),
    )


def _changed(old: Side, new: Side, sign: int) -> Side:
    was, now = dict(old), dict(new)
    changed = [(price, size) for price, size in new if was.get(price) != size]
    gone = [price for price in was if price not in now]
    if old and new:
        # sign * price grows with depth: what lies before the new touch cannot be standing.
        passed = range(old[0][0], new[0][0], sign)[:_DEEPEST]
        gone += [price for price in passed if price not in was]
    return changed + [(price, 0) for price in gone]
