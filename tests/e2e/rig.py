"""Real freqtrade in live mode against the embedded exchange, under a clock that tests move."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ccxt
import time_machine
from e2e.plan import PLAN
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode, State
from freqtrade.exceptions import TemporaryError
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade

from hydra_ft.store.database import Database
from hydra_ft.store.orders import OrderStore
from hydra_ft.types import Attempt, ParentOrder, Side
from loopback_exchange import freqtrade_exchange_config

if TYPE_CHECKING:
    from loopback_exchange.matching.journal import Event
    from loopback_exchange.server import Server

STRATEGIES = Path(__file__).parent / "strategies"
START = datetime(2026, 3, 3, 12, 0, 5, tzinfo=UTC)
PREFIX = "hydra-test-"
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
TICK, STEP = 0.1, 0.001
"""Of BTC on the embedded exchange, as on the real one."""


class Killed(BaseException):
    """The process dies here; no handler of the bot may catch it."""


class Exposure:
    """Watches an exchange for the most that a pair held and might still have opened.

    Told of every event there, so nothing between two loops is missed.
    """

    def __init__(self, pair: str) -> None:
        self.worst = 0.0
        self._symbol = symbol(pair)
        self._working: dict[int, tuple[int, float]] = {}

    def __call__(self, event: Event) -> None:
        if event.symbol != self._symbol or event.is_algo:
            return
        if event.what == "ended" or event.reduce_only:
            self._working.pop(event.order_id, None)
        else:
            sign = 1 if event.is_buy else -1
            self._working[event.order_id] = (sign, float(event.quantity - event.filled))
        for side in (1, -1):
            opening = sum(rest for sign, rest in self._working.values() if sign == side)
            self.worst = max(self.worst, side * float(event.position) + opening)


class Rig:
    """One bot on one exchange; time stands still between steps.

    By default the book of BTC is pinned, so that only ``fill`` fills; with ``pinned=False``
    the market fills.
    """

    def __init__(
        self,
        server: Server,
        folder: Path,
        *,
        head: str = "StandingHead",
        heads: Path = STRATEGIES,
        pairs: tuple[str, ...] = (BTC, ETH),
        start: datetime = START,
        pinned: bool = True,
        timeout_ms: int | None = None,
        **config: Any,
    ) -> None:
        self.server = server
        self.folder = folder
        self.pairs = pairs
        self._head, self._heads = head, heads
        self._overrides = config
        self._timeout_ms = timeout_ms
        self._traveller = time_machine.travel(start, tick=False)
        self.clock = self._traveller.start()
        self.bid = self.ask = 0.0
        self.endures = False
        try:
            self.bot = self._boot()
            if pinned:
                self._pin()
        except BaseException:
            # A bot that refuses to start has nobody to close it, and would stop the clock for all.
            self._traveller.stop()
            raise

    def _pin(self) -> None:
        self.move(round(float(self.bot.exchange.fetch_l2_order_book(BTC, 5)["bids"][0][0])))

    def _config(self) -> dict[str, Any]:
        exchange = freqtrade_exchange_config(self.server.url)
        exchange["pair_whitelist"] = list(self.pairs)
        exchange["ccxt_config"]["options"]["broker"] = dict.fromkeys(
            ("swap", "future", "spot"), PREFIX
        )
        if self._timeout_ms is not None:
            exchange["ccxt_config"]["timeout"] = self._timeout_ms
        return {
            "trading_mode": "futures",
            "margin_mode": "isolated",
            "stake_currency": "USDT",
            "stake_amount": 5000,
            "max_open_trades": 3,
            "dry_run": False,
            "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
            "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
            "unfilledtimeout": {"entry": 30, "exit": 30, "unit": "minutes"},
            "pairlists": [{"method": "StaticPairList"}],
            "exchange": exchange,
            "internals": {"process_throttle_secs": 1},
            "hydra": {"bot_name": "test"},
            **self._overrides,
        }

    def _boot(self) -> FreqtradeBot:
        userdir = self.folder / "user_data"
        (userdir / "data").mkdir(parents=True, exist_ok=True)
        file = self.folder / "config.json"
        file.write_text(json.dumps(self._config()), encoding="utf-8")
        arguments = {
            "config": [str(file)],
            "user_data_dir": str(userdir),
            "strategy": self._head,
            "strategy_path": str(self._heads),
            "db_url": f"sqlite:///{self.folder / 'trades.sqlite'}",
        }
        mode = RunMode.DRY_RUN if self._overrides.get("dry_run") else RunMode.LIVE
        config = Configuration(arguments, mode).get_config()
        # Over plain HTTP ccxt keeps the error table of futures to itself.
        config["exchange"]["ccxt_config"]["exceptions"] = {
            "exact": ccxt.binance().exceptions["linear"]["exact"]
        }
        bot = FreqtradeBot(config)
        bot.startup()
        bot.state = State.RUNNING
        return bot

    def step(self, seconds: float = 1.0, *, times: int = 1) -> None:
        """Let time pass and the bot look, so many times."""
        for _ in range(times):
            self.clock.shift(seconds)
            try:
                self.bot.process()
            except TemporaryError:
                if not self.endures:
                    raise
                # As freqtrade's worker does.
                self.clock.shift(30)

    def until(self, condition: Any, *, seconds: float = 1.0, limit: int = 120) -> None:
        """Step until the condition holds; fail when it does not within the limit."""
        for _ in range(limit):
            if condition():
                return
            self.step(seconds)
        raise AssertionError(f"not reached within {limit} steps of {seconds} s")

    def kill(self) -> None:
        """Lose the bot as a SIGKILL would: nothing is closed, cancelled or said."""
        Trade.session.remove()

    def restart(self) -> None:
        """Boot a new bot on the same databases."""
        self.kill()
        self.bot = self._boot()

    def close(self) -> None:
        try:
            self.bot.cleanup()
            Trade.session.remove()
        finally:
            self._traveller.stop()

    # ---- the market

    def move(self, by: float, *, size: float = 50.0, spread: float = TICK) -> None:
        """Pin the book of BTC, moved by so much; one tick wide unless said otherwise."""
        self.bid = round(self.bid + by, 1)
        self.ask = round(self.bid + spread, 1)
        self.server.control.book("BTCUSDT", self.bid, self.ask, size, size)

    def fill(self, quantity: float, pair: str = BTC) -> None:
        """Fill so much of the one working order of a pair."""
        order = self.working(pair)
        self.server.control.fill(symbol(pair), order["orderId"], round(quantity, 9))

    # ---- the common beginnings

    def enter(self, side: Side = Side.LONG) -> float:
        """Start an entry in BTC; return its target quantity."""
        PLAN.enter[BTC] = side
        self.until(self.working_orders, seconds=5, limit=15)
        return self.quantity()

    def hold(self, side: Side = Side.LONG) -> float:
        """Open a position in BTC; return its quantity."""
        target = self.enter(side)
        self.fill(target)
        self.step(1, times=2)
        assert self.position() == target * side.sign
        return target

    # ---- what is known where

    def working_orders(self, pair: str = BTC) -> list[dict[str, Any]]:
        orders = self.server.control.state()["open_orders"]
        return [order for order in orders if order["symbol"] == symbol(pair)]

    def working(self, pair: str = BTC) -> dict[str, Any]:
        orders = self.working_orders(pair)
        assert len(orders) == 1, orders
        return orders[0]

    def price(self, pair: str = BTC) -> float:
        return float(self.working(pair)["price"])

    def quantity(self, pair: str = BTC) -> float:
        return float(self.working(pair)["origQty"])

    def clock_now(self, *, minutes: float = 0.0) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=minutes)

    def position(self, pair: str = BTC) -> float:
        rows = self.server.control.state()["positions"]
        return sum(float(row["positionAmt"]) for row in rows if row["symbol"] == symbol(pair))

    def trade(self, pair: str = BTC) -> Trade | None:
        return next((t for t in Trade.get_open_trades() if t.pair == pair), None)

    def booked(self, pair: str = BTC) -> float:
        """Signed quantity that freqtrade's database says is held."""
        trade = self.trade(pair)
        if trade is None:
            return 0.0
        return -trade.amount if trade.is_short else trade.amount

    def closed(self, pair: str = BTC) -> list[Trade]:
        trades = Trade.get_trades([Trade.pair == pair, Trade.is_open.is_(False)])
        return list(trades.unique())

    def orders(self) -> OrderStore:
        """Open what the bot has stored, as another program would."""
        name = "hydra.dryrun.sqlite" if self._overrides.get("dry_run") else "hydra.sqlite"
        database = Database(f"sqlite:///{self.folder / 'user_data' / name}")
        return OrderStore(database, "test")

    def parents(self) -> list[ParentOrder]:
        return self.orders().parents_since(0)

    def children(self) -> dict[str, list[Attempt]]:
        """Return the children of every parent, oldest first, by the parent's key."""
        store = self.orders()
        return {parent.key: store.children(parent.key) for parent in store.parents_since(0)}

    def stops(self, pair: str = BTC) -> list[dict[str, Any]]:
        """Return the conditional orders of a pair that rest on the exchange."""
        waiting = self.server.control.state()["algo_orders"]
        return [stop for stop in waiting if stop["symbol"] == symbol(pair)]

    def check_books(self) -> None:
        """Exchange and database agree, to the last step: the invariant of every test."""
        for pair in self.pairs:
            assert abs(self.position(pair) - self.booked(pair)) < 1e-12, pair
            trade = self.trade(pair)
            known = {o.order_id for o in trade.open_orders} if trade else set()
            assert {str(o["orderId"]) for o in self.working_orders(pair)} == known


def symbol(pair: str) -> str:
    return pair.split(":", maxsplit=1)[0].replace("/", "")
