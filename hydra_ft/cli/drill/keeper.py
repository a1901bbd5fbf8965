"""Keeps a bot running: starts it, kills it when the plan says so, and starts it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hydra_ft.cli.drill.facts import Loop, Span, Violation
from hydra_ft.cli.drill.folder import append, lines, now_ms
from hydra_ft.cli.drill.processes import BotProcess
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_ft.cli.drill.folder import Folder
    from hydra_ft.cli.drill.plan import Kill
    from hydra_ft.cli.drill.processes import Boot
    from hydra_ft.cli.drill.world import World

RESTART_AFTER_S = 1.0
"""After a death that nobody planned."""
FAILED_STARTS = 5
"""So many starts in a row that nobody killed and that did not come up end the drill."""


class Keeper:
    """The bot as a whole, from its first process to its last.

    ``prepare`` makes all ready for the start of a number, from 0 on. ``deaths`` are the ends
    that nobody planned.
    """

    def __init__(self, world: World, folder: Folder, prepare: Callable[[int], Boot]) -> None:
        self._world, self._folder, self._prepare = world, folder, prepare
        self._process: BotProcess | None = None
        self._since = 0
        self._killed_at = 0
        self._armed: Kill | None = None
        self._down_s = RESTART_AFTER_S
        self._start_at = self._armed_at = 0.0
        self._failed_starts = 0
        self.boots = 0
        self.kills = 0
        self.deaths: list[Violation] = []
        self.spans: list[Span] = []

    # ---- start and end

    def start(self) -> None:
        """Start a bot on the databases of the one before."""
        boot = self._prepare(self.boots)
        self._since, self._killed_at = now_ms(), 0
        self._process = BotProcess(boot)
        self.boots += 1

    def look(self) -> None:
        """Notice that the bot is gone, and start it again when its time has come."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
        elif self._process.exit_code is not None:
            self._gone(self._process.exit_code)

    def _gone(self, code: int) -> None:
        came_up = self._close_span(self._killed_at or now_ms())
        self._process = None
        self._failed_starts = 0 if came_up or self._killed_at else self._failed_starts + 1
        if self._failed_starts >= FAILED_STARTS:
            raise HydraError(
                f"the bot did not start {FAILED_STARTS} times in a row; see {self._folder.log_file}"
            )
        if self._killed_at:
            self.kills += 1
        else:
            text = f"boot {self.boots - 1} ended by itself with code {code}; see bot.log"
            self.deaths.append(Violation("bot_died", "", now_ms(), text))
        self._start_at = time.monotonic() + (self._down_s if self._killed_at else RESTART_AFTER_S)
        self._armed = None

    def _close_span(self, until: int) -> bool:
        """Note when the process was there, and whether it ever came up."""
        up = self._came_up()
        if up:
            self.spans.append(Span(up[0], max(until, up[0])))
        record = {"boot": self.boots - 1, "since": self._since, "until": until}
        append(self._folder.runs_file, {**record, "killed": bool(self._killed_at)})
        return bool(up)

    def _came_up(self) -> list[int]:
        """When the process of the last start came up, if it did."""
        return [
            line["ended"]
            for line in lines(self._folder.loops_file)
            if line.get("up") and line["boot"] == self.boots - 1
        ]

    def stop(self) -> None:
        """Let the bot end in peace."""
        if self._process is not None:
            self._process.stop()
            self._close_span(now_ms())
            self._process = None

    def running(self) -> list[Span]:
        """Return the span of the process that runs, until now, if it came up."""
        up = self._came_up()
        return [Span(up[0], now_ms())] if self._process is not None and up else []

    # ---- kills

    def arm(self, kill: Kill) -> None:
        """Kill the bot at the moment that the plan names, counted from now."""
        self._armed, self._down_s = kill, kill.down_s
        self._armed_at = time.monotonic() + kill.delay_s

    @property
    def is_armed(self) -> bool:
        """Whether a kill is due and has not struck yet."""
        return self._armed is not None

    def strike(self) -> None:
        """Let the armed kill strike, or lie in wait for its event, when its delay is over."""
        kill = self._armed
        if kill is None or self._process is None or time.monotonic() < self._armed_at:
            return
        self._armed_at = float("inf")
        if kill.moment == "moment":
            self._kill()
        else:
            self._world.recorder.at_next(kill.moment, self._kill)

    def _kill(self) -> None:
        """Kill at once; the exchange calls this in the middle of what the bot asked for."""
        if self._process is not None:
            self._killed_at = now_ms()
            self._process.kill()

    # ---- what it did

    def loops(self) -> list[Loop]:
        """Return all loops that came to their end, of all boots."""
        records = lines(self._folder.loops_file)
        return [Loop(line["began"], line["ended"]) for line in records if not line.get("up")]

    def loops_since(self, at: int) -> int:
        """Count the loops that began at or after a time (UTC ms) and came to their end."""
        return sum(loop.began >= at for loop in self.loops())
