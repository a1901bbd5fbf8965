"""A budget of calls that all processes share: no more than so many in any minute."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from hydra_ft.store.flow_schema import CALLS
from hydra_ft.store.flow_upsert import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hydra_ft.store.database import Database


class CallBudget:
    """Calls to one service, counted for everybody who uses the same database.

    At most ``calls`` are granted in any ``window_ms``; a service that says when it may be
    called again is obeyed by all. Times are UTC ms of the machine that asks, so machines
    whose clocks differ may together ask for a little more: the service's own answer decides.
    """

    def __init__(
        self, database: Database, service: str, calls: int = 40, window_ms: int = 60_000
    ) -> None:
        self._database = database
        self._service = service
        self.calls = calls
        self._window_ms = window_ms

    def ask(self, cost: int, now: int) -> int:
        """Take ``cost`` calls and return 0, or take none and return in how many ms to ask again.

        Raises ValueError for more than the budget ever grants at once.
        """
        if not 0 < cost <= self.calls:
            raise ValueError(f"cost: expected 1 to {self.calls} calls, was {cost}")
        with self._database.transaction() as connection:
            not_before, spent = self._locked(connection)
            spent = [(at, n) for at, n in spent if now - self._window_ms < at <= now]
            wait = not_before - now if not_before > now else self._wait(spent, cost, now)
            if wait <= 0:
                spent.append((now, cost))
            self._write(connection, not_before, spent)
        return max(0, wait)

    def hold(self, until: int) -> None:
        """Let nobody call before a time."""
        with self._database.transaction() as connection:
            not_before, spent = self._locked(connection)
            self._write(connection, max(until, not_before), spent)

    def _wait(self, spent: list[tuple[int, int]], cost: int, now: int) -> int:
        """Milliseconds until so much of what was spent has left the window that it suffices."""
        excess = sum(n for _at, n in spent) + cost - self.calls
        wait = 0
        for at, n in spent:
            if excess <= 0:
                break
            excess -= n
            wait = at + self._window_ms - now
        return wait

    def _locked(self, connection: Connection) -> tuple[int, list[tuple[int, int]]]:
        """Read the state; nobody else reads or writes it until the transaction ends.

        The update comes first: it takes the lock of the row, or SQLite's of the file.
        """
        mine = CALLS.c.service == self._service
        turn = update(CALLS).where(mine).values(turn=CALLS.c.turn + 1)
        if not connection.execute(turn).rowcount:
            first = {"service": self._service, "turn": 0, "not_before": 0, "spent": "[]"}
            insert_new(connection, CALLS, [first])
            connection.execute(turn)
        row = connection.execute(select(CALLS.c.not_before, CALLS.c.spent).where(mine)).one()
        return int(row.not_before), [(int(at), int(n)) for at, n in json.loads(row.spent)]

    def _write(self, connection: Connection, not_before: int, spent: list[tuple[int, int]]) -> None:
        values = {"not_before": not_before, "spent": json.dumps(spent)}
        connection.execute(update(CALLS).where(CALLS.c.service == self._service).values(values))
