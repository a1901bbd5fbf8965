"""The chase in backtests: the same decision, once a candle, on quotes modelled from it.

Freqtrade asks when a candle opens and fills an order whose price lies within the candle. A
child therefore lives for a candle, or for a detail candle with ``--timeframe-detail``. What
crosses is placed at the open, which every candle contains. Freqtrade keeps the stake of a
replaced order, so its quantity moves with its price. Only exits by signal are chased: freqtrade
prices stops and targets itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from freqtrade.enums import RunMode

from hydra_ft.adapter.frames import to_bars
from hydra_ft.adapter.orders.candle_quotes import CandleQuotes
from hydra_ft.adapter.parameters.chase_parameters import ChaseParameters
from hydra_ft.adapter.trades import to_ms
from hydra_ft.execution.candle_quote import Tally, summary
from hydra_ft.execution.chase import decide, may_act, next_price
from hydra_ft.execution.pricing import is_buy, reaches
from hydra_ft.types import Abandon, Keep, Kind, ParentOrder, Quote, Requote, Side, WorkingOrder

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from freqtrade.persistence import Order, Trade

    from hydra_ft.execution.policy import ChasePolicy

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Chase:
    """A parent in a backtest: the open and the price of its last child, and the last look."""

    parent: ParentOrder
    open_price: float
    price: float
    looked_at: int
    is_done: bool = False


class BacktestOrders(ChaseParameters):
    """Orders of a strategy in a backtest, and in the epochs of hyperopt.

    Its base is a strategy, not ``object``: hyperopt pickles by value the modules of all bases
    up to ``IStrategy``, and of ``object`` that would be the builtins.
    """

    def bot_start(self, **kwargs: Any) -> None:
        """Begin with nothing chased; called once per backtest, before the candles are read."""
        super().bot_start(**kwargs)
        self._quotes = CandleQuotes(self.config["exchange"]["name"], self.dp.market)
        self._chases: dict[tuple[str, Kind], Chase] = {}
        self._given_up: dict[str, int] = {}
        self._tallies = {Kind.ENTRY: Tally(), Kind.EXIT: Tally()}
        self._last_open = self._now = 0
        self._is_told = self.config.get("runmode") != RunMode.BACKTEST

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Note the ranges of the candles beside the decisions."""
        bars = to_bars(dataframe, self.timeframe)
        self._quotes.note(metadata["pair"], bars)
        if len(bars):
            self._last_open = max(self._last_open, int(bars.time[-1]))
        return super().populate_indicators(dataframe, metadata)

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Say at the last candle what the model did; freqtrade has no hook after it.

        Where the time goes back, the next epoch of hyperopt has begun.
        """
        super().bot_loop_start(current_time, **kwargs)
        now, before = to_ms(current_time), self._now
        self._now = now
        if now < before:
            self._chases.clear()
            self._given_up.clear()
        if not self._is_told and now >= self._last_open:
            self._is_told = True
            for line in summary(self._tallies, self.config["stake_currency"]):
                logger.info("%s", line)

    def custom_entry_price(
        self,
        pair: str,
        trade: Trade | None,
        current_time: datetime,
        proposed_rate: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Begin an entry, and price its first child; a replacement has its price already."""
        if trade is not None:
            return proposed_rate
        now = to_ms(current_time)
        self._chases.pop((pair, Kind.EXIT), None)
        return self._begin(pair, Side(side), Kind.ENTRY, proposed_rate, now).price

    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Count the child that is placed now; refuse one on a spread that is too wide.

        An entry that was given up is not begun again by the same signal, which stands for all
        detail candles of its candle. Stage B judges the first child, as it does live.
        """
        chase, now = self._chases[pair, Kind.ENTRY], to_ms(current_time)
        if self._given_up.get(pair) == self._quotes.bar(pair, chase.parent.decided_at):
            return False
        if not chase.parent.children:
            return self._begun(chase, entry_tag or "", now)
        if self._may_act(chase, now):
            self._count_child(chase, now)
            return True
        self._give_up(chase)
        return False

    def _begun(self, chase: Chase, tag: str, now: int) -> bool:
        """Whether a new entry goes out: admitted by stage B, and the spread is narrow enough."""
        pair = chase.parent.pair
        if self.stage_b.refusal(pair, chase.parent.side, tag, now):
            return False
        goes = self._may_act(chase, now)
        self.stage_b.answered(pair, "" if goes else "spread")
        if goes:
            self._count_child(chase, now)
        return goes

    def _may_act(self, chase: Chase, now: int) -> bool:
        quote = self._quotes.quote(chase.parent, chase.open_price, now)
        return may_act(chase.parent, quote, self.policies.entry, now)

    def custom_exit_price(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        proposed_rate: float,
        current_profit: float,
        exit_tag: str | None,
        **kwargs: Any,
    ) -> float:
        """Begin an exit, or give the price that was decided when this candle opened."""
        now, chase = to_ms(current_time), self._chases.get((pair, Kind.EXIT))
        if chase is None or chase.is_done:
            side = Side.SHORT if trade.is_short else Side.LONG
            chase = self._begin(pair, side, Kind.EXIT, proposed_rate, now)
            self._count_child(chase, now)
        return chase.price

    def adjust_order_price(
        self,
        trade: Trade,
        order: Order,
        pair: str,
        current_time: datetime,
        proposed_rate: float,
        current_order_rate: float,
        entry_tag: str | None,
        side: str,
        is_entry: bool,
        **kwargs: Any,
    ) -> float | None:
        """Ask the chase about an order that did not fill: its price from now on, or None."""
        kind = Kind.ENTRY if is_entry else Kind.EXIT
        chase = self._chases.get((pair, kind))
        if chase is None or chase.is_done:
            return current_order_rate
        now = self._look(chase, to_ms(current_time))
        quote = self._quotes.quote(chase.parent, proposed_rate, now)
        working = WorkingOrder(
            order_id=str(order.order_id),
            price=current_order_rate,
            quantity=order.safe_amount,
            filled=order.safe_filled,
            placed_at=to_ms(order.order_date_utc),
        )
        chase.open_price = proposed_rate
        price = self._decided(chase, working, quote, now)
        if price is None:
            self._give_up(chase)
        elif price != current_order_rate:
            chase.price = price
            if kind is Kind.EXIT:  # an entry is counted where freqtrade confirms it
                self._count_child(chase, now)
        return price

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Count the fill of a child, and what it gained over the open of its candle."""
        kind = Kind.ENTRY if order.ft_order_side == trade.entry_side else Kind.EXIT
        chase = self._chases.get((pair, kind))
        if chase is None or chase.is_done or order.ft_price != chase.price:
            return
        chase.is_done = True
        tally = self._tallies[kind]
        gain = chase.open_price - chase.price
        tally.note_fill(chase.open_price, gain if is_buy(chase.parent) else -gain, order.amount)

    def _begin(self, pair: str, side: Side, kind: Kind, open_price: float, now: int) -> Chase:
        """Begin a parent at the open of a candle."""
        parent = ParentOrder(
            key=f"{pair}|{side}|{kind}|{now}",
            pair=pair,
            side=side,
            kind=kind,
            quantity=0.0,
            arrival_price=open_price,
            decided_at=now,
        )
        quote = self._quotes.quote(parent, open_price, now)
        price = next_price(parent, quote, self._policy(kind), now)
        chase = Chase(parent, open_price, at_most_open(parent, price, quote, open_price), now)
        self._chases[pair, kind] = chase
        return chase

    def _decided(self, chase: Chase, working: WorkingOrder, quote: Quote, now: int) -> float | None:
        """Price that the chase wants from now on, None where it gives up."""
        parent, open_price = chase.parent, chase.open_price
        if reaches(parent, working.price, quote):
            # The market jumped over the order between two candles: it has filled.
            return open_price
        action = decide(parent, working, quote, self._policy(parent.kind), now)
        match action:
            case Keep():
                return working.price
            case Abandon():
                return None
            case Requote(price=price):
                return at_most_open(parent, price, quote, open_price)
        return open_price

    def _give_up(self, chase: Chase) -> None:
        """End a parent without a fill."""
        chase.is_done = True
        self._tallies[chase.parent.kind].abandoned += 1
        if chase.parent.kind is Kind.ENTRY:
            pair = chase.parent.pair
            self._given_up[pair] = self._quotes.bar(pair, chase.parent.decided_at)

    def _count_child(self, chase: Chase, now: int) -> None:
        """Count a child when it appears."""
        tally = self._tallies[chase.parent.kind]
        if chase.parent.children:
            tally.requotes += 1
        else:
            tally.begun += 1
        chase.parent = replace(chase.parent, children=chase.parent.children + 1, last_quoted_at=now)

    def _look(self, chase: Chase, now: int) -> int:
        """Time of a look at an order: the first look after the deadline is at the deadline.

        Else an entry that crosses at its deadline would find even the time to cross over.
        """
        policy = self._policy(chase.parent.kind)
        deadline = chase.parent.decided_at + int(policy.deadline_s * 1e3)
        before, chase.looked_at = chase.looked_at, now
        return deadline if before < deadline < now else now

    def _policy(self, kind: Kind) -> ChasePolicy:
        return self.policies.entry if kind is Kind.ENTRY else self.policies.exit


def at_most_open(parent: ParentOrder, price: float, quote: Quote, open_price: float) -> float:
    """Return the open for an order that would trade at once: that is where it fills."""
    return open_price if reaches(parent, price, quote) else price
