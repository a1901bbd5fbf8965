"""Sizes of a strategy that chases live: a parent keeps its target, whatever its price."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.trades import side_of
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.types import Kind, Side

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade.persistence import Trade

    from hydra_ft.adapter.orders.desk import OrderDesk
    from hydra_ft.adapter.orders.entries import Entries
    from hydra_ft.adapter.strategy import HydraStrategy

    _Base = HydraStrategy
else:
    _Base = object

FRESH_MS = 10_000
"""How long a price that freqtrade has looked at serves: some loops."""

SIZE_DATA = "hydra_size"
"""Key of the trade's custom data under which its size is kept, factor by factor."""


class LiveSizes(_Base):
    """Stakes of new parents and of their requotes."""

    _entries: Entries
    _desk: OrderDesk
    _prices: dict[str, tuple[float, int]]

    def _is_commanded(self, entry_tag: str | None) -> bool:
        raise NotImplementedError

    @fail_closed(answer=0.0)
    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Give a chased parent its target again; a new one its size, or freqtrade's own stake."""
        if self._is_commanded(entry_tag):
            return proposed_stake
        wanted = Side(side)
        stake = self._entries.stake(pair, wanted, current_rate, leverage)
        if stake is not None:
            return stake
        payable = self._entries.first_stake(wanted, max_stake, max_stake)
        return super().custom_stake_amount(
            pair=pair,
            current_time=current_time,
            current_rate=current_rate,
            proposed_stake=min(proposed_stake, payable),
            min_stake=min_stake,
            max_stake=payable,
            leverage=leverage,
            entry_tag=entry_tag,
            side=side,
        )

    def decided_at(self, pair: str, side: Side, now: int) -> int:
        """Time whose newest closed bar decided an entry: that of the parent, if it is chased."""
        parent = self._entries.chased(pair, side)
        bar = int(parent.key.rpartition("|")[2]) if parent is not None else now
        return now if parent is None else bar + timeframe_ms(self.timeframe)

    def price_now(self, pair: str, now: int) -> float:
        """Price that freqtrade has just looked at, else the middle of the book as it is now.

        A middle that was read for an order long ago is none: the loss that is open would be
        that of the entry.
        """
        price, at = self._prices.get(pair, (0.0, 0))
        if now - at <= FRESH_MS:
            return price
        quote = self._desk.quote(pair, now)
        return quote.mid if quote is not None else super().price_now(pair, now)

    def entries_under_way(self) -> set[str]:
        """Pairs of the entries that are being chased, those between two children among them."""
        return {parent.pair for parent in self._desk.book.parents(Kind.ENTRY)}

    def keep_size(self, trade: Trade) -> None:
        """Write into a trade how it was sized, once, when its entry fills.

        What the operator orders, and what was not chased, has no size of ours: the newest one
        that is kept may be that of an entry that was never sent.
        """
        store, side = self._risk_store, side_of(trade)
        if store is None or self.risk_in_force is None or trade.get_custom_data(SIZE_DATA):
            return
        if not self.stage_b.judges(trade.enter_tag or "") or not self._entries.chased(
            trade.pair, side
        ):
            return
        decided = self.decided_at(trade.pair, side, 0)
        kept = store.last_size(trade.pair, decided)
        if kept is not None and kept.at == decided:
            trade.set_custom_data(SIZE_DATA, json.dumps(kept.size))
