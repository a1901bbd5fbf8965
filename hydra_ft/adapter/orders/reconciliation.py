"""Exchange and database compared: on start, after anything unknown, and on a schedule.

Ours means that the client order id carries this bot's prefix, or that an attempt of ours
became the order. What is ours and unknown to freqtrade is cancelled, or closed reduce-only
for exactly that quantity. Anything else is somebody's own: reported once, never touched.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Trade

from hydra_ft.adapter.trades import held, open_order_ids, open_trade, order_ids, side_of
from hydra_ft.errors import HydraError
from hydra_ft.execution.lifecycle import End
from hydra_ft.execution.ticks import floor_steps, is_dust
from hydra_ft.types import Kind, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hydra_ft.adapter.orders.host import Host
    from hydra_ft.adapter.orders.lost import LostFills
    from hydra_ft.adapter.orders.parents import ParentBook
    from hydra_ft.execution.attempts import SeenOrder

logger = logging.getLogger(__name__)

CONFIRMED_AFTER_MS = 3_000
"""How long a difference must last before it is believed: fills race with readings."""

LATE_MS = 10_000
"""How long an order whose answer was lost may take to arrive."""


@dataclass(frozen=True, slots=True)
class _Difference:
    """Signed quantity that the exchange holds beyond freqtrade's books, and since when."""

    quantity: float
    since: int


class Reconciliation:
    """Finds orders without an owner and exposure without a trade, of this bot's pairs."""

    def __init__(
        self,
        host: Host,
        book: ParentBook,
        lost: LostFills,
        alert: Callable[[str], None],
        pairs: Callable[[], Collection[str]],
        interval_s: float,
    ) -> None:
        self._host = host
        self._book = book
        self._lost = lost
        self._alert = alert
        self._pairs = pairs
        self._interval_ms = int(interval_s * 1e3)
        self._looked_at = 0
        self._suspects: dict[str, int] = {}
        self._differences: dict[str, _Difference] = {}
        self._reported: set[str] = set()
        self._lost_exits: dict[str, int] = {}
        self._is_begun = False

    def in_doubt(self, pair: str) -> bool:
        """Whether a position may be smaller, or about to be, than freqtrade knows.

        So it is after an exit whose answer was lost, and what was open at the start may have
        met one: the process before may have died of it.
        """
        differs = pair in self._differences or pair in self._suspects_pairs()
        return differs or pair in self._lost_exits or pair in self._book.disputed

    def look(self, now: int) -> None:
        """Compare where it is due: everything on start and on schedule, else what is in doubt."""
        if self._host.dry_run:
            return
        self._lost_exits |= dict.fromkeys(self._unanswered(), now)
        is_due = now - self._looked_at >= self._interval_ms
        doubted = self._book.disputed | self._suspects_pairs() | set(self._differences)
        doubted |= set(self._lost_exits)
        pairs = set(self._pairs()) if is_due else doubted
        if not pairs:
            return
        try:
            orders = self._host.open_orders(pairs)
            positions = self._host.positions(pairs)
        except ExchangeError as error:
            logger.warning("The exchange cannot be compared now: %s", error)
            return
        if is_due:
            self._looked_at = now
        self._book.disputed -= pairs
        self._forget_suspects({order.order_id for order in orders})
        for pair in sorted(pairs):
            try:
                self._compare(pair, [o for o in orders if o.pair == pair], positions[pair], now)
                if now - self._lost_exits.get(pair, now) >= LATE_MS:
                    del self._lost_exits[pair]
            except (ExchangeError, HydraError) as error:
                self._book.disputed.add(pair)
                logger.warning("%s cannot be compared now: %s", pair, error)

    def _unanswered(self) -> set[str]:
        """Pairs of which an exit may have gone out unanswered since the last look."""
        found = self._host.lost_exits()
        if not self._is_begun:
            found |= {trade.pair for trade in Trade.get_open_trades()}
        self._is_begun = True
        return found

    def _suspects_pairs(self) -> set[str]:
        return {key.rsplit(" ", maxsplit=1)[0] for key in self._suspects}

    def _forget_suspects(self, open_ids: set[str]) -> None:
        """Drop suspects that are gone from the exchange."""
        for key in list(self._suspects):
            if key.rsplit(" ", maxsplit=1)[1] not in open_ids:
                del self._suspects[key]

    def _compare(self, pair: str, orders: list[SeenOrder], position: float, now: int) -> None:
        if self._book.is_unknown(pair):
            # The settlement reads the exchange for it; nothing is known before that.
            self._book.disputed.add(pair)
            return
        trade = open_trade(pair)
        owned = open_order_ids(pair)
        working = [order for order in orders if order.order_id in owned]
        ownerless = [order for order in orders if order.order_id not in owned]
        if ownerless and trade is not None:
            triggered = self._host.triggered(trade)
            ownerless = [order for order in ownerless if order.order_id not in triggered]
        for order in ownerless:
            self._ownerless(order, now)
        if len(working) == len(owned):
            # One that is not open any more has filled or gone: freqtrade books it first.
            self._exposure(pair, position, _booked(trade, working), now)

    def _ownerless(self, order: SeenOrder, now: int) -> None:
        """Cancel an open order that is ours and has no owner; report anybody else's once."""
        if not self._is_ours(order):
            self._report(
                f"{order.pair} {order.order_id}",
                f"{order.pair}: order {order.order_id} ({order.client_order_id}) is not this "
                "bot's; it is left alone.",
            )
            return
        key = f"{order.pair} {order.order_id}"
        if now - self._suspects.setdefault(key, now) < CONFIRMED_AFTER_MS:
            # Another thread of this process may be about to note it.
            return
        self._alert(f"{order.pair}: order {order.order_id} has no owner; cancelled.")
        if not self._host.cancel(order.order_id, order.pair).is_open:
            del self._suspects[key]
        self._book.disputed.add(order.pair)

    def _is_ours(self, order: SeenOrder) -> bool:
        prefixed = bool(self._host.prefix) and order.client_order_id.startswith(self._host.prefix)
        return prefixed or self._book.is_ours(order.pair, order.order_id)

    def _exposure(self, pair: str, position: float, booked: float, now: int) -> None:
        """Compare two signed quantities; what fills between their readings does not last."""
        surplus = position - booked
        if is_dust(abs(surplus), self._host.step_size(pair)):
            self._differences.pop(pair, None)
            self._reported.discard(f"{pair} position")
            return
        seen = self._differences.get(pair)
        if seen is None or abs(seen.quantity - surplus) > 1e-9 * abs(surplus):
            self._differences[pair] = _Difference(surplus, now)
        elif now - seen.since >= CONFIRMED_AFTER_MS:
            del self._differences[pair]
            self._mend(pair, surplus, booked, now)

    def _mend(self, pair: str, surplus: float, booked: float, now: int) -> None:
        """Close what is proved ours of a surplus; report the rest."""
        side = Side.LONG if surplus > 0 else Side.SHORT
        if surplus * booked < 0:
            self._end_entry(pair, now)
            if abs(surplus) <= abs(booked) * (1 + 1e-9):
                self._missing(pair, surplus)
                return
        step = self._host.step_size(pair)
        proved = self._lost.of(pair, known=order_ids(pair)) * side.sign
        ours = floor_steps(min(abs(surplus), max(0.0, proved)), step)
        if is_dust(ours, step):
            self._report(
                f"{pair} position",
                f"{pair}: the exchange holds {surplus:+g} more than this bot's trades; it is "
                "not this bot's and is left alone.",
            )
            return
        self._alert(f"{pair}: closing {ours:g} that freqtrade does not know of.")
        trade = open_trade(pair)
        self._host.reduce(pair, side, ours, trade.leverage if trade is not None else 1.0)
        self._book.disputed.add(pair)

    def _end_entry(self, pair: str, now: int) -> None:
        """End an entry whose position somebody has closed."""
        parent = self._book.of(pair, Kind.ENTRY)
        if parent is not None:
            self._book.end(parent, End.CLOSED_ELSEWHERE, now)

    def _missing(self, pair: str, surplus: float) -> None:
        """Let freqtrade see that its position is smaller.

        It looks by itself only when it wants to exit and no stop rests.
        """
        text = f"{pair}: the exchange holds {abs(surplus):g} less than this bot's trade"
        trade = open_trade(pair)
        if trade is not None and self._host.reload(trade):
            self._alert(f"{text}; the trade is reloaded from its orders.")
        else:
            self._report(f"{pair} position", f"{text}; it was closed elsewhere.")

    def _report(self, key: str, text: str) -> None:
        if key not in self._reported:
            self._reported.add(key)
            self._alert(text)


def _booked(trade: Trade | None, working: list[SeenOrder]) -> float:
    """Signed quantity that a trade holds, its open orders' fills as the exchange shows them."""
    if trade is None:
        return 0.0
    filled = {order.order_id: order.filled for order in working}
    quantity = held(trade)
    for row in trade.open_orders:
        since = filled.get(str(row.order_id), row.safe_filled) - row.safe_filled
        quantity += since if row.ft_order_side == trade.entry_side else -since
    return quantity * side_of(trade).sign
