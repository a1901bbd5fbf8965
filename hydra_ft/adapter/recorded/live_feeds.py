"""Recorded feeds of a bot that trades: opened with it, waited for, recorded where it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade.exceptions import OperationalException

from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.recorded.feeds import RECORDED, RecordedFeeds
from hydra_ft.adapter.recorded.flow_wait import FlowWait, books_of, liquidations_of, trades_of
from hydra_ft.adapter.trades import to_ms
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.errors import HydraError
from hydra_ft.settings import database_url
from hydra_ft.store.flow_markets import Markets
from hydra_ft.store.reading import ReadingDatabase
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from datetime import datetime

    from hydra_ft.adapter.recorded.bot_recorder import BotRecorder
    from hydra_ft.adapter.strategy import HydraStrategy
    from hydra_ft.settings import Settings

    _Base = HydraStrategy
else:
    _Base = object


def is_wanted(settings: Settings) -> bool:
    """Whether a bot that trades with these settings records, or reads what was recorded."""
    listed = settings.feeds or ()
    return settings.recorder.in_bot or any(feed in listed for feed in RECORDED)


class LiveFeeds(_Base):
    """Lays what was recorded beside the candles of a bot that trades."""

    recorder: BotRecorder | None = None
    _wait: FlowWait | None = None

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Open the feeds once the store is open, and begin to record where that is set."""
        super().ft_bot_start(**kwargs)
        exchange = self.config["exchange"]
        folder, is_dry = self.config["user_data_dir"], self.config["dry_run"]
        url = database_url(self.settings, folder, dry_run=is_dry)
        if self.feeds.intersection(RECORDED):
            self._read(exchange["name"], url)
        if self.settings.recorder.in_bot:
            self._record(exchange, url)

    def _read(self, exchange: str, url: str) -> None:
        reading = self.frames.reading = ReadingDatabase(url)
        self.frames.live = RecordedFeeds(reading, exchange, keeps=True)
        markets, awaited = Markets(reading, exchange), []
        if Feed.TRADES in self.feeds:
            awaited.append(trades_of(reading, markets))
        if Feed.LIQUIDATIONS in self.feeds:
            awaited.append(liquidations_of(reading, markets))
        if Feed.BOOK in self.feeds:
            awaited.append(books_of(reading, markets))
        wait_s = self.settings.recorder.wait_s
        self._wait = FlowWait(awaited, timeframe_ms(self.timeframe), wait_s)

    def _record(self, exchange: dict[str, Any], url: str) -> None:
        from hydra_ft.adapter.recorded.bot_recorder import (  # noqa: PLC0415 - few bots record
            BotRecorder,
        )

        pairs = self.dp.current_whitelist()
        try:
            self.recorder = BotRecorder(
                url, exchange, pairs, self.settings.recorder, reading=self.frames.reading
            )
        except HydraError as error:
            raise OperationalException(f"hydra.recorder.in_bot: {error}") from error

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Begin the loop; then wait for what is recorded of a candle that has just closed."""
        if self.frames.reading is not None:
            self.frames.reading.begin_loop()
        super().bot_loop_start(current_time=current_time, **kwargs)
        self._look_at_feeds(to_ms(current_time))

    def analyze(self, pairs: list[str]) -> None:
        """Decide on the pairs, as freqtrade asks once a loop.

        A read that failed as the loop began costs no pair its candle, which is decided once.
        """
        if self.frames.reading is not None:
            self.frames.reading.begin_loop()
        super().analyze(pairs)

    @fail_closed(answer=None)
    def _look_at_feeds(self, now: int) -> None:
        pairs = self.dp.current_whitelist()
        self._tell()
        self._look_at_recorder(pairs, now)
        if self._wait is not None:
            self._wait.wait(pairs, now)

    @fail_closed(answer=None)
    def _tell(self) -> None:
        self.frames.states.tell()

    @fail_closed(answer=None)
    def _look_at_recorder(self, pairs: list[str], now: int) -> None:
        """Look after the thread; what fails here costs no candle its wait."""
        if self.recorder is not None:
            self.recorder.look(pairs, now)

    def ft_bot_cleanup(self) -> None:
        """End the recorder with the bot, before a reload starts the next one.

        It is asked first and waited for last: ledger and orders are closed meanwhile.
        """
        if self.recorder is not None:
            self.recorder.ask_to_end()
        try:
            super().ft_bot_cleanup()
        finally:
            if self.frames.reading is not None:
                self.frames.reading.close()
            if self.recorder is not None:
                self.recorder.stop()
                self.recorder = None
