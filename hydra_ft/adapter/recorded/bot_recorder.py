"""The recorder of a bot that has no process for it: a thread that lives as long as the bot."""

from __future__ import annotations

import logging
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.adapter.recorded.bot_pairs import BotPairs
from hydra_ft.adapter.recorded.spans import Coverage
from hydra_ft.errors import FeedError, StoreError
from hydra_ft.feeds.flow_sink import FlowSink
from hydra_ft.feeds.recorder import Recorder
from hydra_ft.feeds.recorder_report import line_of
from hydra_ft.feeds.recorder_session import client_of
from hydra_ft.feeds.recorder_setup import policy_of, public_options
from hydra_ft.feeds.recorder_thread import RecorderThread
from hydra_ft.feeds.venues import venue_of
from hydra_ft.store.database import Database
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.sole import TakenError, sole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from hydra_ft.recorder_settings import RecorderSettings

logger = logging.getLogger(__name__)

_MORE_S = 5.0
"""How much longer than its last write a recorder may take to end."""
_AGAIN_S, _LATEST_S, _SOUND_S = 15.0, 600.0, 600.0
"""Pause before a recorder that ended is begun again; it doubles up to the second number, and
is short again after one that ran for as long as the third."""
SILENT_MS: Final = 300_000
"""A pair of which nothing has been recorded for so long is not recorded."""
_TAKEN: Final = "another recorder works on the database"


class BotRecorder:
    """Records pairs of the bot's exchange into its database, until it is stopped.

    While another recorder of the exchange works on the database, that one is used; it is
    looked now and then whether it is gone, and which pairs it leaves out as ``reading`` tells.
    One that ends by itself is begun again, with the pairs that the bot has then; meanwhile it
    follows the whitelist, see ``BotPairs``.

    Raises FeedError for an exchange that cannot be recorded, StoreError where the lock or the
    database cannot be had at first.
    """

    def __init__(
        self,
        url: str,
        exchange: Mapping[str, Any],
        pairs: Sequence[str],
        settings: RecorderSettings,
        *,
        reading: Database | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._settings, self._clock_s = url, settings, clock_s
        self._venue = venue_of(str(exchange["name"]))
        self._policy, self._options = policy_of(settings), public_options(exchange)
        self._reading = reading
        self._markets = Markets(reading, str(exchange["name"])) if reading is not None else None
        self._pairs = BotPairs((), clock_s())
        self._thread: RecorderThread | None = None
        self._unrecorded: frozenset[str] = frozenset()
        self._state, self._failures, self._is_without_pairs = "", 0, False
        self._told_at = self._began_s = self._again_at_s = clock_s()
        self._begin(pairs)
        if self._thread is not None:
            cause = self._thread.begun().cause
            if isinstance(cause, StoreError) and not isinstance(cause, TakenError):
                raise cause
            if isinstance(cause, TakenError):
                self._see_end(self._thread)

    @property
    def is_ours(self) -> bool:
        """Whether this bot records, and not another process."""
        return self._thread is not None and self._thread.is_recording

    @property
    def state(self) -> str:
        """One line about how it goes; why it has ended, where it has."""
        if self._thread is None:
            return self._state
        try:
            return line_of(self._thread.health(), self._clock_s())
        except FeedError as error:
            return str(error)

    def look(self, pairs: Sequence[str], now: int) -> None:
        """Log how it goes now and then, each end once, and let it follow the pairs of the bot.

        What has ended, or was another's, is begun again when it is time. ``now`` is UTC ms.
        """
        if self._thread is None:
            if self._clock_s() >= self._again_at_s:
                self._begin(pairs)
                self._tell_unheard(pairs, now)
        elif not self._thread.is_alive:
            self._see_end(self._thread)
        elif self._thread.is_recording:
            if self._lost.is_set():
                # Another one has the lock: it ends with TakenError, and is looked for again.
                self._thread.ask_to_end()
            elif pairs:  # an empty list is a pairlist that has failed, as a rule for one loop
                self._pairs.look(self._thread, pairs, self._clock_s())
            self._report()

    def ask_to_end(self) -> None:
        """Let it end, without waiting for that."""
        if self._thread is not None:
            self._thread.ask_to_end()

    def stop(self) -> None:
        """End gracefully: what has closed is written, then lock and database are let go.

        One that takes too long keeps both until it has ended: it may still write.
        """
        try:
            if self._thread is not None:
                self._thread.stop(self._settings.stop_s + _MORE_S)
        except FeedError as error:
            logger.warning("%s; its last seconds may be lost.", error)

    def _begin(self, pairs: Sequence[str]) -> None:
        """Begin in a thread, which takes the lock: a server that hangs holds no bot up."""
        if not pairs:
            if not self._is_without_pairs:
                self._state = "the whitelist is empty; recording begins with its first pair"
                logger.warning("hydra.recorder.in_bot: %s", self._state)
            self._is_without_pairs = True
            return
        self._is_without_pairs = False
        self._began_s = self._clock_s()
        self._pairs = BotPairs(pairs, self._began_s)
        self._thread = RecorderThread(self._made, self._alone)
        self._thread.begin()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (
            sole(self._url, f"recorder-{self._venue.name}", "hydra.db_url") as self._lost,
            closing(Database(self._url)) as self._database,
        ):
            yield

    def _made(self) -> Recorder:
        settings, venue, policy = self._settings, self._venue, self._policy
        pairs = self._pairs.names
        sink = FlowSink(
            self._database,
            step_ms=policy.step_ms,
            retention=settings.retention,
            owns_database=False,
        )
        self._state, feeds = "", ", ".join(settings.feeds)
        logger.info("The bot records %s of %s pairs of %s.", feeds, len(pairs), venue.name)
        return Recorder(
            venue,
            list(pairs),
            lambda: client_of(venue.name, self._options, policy),
            sink,
            policy,
            feeds=settings.feeds,
        )

    def _see_end(self, thread: RecorderThread) -> None:
        """Say why it has ended, and when it is tried again."""
        self._thread, now_s = None, self._clock_s()
        if isinstance(thread.cause, TakenError):
            if self._state != _TAKEN:
                logger.info(
                    "hydra.recorder.in_bot: another recorder is used, none started: %s",
                    thread.cause,
                )
            self._state, self._failures = _TAKEN, 0
            self._again_at_s = now_s + self._settings.report_every_s
            return
        self._failures = 0 if now_s - self._began_s >= _SOUND_S else self._failures
        pause_s = min(_LATEST_S, _AGAIN_S * 2.0 ** min(self._failures, 10))
        self._failures, self._again_at_s = self._failures + 1, now_s + pause_s
        self._state = f"recorder: expected to run, it has ended: {thread.reason}"
        logger.error(
            "%s. It is begun again in %.0f s; feeds that are listed grow stale until then, which "
            "blocks entries.",
            self._state,
            pause_s,
        )

    def _report(self) -> None:
        if self._clock_s() - self._told_at >= self._settings.report_every_s:
            self._told_at = self._clock_s()
            logger.info("recorder: %s", self.state)

    def _tell_unheard(self, pairs: Collection[str], now: int) -> None:
        """Warn of pairs that the recorder of another leaves out."""
        if self._state == _TAKEN and self._reading is not None:
            self._tell_unrecorded(
                frozenset(pair for pair in pairs if not self._is_heard(pair, now)),
                "Not recorded by the other recorder on the database, whose pairs are set where it "
                "runs (--pairs): %s. Feeds that are listed are stale, which blocks entries there.",
            )

    def _is_heard(self, pair: str, now: int) -> bool:
        if self._reading is None or self._markets is None:
            return False
        return any(
            Coverage(self._reading, self._markets, pair, feed).within(now - SILENT_MS, now)
            for feed in self._settings.feeds
        )

    def _tell_unrecorded(self, unrecorded: frozenset[str], words: str) -> None:
        if unrecorded - self._unrecorded:
            logger.warning(words, ", ".join(sorted(unrecorded)))
        self._unrecorded = unrecorded
