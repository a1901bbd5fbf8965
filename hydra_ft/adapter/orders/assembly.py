"""The parts of the order route, put together for one strategy."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.persistence import PairLocks, Trade

from hydra_ft.adapter.orders.breakers import Breakers
from hydra_ft.adapter.orders.children import Children
from hydra_ft.adapter.orders.desk import OrderDesk
from hydra_ft.adapter.orders.entries import Entries
from hydra_ft.adapter.orders.exits import Exits
from hydra_ft.adapter.orders.host import Host, clock
from hydra_ft.adapter.orders.lost import LostFills
from hydra_ft.adapter.orders.parents import ParentBook
from hydra_ft.adapter.orders.reconciliation import Reconciliation
from hydra_ft.adapter.orders.reports import Reports
from hydra_ft.adapter.orders.rounds import Rounds
from hydra_ft.adapter.orders.settlement import Settlement
from hydra_ft.adapter.orders.stops import Stops
from hydra_ft.execution.breaker import BreakerPolicy, Outcome, is_slipped
from hydra_ft.execution.pricing import buys
from hydra_ft.store.events import EventStore
from hydra_ft.store.orders import OrderStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.adapter.orders.live import LiveOrders
    from hydra_ft.types import Attempt

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """What the callbacks of a strategy talk to."""

    desk: OrderDesk
    entries: Entries
    exits: Exits
    rounds: Rounds


def assemble(strategy: LiveOrders) -> Route:
    """Restore parents, children and breakers, and connect everything that acts on them."""
    settings = strategy.settings
    say, alert = _voice(strategy, logging.INFO), _voice(strategy, logging.ERROR)
    host = Host(strategy.dp, order_prefix(strategy), dry_run=strategy.config["dry_run"])
    book = ParentBook(
        OrderStore(strategy.database, settings.bot_name),
        EventStore(strategy.database, settings.bot_name),
        clock(),
    )
    breakers = Breakers(settings.breaker, strategy.lock_pair, alert)
    breakers.restore(PairLocks.get_pair_locks(None))
    desk = OrderDesk(
        host,
        book,
        strategy.policies,
        strategy,
        breakers.is_open,
        requotes_per_minute=settings.requotes_per_minute,
        stoploss=strategy.stoploss,
        stops_on_exchange=bool(strategy.order_types.get("stoploss_on_exchange")),
    )
    return Route(
        desk,
        Entries(desk, strategy.config["max_open_trades"], breakers.may_enter),
        Exits(desk),
        _rounds(strategy, desk, breakers, say, alert),
    )


def order_prefix(strategy: LiveOrders) -> str:
    """Prefix that the configuration puts on every order; only Binance's was tried."""
    on_binance = strategy.config["exchange"]["name"] == "binance"
    return strategy.settings.order_prefix if on_binance else ""


def _voice(strategy: LiveOrders, level: int) -> Callable[[str], None]:
    """Something to say things with: into the log, and to whoever listens to freqtrade."""

    def say(text: str) -> None:
        logger.log(level, text)
        # Telegram reads an underscore as the start of italics, and refuses a single one.
        strategy.dp.send_msg(text.replace("_", " "), always_send=True)

    return say


def _rounds(
    strategy: LiveOrders,
    desk: OrderDesk,
    breakers: Breakers,
    say: Callable[[str], None],
    alert: Callable[[str], None],
) -> Rounds:
    host, book = desk.host, desk.book
    interval_s = strategy.settings.reconcile_interval_s
    reports = Reports(book, say, strategy.stage_b.parent_ended)

    def pairs() -> set[str]:
        """All pairs of this bot: what it may enter, what it holds, what it chases."""
        held = {trade.pair for trade in Trade.get_open_trades()}
        return {*strategy.dp.current_whitelist(), *held, *(p.pair for p in book.parents())}

    return Rounds(
        desk=desk,
        settlement=Settlement(host, book, reports, alert, breakers.record),
        children=Children(host, book, alert, _judge(breakers, strategy.settings.breaker)),
        stops=Stops(
            host,
            alert,
            pairs,
            interval_s,
            enabled=desk.stops_on_exchange,
            stoploss=strategy.stoploss,
        ),
        reconciliation=Reconciliation(
            host, book, LostFills(host, book, clock), alert, pairs, interval_s
        ),
        reports=reports,
    )


def _judge(breakers: Breakers, policy: BreakerPolicy) -> Callable[[Attempt, int], None]:
    """Tell the breaker of a fill that was much worse than the book promised."""

    def judge(attempt: Attempt, now: int) -> None:
        sign = 1 if buys(attempt.side, attempt.kind) else -1
        if attempt.mid and is_slipped(sign, attempt.mid, attempt.average_price, policy):
            breakers.record(attempt.pair, Outcome.SLIPPED, now)

    return judge
