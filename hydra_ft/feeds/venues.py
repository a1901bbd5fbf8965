"""The venues whose feeds are understood, by ccxt's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hydra_ft.errors import FeedError
from hydra_ft.feeds.binance import BINANCE
from hydra_ft.feeds.bybit import BYBIT
from hydra_ft.feeds.okx import OKX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.feeds.normal import Venue

VENUES: Final[Mapping[str, Venue]] = {venue.name: venue for venue in (BINANCE, BYBIT, OKX)}


def venue_of(name: str) -> Venue:
    """Venue of an exchange; raises FeedError for one that cannot be recorded."""
    venue = VENUES.get(name)
    if venue is None:
        raise FeedError(
            f"exchange.name: expected one that can be recorded, {', '.join(VENUES)}, was {name!r}"
        )
    return venue
