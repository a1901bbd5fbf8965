"""One crash from the first entry to the last check: exchange, bot, course of prices."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra_ft.adapter.books import read_books
from hydra_ft.adapter.standings import read_locks, read_trades
from hydra_ft.cli.drill.audit import Snapshot, unsettled
from hydra_ft.cli.drill.crash.facts import Crash, Restart
from hydra_ft.cli.drill.crash.policy import RISING_SYMBOLS, TRADES
from hydra_ft.cli.drill.crash.trail import exits_of, flat_at, prices_of, touches_of
from hydra_ft.cli.drill.crash.variants import (
    BALANCE_QUOTE,
    DOWN_S,
    KILLED_AFTER_MS,
    configuration,
    fall,
    rise,
)
from hydra_ft.cli.drill.facts import Facts, Span, Violation, without
from hydra_ft.cli.drill.folder import now_ms
from hydra_ft.cli.drill.keeper import Keeper
from hydra_ft.cli.drill.plan import BOT, Kill, Options
from hydra_ft.cli.drill.processes import Boot
from hydra_ft.cli.drill.world import World
from hydra_ft.cli.symbols import pair_of
from hydra_ft.store.database import Database
from hydra_ft.store.orders import OrderStore
from loopback_exchange import Course

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.cli.drill.crash.variants import Knots, Variant
    from hydra_ft.cli.drill.folder import Folder
    from hydra_ft.types.books import BookedTrade

POLL_S = 0.3
FULL_WITHIN_S, TAKEN_WITHIN_S, SETTLED_WITHIN_S = 150.0, 45.0, 100.0
LOOPS_AFTER = 3
MINUTE_MS = 60_000


class Scene:
    """One variant of the crash; ``tell`` hears what is being done."""

    def __init__(
        self,
        variant: Variant,
        folder: Folder,
        seed: int,
        fall_s: float,
        tell: Callable[[str], None],
    ) -> None:
        self._variant, self._folder, self._tell = variant, folder, tell
        self._fall_ms = int(fall_s * 1000)
        self._seed = seed
        options = Options(
            0, variant.faults, seed, TRADES, 0, variant.stops, 0.0, folder.root, exits=False
        )
        self.world = World(options, folder, Decimal(BALANCE_QUOTE))
        self.keeper = Keeper(self.world, folder, self._prepare)
        self._store = OrderStore(Database(folder.hydra_url), BOT)
        self.violations: list[Violation] = []

    def _prepare(self, number: int) -> Boot:
        """Configure the start of a number, and say what it runs."""
        made = configuration(self._variant, self.world.server.url, self.world.symbols)
        text = json.dumps(made, indent=2) + "\n"
        self._folder.config_file.write_text(text, encoding="utf-8")
        head = "CrashLadderHead" if self._variant.ladder else "CrashHead"
        return Boot(number, self._folder.root, self._seed, head)

    def run(self) -> Crash:
        """Fill the book, let the prices fall, wait until all is settled, and say what was seen."""
        self._folder.wish(enters=True, leaves=True)
        with self.world as world:
            world.server.faults.pause()
            self.keeper.start()
            try:
                self._wait("filling the book", self._is_full, FULL_WITHIN_S)
                risen = self._rise() if self._variant.ladder else ()
                world.stop_tape()
                before, began = read_trades(self._folder.trades_url), now_ms()
                restart = self._fall(risen)
                self._settle()
                return self._seen(before, began, restart)
            finally:
                self.keeper.stop()
                world.write_strikes()

    # ---- acts

    def _is_full(self) -> bool:
        if not self.keeper.loops_since(0):
            return False  # there may be no database yet
        trades = [trade for trade in read_trades(self._folder.trades_url) if trade.is_open]
        filled = [trade for trade in trades if trade.quantity]
        return len(filled) >= TRADES and self._is_calm()

    def _is_calm(self) -> bool:
        """Whether nothing works, nothing is chased, and every stop that is wanted rests."""
        world = self.world
        held = {pair for pair, size in world.positions().items() if size}
        rests = (
            not self._variant.stops or {p for p, size in world.guarded().items() if size} >= held
        )
        return not world.working() and not self._store.open_parents() and rests

    def _rise(self) -> Knots:
        """Let some pairs rise until their first parts are taken and their stops have followed."""
        knots = rise(now_ms() + 1000)
        self.world.market.lead(Course(knots, _others_flat(self.world.symbols, knots)))
        rising = {pair_of(symbol) for symbol in RISING_SYMBOLS}

        def is_taken() -> bool:
            trades = read_trades(self._folder.trades_url)
            taken = {trade.pair for trade in trades if trade.taken and trade.is_open}
            return now_ms() > knots[-1][0] and taken >= rising

        self._wait("letting some pairs rise", is_taken, TAKEN_WITHIN_S)
        # A part rests at its price: the rest of one that the market has left fills late, or never.
        self._wait("letting parts fill", self._is_calm, TAKEN_WITHIN_S, must=False)
        return knots

    def _fall(self, risen: Knots) -> Restart | None:
        began = now_ms() + 1000
        course = fall(began, self._fall_ms, gap=self._variant.gap, before=risen)
        if self._variant.faults:
            self.world.server.faults.resume()
        self.world.market.lead(course)
        restart = self._kill(began) if self._variant.kill else None
        length = 0 if self._variant.gap else self._fall_ms
        self._wait("falling", lambda: now_ms() >= began + length, length / 1e3 + 30)
        return restart

    def _kill(self, began: int) -> Restart:
        """Kill the bot a while into the fall; return what it left, and what the next one has."""
        self._wait("falling", lambda: now_ms() >= began + KILLED_AFTER_MS, 60)
        boots = self.keeper.boots
        self.keeper.arm(Kill(0, "moment", 0.0, DOWN_S))
        self._wait("killing the bot", lambda: self.keeper.kills > 0, 30)
        before = read_trades(self._folder.trades_url)
        self._wait("starting it again", lambda: self.keeper.boots > boots, 60)
        since = now_ms()
        self._wait("its first loops", lambda: self.keeper.loops_since(since) >= LOOPS_AFTER, 60)
        return Restart(before, read_trades(self._folder.trades_url))

    def _settle(self) -> None:
        """Wait for the next bar, on which all pairs are entered anew, and for calm."""
        self.world.server.faults.pause()
        now = now_ms()
        asked = now - now % MINUTE_MS + MINUTE_MS + 3_000
        left: list[Violation] = []

        def is_settled() -> bool:
            nonlocal left
            if now_ms() < asked or self.keeper.loops_since(asked) < LOOPS_AFTER:
                left = [
                    Violation("bot_stuck", "", now_ms(), "no loops after the fall; see bot.log")
                ]
                return False
            left = unsettled(self._snapshot())
            return not left

        self._wait("settling", is_settled, SETTLED_WITHIN_S, must=False)
        self.violations += left

    def _wait(
        self, doing: str, is_done: Callable[[], bool], within_s: float, *, must: bool = True
    ) -> None:
        self._tell(doing)
        deadline = time.monotonic() + within_s
        while not is_done():
            if time.monotonic() > deadline:
                if must:
                    text = f"{doing} took longer than {within_s:.0f} s"
                    self.violations.append(Violation("too_slow", "", now_ms(), text))
                return
            time.sleep(POLL_S)
            self.keeper.strike()
            self.keeper.look()

    # ---- what was seen

    def _snapshot(self) -> Snapshot:
        world = self.world
        return Snapshot(
            at=now_ms(),
            positions=world.positions(),
            filled=world.filled(),
            working=world.working(),
            books=read_books(self._folder.trades_url),
            parents=self._store.open_parents(),
            attempts=self._store.open_attempts(),
            steps=world.steps,
            stops=world.stops(),
            guarded=world.guarded() if self._variant.stops else None,
        )

    def _seen(self, before: list[BookedTrade], began: int, restart: Restart | None) -> Crash:
        ended, world, after = now_ms(), self.world, read_trades(self._folder.trades_url)
        spans = [*self.keeper.spans, *self.keeper.running()]
        both_up: list[Span] = without(spans, world.away())
        facts = Facts(
            events=list(world.recorder.events),
            parents=self._store.parents_since(0),
            attempts=self._store.attempts_since(0),
            steps=world.steps,
            books=read_books(self._folder.trades_url),
            loops=self.keeper.loops(),
            both_up=both_up,
            stops=self._variant.stops,
            ladder=self._variant.ladder,
        )
        prices = prices_of(world, ended)
        return Crash(
            facts=facts,
            began=began,
            ended=ended,
            balance=float(BALANCE_QUOTE),
            equity=world.equity(),
            before=before,
            after=after,
            touches=touches_of(world, before, began, ended, both_up, facts.events),
            exits=exits_of(before, facts.events, began),
            flat_at=flat_at(before, facts.events, began),
            prices=prices,
            guarded={pair: float(size) for pair, size in world.guarded().items()},
            locks=read_locks(self._folder.trades_url),
            restart=restart,
            steps={pair: float(step) for pair, step in world.steps.items()},
        )


def _others_flat(symbols: tuple[str, ...], knots: Knots) -> dict[str, Knots]:
    """Courses of those that do not rise."""
    flat = ((knots[0][0], 1.0),)
    return {symbol: flat for symbol in symbols if symbol not in RISING_SYMBOLS}
