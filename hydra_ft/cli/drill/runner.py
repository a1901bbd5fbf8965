"""Runs exchange, bot, kills and quiet points until the orders are done, and collects facts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hydra_ft.adapter.books import read_books
from hydra_ft.cli.drill.audit import Snapshot, unsettled
from hydra_ft.cli.drill.configuration import write_configuration
from hydra_ft.cli.drill.facts import Facts, Span, Violation, without
from hydra_ft.cli.drill.folder import append, lines, now_ms
from hydra_ft.cli.drill.keeper import Keeper
from hydra_ft.cli.drill.plan import BOT, kills, pauses
from hydra_ft.cli.drill.processes import Boot
from hydra_ft.store.database import Database
from hydra_ft.store.orders import OrderStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.cli.drill.folder import Folder
    from hydra_ft.cli.drill.plan import Options
    from hydra_ft.cli.drill.world import World

POLL_S = 0.5
QUIET_WITHIN_S = 90.0
"""How long, with the bot up and no faults, everything may take to settle."""
LOOPS_IN_QUIET = 3


@dataclass(slots=True)
class Progress:
    """How far a drill is; ``quiets`` are the seconds that each quiet point took to settle."""

    began: int
    orders: int = 0
    doing: str = "starting"
    quiets: list[float] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)


class Runner:
    """One drill, from the first boot to the last check."""

    def __init__(
        self, world: World, folder: Folder, options: Options, tell: Callable[[Progress], None]
    ) -> None:
        self.world, self._folder, self._options, self._tell = world, folder, options, tell
        self.keeper = Keeper(world, folder, self._prepare)
        self._database = Database(folder.hydra_url)
        self._store = OrderStore(self._database, BOT)
        self.progress = Progress(now_ms())
        self._deadline = time.monotonic() + options.minutes * 60

    def _prepare(self, number: int) -> Boot:
        """Configure the start of a number, and say what it runs."""
        server, folder, options = self.world.server, self._folder, self._options
        write_configuration(folder, options, server.url, self.world.symbols, number)
        head = "LadderHead" if options.exits else "DrillHead"
        return Boot(number, folder.root, options.seed, head)

    def run(self) -> None:
        """Run until so many parents have ended, then once more until all is quiet.

        An interruption ends the bot and leaves what was recorded until then.
        """
        self._folder.wish(enters=True, leaves=True)
        self.keeper.start()
        try:
            self._trade()
            self._settle(closes=True)
        finally:
            self.keeper.stop()
            self.world.write_strikes()

    def _trade(self) -> None:
        due, quiet = kills(self._options), pauses(self._options)
        while self.progress.orders < self._options.orders or due or self.keeper.is_armed:
            self.progress.doing = "trading"
            if time.monotonic() > self._deadline:
                self._too_slow()
                return
            self._turn()
            if due and not self.keeper.is_armed and self.progress.orders >= due[0].after_orders:
                self.keeper.arm(due.pop(0))
            if quiet and self.progress.orders >= quiet[0].after_orders:
                self._settle(closes=quiet.pop(0).closes)

    def _turn(self) -> None:
        time.sleep(POLL_S)
        self.keeper.strike()
        self.keeper.look()
        parents = self._store.parents_since(0)
        self.progress.orders = sum(not parent.is_open for parent in parents)
        self._tell(self.progress)

    def _too_slow(self) -> None:
        text = f"{self.progress.orders} orders in {self._options.minutes:g} minutes"
        self.progress.violations.append(Violation("too_slow", "", now_ms(), text))

    # ---- quiet points

    def _settle(self, *, closes: bool) -> None:
        """Pause faults and signals, wait until everything is settled, and say what is not."""
        self.progress.doing = "settling"
        began = now_ms()
        self.world.server.faults.pause()
        self._folder.wish(enters=False, leaves=closes)
        left = self._wait_until_settled(closes=closes)
        ended = now_ms()
        append(self._folder.runs_file, {"quiet": True, "since": began, "until": ended})
        self.progress.quiets.append((ended - began) / 1e3)
        self.progress.violations += left
        self.world.server.faults.resume()
        self._folder.wish(enters=True, leaves=True)

    def _wait_until_settled(self, *, closes: bool) -> list[Violation]:
        boots, began, deadline = self.keeper.boots, now_ms(), time.monotonic() + QUIET_WITHIN_S
        while True:
            self._turn()
            if self.keeper.boots != boots:
                boots, began = self.keeper.boots, now_ms()
                deadline = time.monotonic() + QUIET_WITHIN_S
            looked = self.keeper.loops_since(began) >= LOOPS_IN_QUIET
            left = unsettled(self._snapshot()) if looked else [_no_loops(began)]
            if closes and not left:
                left = [_still_held(pair) for pair in self.world.positions()]
            if not left or time.monotonic() > deadline:
                return left

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            at=now_ms(),
            positions=self.world.positions(),
            filled=self.world.filled(),
            working=self.world.working(),
            books=read_books(self._folder.trades_url),
            parents=self._store.open_parents(),
            attempts=self._store.open_attempts(),
            steps=self.world.steps,
            stops=self.world.stops(),
            guarded=self.world.guarded() if self._options.stops else None,
        )

    # ---- at the end

    def failures(self) -> list[Violation]:
        """Return every callback of the strategy that raised."""
        return [
            Violation("callback_failed", "", line["at"], line["text"])
            for line in lines(self._folder.failures_file)
        ]

    def facts(self) -> Facts:
        """Return all that was recorded."""
        spans: list[Span] = self.keeper.spans
        return Facts(
            events=self.world.recorder.events,
            parents=self._store.parents_since(0),
            attempts=self._store.attempts_since(0),
            steps=self.world.steps,
            books=read_books(self._folder.trades_url),
            loops=self.keeper.loops(),
            both_up=without(spans, self.world.away()),
            stops=self._options.stops,
            ladder=self._options.exits,
        )


def _no_loops(since: int) -> Violation:
    text = f"fewer than {LOOPS_IN_QUIET} loops since {since}; see bot.log"
    return Violation("bot_stuck", "", now_ms(), text)


def _still_held(pair: str) -> Violation:
    return Violation("not_quiet", pair, now_ms(), "the position was not closed")
