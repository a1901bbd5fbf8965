"""What the market did to the stops of a book, and how each position left, from the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.cli.drill.crash.facts import Touch
from hydra_ft.cli.drill.crash.rules import BAR_MS
from hydra_ft.cli.symbols import pair_of, symbol_of

ROUNDING_SHARE = 5e-4
"""How far a stop that rests may be from that in the books: both are rounded to ticks."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_ft.cli.drill.facts import Span
    from hydra_ft.cli.drill.world import World
    from hydra_ft.types.books import BookedTrade
    from loopback_exchange import Event


def touches_of(
    world: World,
    before: Iterable[BookedTrade],
    began: int,
    ended: int,
    both_up: Sequence[Span],
    events: Sequence[Event],
) -> list[Touch]:
    """Return the first trade of the market at or through each stop, and the worst of its bar.

    The bar is that one trade where the stop rested on the exchange, at its price, just then.
    """
    found = []
    for trade in before:
        if not trade.is_open:
            continue
        spec = world.market.spec(symbol_of(trade.pair))
        trades = world.market.trades(spec.symbol, began, ended)
        prices = spec.prices(trades.price)
        reached = (trade.sign * (trade.stop - prices) >= 0).nonzero()[0]
        if not len(reached):
            continue
        first = int(reached[0])
        at = int(trades.time_ms[first])
        until = at if _rested(trade, events, at) else _bar_end(at, both_up, ended)
        within = prices[first:][trades.time_ms[first:] <= until]
        worst = float((trade.sign * within).min()) * trade.sign
        found.append(Touch(trade.number, at, float(prices[first]), worst))
    return found


def _rested(trade: BookedTrade, events: Iterable[Event], at: int) -> bool:
    """Whether the stop of a trade rested on the exchange at a time, where freqtrade has it."""
    resting = {}
    for event in events:
        if event.is_algo and pair_of(event.symbol) == trade.pair:
            if event.what == "placed" and event.at < at:
                resting[event.order_id] = float(event.price)
            elif event.what == "ended" and event.at < at:
                resting.pop(event.order_id, None)
    return any(abs(price / trade.stop - 1) < ROUNDING_SHARE for price in resting.values())


def _bar_end(at: int, both_up: Sequence[Span], ended: int) -> int:
    """Time at which bot and exchange have been there together for a bar since a time."""
    left = BAR_MS
    for span in sorted(both_up, key=lambda one: one.since):
        begin = max(span.since, at)
        if span.until > begin:
            if span.until - begin >= left:
                return begin + left
            left -= span.until - begin
    return ended


def exits_of(
    before: Iterable[BookedTrade], events: Sequence[Event], began: int
) -> dict[int, float]:
    """Return the average price at which each position left since a time, by its trade."""
    found = {}
    for trade in before:
        value = size = 0.0
        for event, done in _leaving(trade, events, began):
            value += done * float(event.fill_price)
            size += done
        if trade.is_open and size:
            found[trade.number] = value / size
    return found


def flat_at(before: Iterable[BookedTrade], events: Sequence[Event], began: int) -> dict[int, int]:
    """Return when each position was gone, by its trade."""
    found = {}
    for trade in before:
        gone = [event.at for event, _ in _leaving(trade, events, began) if not event.position]
        if trade.is_open and gone:
            found[trade.number] = gone[0]
    return found


def _leaving(trade: BookedTrade, events: Sequence[Event], began: int) -> list[tuple[Event, float]]:
    """Return the fills that took from a position until it was gone, each with its size."""
    found: list[tuple[Event, float]] = []
    filled: dict[int, float] = {}
    for event in events:
        if event.what != "filled" or event.is_algo or pair_of(event.symbol) != trade.pair:
            continue
        done = float(event.filled) - filled.get(event.order_id, 0.0)
        filled[event.order_id] = float(event.filled)
        if event.at >= began and event.reduce_only:
            found.append((event, done))
            if not event.position:
                break
    return found


def prices_of(world: World, at: int) -> dict[str, float]:
    """Return the last price of each pair."""
    found = {}
    for symbol in world.symbols:
        spec = world.market.spec(symbol)
        found[pair_of(symbol)] = float(spec.price(world.market.last_trade(symbol, at).price))
    return found
