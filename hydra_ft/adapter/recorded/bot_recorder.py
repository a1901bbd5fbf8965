"""The recorder of a bot that has no process for it: a thread that lives as long as the bot."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from hydra_ft.errors import FeedError
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.recorder import Recorder
from hydra_ft.feeds.recorder_report import line_of
from hydra_ft.feeds.recorder_session import client_of
from hydra_ft.feeds.recorder_setup import policy_of, public_options
from hydra_ft.feeds.recorder_thread import RecorderThread
from hydra_ft.feeds.venues import venue_of
from hydra_ft.store.database import Database
from hydra_ft.store.sole import TakenError, sole

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hydra_ft.recorder_settings import RecorderSettings

logger = logging.getLogger(__name__)

_MORE_S = 5.0
"""How much longer than its last write a recorder may take to end."""


class BotRecorder:
    """Records pairs of the bot's exchange into its database, until it is stopped.

    Where another recorder of the exchange works on the database, that one is used, and none
    is started here.

    Raises FeedError for an exchange that cannot be recorded, StoreError where the lock or the
    database cannot be had.
    """

    def __init__(
        self,
        url: str,
        exchange: Mapping[str, Any],
        pairs: Sequence[str],
        settings: RecorderSettings,
    ) -> None:
        self._pairs, self._settings = frozenset(pairs), settings
        self._held = ExitStack()
        self._thread: RecorderThread | None = None
        self._unrecorded: frozenset[str] = frozenset()
        self._has_ended = False
        self._told_at = time.monotonic()
        venue = venue_of(str(exchange["name"]))
        try:
            self._held.enter_context(sole(url, f"recorder-{venue.name}"))
        except TakenError as error:
            logger.info("hydra.recorder.in_bot: another recorder is used, none started: %s", error)
            return
        policy, options = policy_of(settings), public_options(exchange)
        database = Database(url)
        self._held.callback(database.close)

        def made() -> Recorder:
            sink = FlowSink(
                database, step_ms=policy.step_ms, retention=settings.retention, owns_database=False
            )
            return Recorder(
                venue,
                list(pairs),
                lambda: client_of(venue.name, options, policy),
                sink,
                policy,
                feeds=settings.feeds,
            )

        feeds = ", ".join(settings.feeds)
        logger.info("The bot records %s of %s pairs of %s.", feeds, len(pairs), venue.name)
        self._thread = RecorderThread(made).start()

    @property
    def is_ours(self) -> bool:
        """Whether this bot records, and not another process."""
        return self._thread is not None

    @property
    def state(self) -> str:
        """One line about how it goes; why it has ended, where it has."""
        if self._thread is None:
            return "another recorder works on the database"
        try:
            return line_of(self._thread.health(), time.monotonic())
        except FeedError as error:
            return str(error)

    def look(self, pairs: Collection[str]) -> None:
        """Log how it goes now and then, its end once, and pairs of the bot that it leaves out."""
        if self._thread is None or self._has_ended:
            return
        if not self._thread.is_alive:
            self._has_ended = True
            logger.error(
                "%s. Feeds that are listed grow stale, which blocks entries; restart the bot or "
                "send /reload_config.",
                self.state,
            )
            return
        unrecorded = frozenset(pairs) - self._pairs
        if unrecorded - self._unrecorded:
            logger.warning(
                "Not recorded before /reload_config, since they came later: %s",
                ", ".join(sorted(unrecorded)),
            )
        self._unrecorded = unrecorded
        if time.monotonic() - self._told_at >= self._settings.report_every_s:
            self._told_at = time.monotonic()
            logger.info("recorder: %s", self.state)

    def stop(self) -> None:
        """End gracefully: what has closed is written, then lock and database are let go."""
        try:
            if self._thread is not None:
                self._thread.stop(self._settings.stop_s + _MORE_S)
        except FeedError as error:
            logger.warning("%s; its last seconds may be lost.", error)
        finally:
            self._held.close()
