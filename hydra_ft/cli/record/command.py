"""Records until a signal comes, and says every minute how it goes."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from hydra_ft.cli.record.plan import planned
from hydra_ft.cli.record.signals import stop_on_signals, told_to_end
from hydra_ft.cli.record.telling import Telling
from hydra_ft.errors import HydraError
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.recorder import Recorder
from hydra_ft.feeds.recorder_report import line_of
from hydra_ft.feeds.recorder_session import client_of
from hydra_ft.store.address import shown
from hydra_ft.store.database import Database
from hydra_ft.store.sole import sole
from hydra_ft.warmup import keep_compiled

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from threading import Event
    from typing import Any

    from hydra_ft.cli.record.plan import Plan
    from hydra_ft.feeds.recorder import RecorderHealth


def run(args: argparse.Namespace) -> int:
    """Record; 0 when it was ended (SIGTERM), 1 when something that had come was not written.

    Raises
    ------
    HydraError
        When the configuration, a pair or the database cannot be used, or another recorder of
        this exchange works on the database.
    KeyboardInterrupt
        When it was interrupted (SIGINT), once all is written.
    """
    plan, telling = planned(args), Telling(sys.stdout)
    try:
        return _run(plan, telling)
    finally:
        telling.close()


def _run(plan: Plan, telling: Telling) -> int:
    keep_compiled(plan.user_data, telling.say)
    with told_to_end() as came, sole(plan.url, f"recorder-{plan.venue.name}") as lost:
        database = Database(plan.url)
        try:
            health = asyncio.run(_recorded(plan, database, lost, came, telling))
        except ExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            database.close()
    if health.dropped:
        telling.say(f"stopped; {health.dropped} parts of what was recorded were not written")
        return 1
    telling.say("stopped; all that had closed is written")
    if came == [signal.SIGINT]:
        raise KeyboardInterrupt
    return 0


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    """Return the first error that Hydra names, else the whole."""
    for error in errors.exceptions:
        named = _first(error) if isinstance(error, ExceptionGroup) else error
        if isinstance(named, HydraError):
            return named
    return errors


async def _recorded(
    plan: Plan, database: Database, lost: Event, came: list[int], telling: Telling
) -> RecorderHealth:
    """Record until a signal, which is put into a list, or the lock is lost; what was done."""
    policy, say = plan.policy, telling.say

    def connect() -> Any:
        return client_of(plan.venue.name, plan.ccxt_config, policy)

    sink = FlowSink(
        database,
        step_ms=policy.step_ms,
        retention=plan.settings.retention,
        owns_database=False,
    )
    recorder = Recorder(plan.venue, plan.pairs, connect, sink, policy, feeds=plan.settings.feeds)
    stop_on_signals(recorder, came, telling)
    place = shown(plan.url)
    feeds, count = ", ".join(plan.settings.feeds), len(plan.pairs)
    say(f"recording {feeds} of {count} pairs of {plan.venue.name} into {place}")
    beside = asyncio.gather(
        _report(recorder, plan.settings.report_every_s, say), _stop_when(lost, recorder, say)
    )
    try:
        await recorder.run()
    finally:
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside
    health = recorder.health()
    say(line_of(health, time.monotonic(), is_over=True))
    return health


async def _stop_when(lost: Event, recorder: Recorder, say: Callable[[str], None]) -> None:
    """Stop where another recorder has taken the lock."""
    while True:
        await asyncio.sleep(1.0)
        if lost.is_set():
            say("another recorder works on the database: writing what has closed")
            recorder.stop()
            return


async def _report(recorder: Recorder, every_s: float, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(every_s)
        say(line_of(recorder.health(), time.monotonic()))
