"""What a venue's market says of a pair: the contract, and the steps of prices and quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ccxt.base.errors import BadSymbol

from hydra_ft.errors import FeedError
from hydra_ft.feeds.normal import Contract
from hydra_ft.store.flow_grids import bin_ticks
from hydra_ft.types.flow import TradeGrid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Market = Mapping[str, Any]

MOST_OFF: Final = 3.0
"""Bins that are kept go on to be used while they are not so many times too wide or narrow."""


def market_of(client: Any, pair: str) -> Market:
    """Market of a pair; raises FeedError where the venue has none, or an inverse one."""
    try:
        market: Market = client.market(pair)
    except BadSymbol as error:
        raise FeedError(
            f"pair: expected one that {client.id} has, as in BTC/USDT:USDT, was {pair!r}"
        ) from error
    if market.get("inverse"):
        raise FeedError(
            f"pair: expected a linear contract or spot, was the inverse {pair!r}: its "
            "quantities lie on no grid of the base currency"
        )
    return market


def markets_of(
    client: Any, pairs: Sequence[str], *, with_grid: bool
) -> tuple[dict[str, Market], tuple[str, ...]]:
    """Markets of the pairs that can be recorded, and why each of the others cannot.

    A pair that a venue lists no more keeps the others from nothing. ``with_grid``: its prices
    and quantities must lie on a grid. Raises FeedError where no pair is left.
    """
    markets, left_out = {}, []
    for pair in pairs:
        try:
            market = market_of(client, pair)
            if with_grid:
                grid_of(market)
        except FeedError as error:
            left_out.append(str(error))
        else:
            markets[pair] = market
    if not markets:
        raise FeedError("; ".join(left_out))
    return markets, tuple(left_out)


def contract_of(market: Market) -> Contract:
    """What one unit of a market's quantity is."""
    size = market.get("contractSize")
    return Contract(float(size) if size else 1.0, is_inverse=bool(market.get("inverse")))


def grid_of(market: Market, bin_ticks: int = 1) -> TradeGrid:
    """Steps of a market in quote and base currency; raises FeedError where it has none."""
    precision = market.get("precision") or {}
    tick, lot = precision.get("price"), precision.get("amount")
    if not tick or not lot:
        raise FeedError(
            f"{market.get('symbol')}: expected a tick and a lot size, was {tick!r} and {lot!r}"
        )
    return TradeGrid(float(tick), _product(float(lot), contract_of(market).size), bin_ticks)


async def prices_of(client: Any, pairs: Sequence[str]) -> dict[str, float]:
    """Last prices of pairs, of those that have one; raises what ccxt raises."""
    listed = [pair for pair in pairs if pair in client.markets]
    tickers = await client.fetch_tickers(listed) if listed else {}
    found = {pair: tickers.get(pair, {}).get("last") for pair in listed}
    return {pair: float(price) for pair, price in found.items() if price}


def bins_of(market: Market, price: float | None, kept_size: float = 0.0) -> int:
    """Ticks of a bin about a basis point wide; those of ``kept_size`` while they still fit.

    ``kept_size`` is the width of the bins so far (quote currency), 0 where there are none:
    footprints before and after a restart can be told together. 1 where there is no price.
    """
    tick = (market.get("precision") or {}).get("price")
    if not tick:
        return 1
    kept = round(kept_size / float(tick))
    if price is None:
        return max(kept, 1)
    wanted = bin_ticks(float(tick), price)
    return kept if wanted / MOST_OFF <= kept <= wanted * MOST_OFF else wanted


def _product(lot: float, size: float) -> float:
    """Give lot * size as the nearest decimal: 1 * 0.01, not 0.010000000000000002."""
    return float(f"{lot * size:.12g}")
