"""All frames of a pair that a head reads: freqtrade's candles, and what was recorded beside."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from freqtrade.exceptions import OperationalException

from hydra_ft.adapter.frames import to_bars
from hydra_ft.adapter.held_frames import HeldFrames
from hydra_ft.adapter.marks import marked, with_marks
from hydra_ft.adapter.recorded.archive import with_archived
from hydra_ft.adapter.recorded.feed_states import FeedStates
from hydra_ft.adapter.recorded.feeds import RECORDED, RecordedFeeds
from hydra_ft.adapter.start import TRADES
from hydra_ft.decisions.rules import needed_features
from hydra_ft.errors import HydraError, StoreError
from hydra_ft.settings import database_url
from hydra_ft.store.flow_schema import (
    BOOKS,
    COVERAGE,
    FLOW_BARS,
    FOOTPRINTS,
    GRIDS,
    LIQUIDATION_MINUTES,
    LIQUIDATIONS,
    MARKETS,
    OPEN_INTEREST,
)
from hydra_ft.store.read_only import ReadOnlyDatabase, file_of
from hydra_ft.store.reading import NotAskedError
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pandas as pd
    from freqtrade.data.dataprovider import DataProvider

    from hydra_ft.decisions.rules import HeadRules
    from hydra_ft.settings import Settings
    from hydra_ft.store.database import Database
    from hydra_ft.store.reading import ReadingDatabase
    from hydra_ft.types import Bars

logger = logging.getLogger(__name__)

READ = (
    MARKETS,
    GRIDS,
    FLOW_BARS,
    FOOTPRINTS,
    BOOKS,
    LIQUIDATIONS,
    LIQUIDATION_MINUTES,
    OPEN_INTEREST,
    COVERAGE,
)
"""Tables that a test reads."""


class HeadFrames:
    """Reads the frames of a head, by timeframe.

    A bot that trades gives its ``live`` feeds, of which it keeps what it has read, and
    ``reading``, the connections that they are read through. All else reads the database of the
    configuration once a pair, and writes nothing: what holds a connection could not be handed
    to the workers of hyperopt.
    """

    def __init__(
        self,
        rules: HeadRules,
        feeds: frozenset[Feed],
        config: Mapping[str, Any],
        settings: Settings,
    ) -> None:
        self._rules, self._feeds, self._config, self._settings = rules, feeds, config, settings
        self.live: RecordedFeeds | None = None
        self.reading: ReadingDatabase | None = None
        self.states = FeedStates()
        self.marked = marked(rules, feeds)
        self._held = HeldFrames()

    def of(self, dp: DataProvider, pair: str, dataframe: pd.DataFrame) -> dict[str, Bars]:
        """Return the bars of every timeframe of the head; ``dataframe`` holds the base candles.

        Raises OperationalException where the Hydra database cannot be read in a test; in a bot
        that trades it blocks: flow is not carried then.
        """
        rules = self._rules
        frames = {rules.base: to_bars(dataframe, rules.base)}
        frames[rules.market] = self._held.bars(dp, pair, rules.market, self._feeds)
        frames[rules.structure] = self._held.bars(dp, pair, rules.structure, frozenset())
        for timeframe in self.marked:
            frames[timeframe] = with_marks(dp, pair, timeframe, frames[timeframe])
        if self.live is not None:
            return self._traded(self.live, pair, frames)
        needs_none = not self._feeds.intersection((*RECORDED, Feed.OPEN_INTEREST))
        if needs_none or self._config.get("runmode") in TRADES:
            return frames
        try:
            with self._read_only() as database:
                return frames if database is None else self._tested(database, pair, frames)
        except HydraError as error:
            raise OperationalException(str(error)) from error

    def keep(self, pairs: Collection[str]) -> None:
        """Let go what is kept in memory of all pairs but these."""
        if self.live is not None:
            self.live.keep(pairs)
        self.states.keep(pairs)
        self._held.keep(pairs)

    def _traded(self, live: RecordedFeeds, pair: str, frames: dict[str, Bars]) -> dict[str, Bars]:
        plain = dict(frames)
        try:
            found = self._beside(live, pair, frames)
        except NotAskedError:
            # Nothing was read, so what is kept is as it was.
            logger.warning("%s: recorded feeds are not read in this loop, which blocks", pair)
            return plain
        except HydraError as error:
            logger.warning("%s: recorded feeds cannot be read, which blocks: %s", pair, error)
            live.forget(pair)
            return plain
        self.states.see(pair, found[self._rules.base], int(time.time() * 1000))
        return found

    def _tested(self, database: Database, pair: str, frames: dict[str, Bars]) -> dict[str, Bars]:
        exchange = self._config["exchange"]["name"]
        market = self._rules.market
        if Feed.OPEN_INTEREST in self._feeds:
            frames[market] = with_archived(frames[market], database, exchange, pair)
        return self._beside(RecordedFeeds(database, exchange, keeps=False), pair, frames)

    def _beside(
        self, recorded: RecordedFeeds, pair: str, frames: dict[str, Bars]
    ) -> dict[str, Bars]:
        """Lay the listed feeds beside the base, and beside the others what columns need.

        Fine bars have no sums of liquidations, and their sweeps are not known.
        """
        rules, base = self._rules, self._rules.base
        wanted = needed_features(rules, self._feeds)
        listed = [feed for feed in RECORDED if feed in self._feeds]
        for timeframe, bars in frames.items():
            needed = {feed for feature in wanted[timeframe] for feed in feature.feeds}
            feeds = [feed for feed in listed if timeframe == base or feed in needed]
            groups = {group for feature in wanted[timeframe] for group in feature.groups}
            frames[timeframe] = recorded.beside(pair, bars, feeds, groups)
        if rules.fine and Feed.TRADES in self._feeds and len(frames[base]):
            times = frames[base].time
            stop = int(times[-1]) + frames[base].step_ms
            fine = recorded.fine(pair, rules.fine, int(times[0]), stop)
            groups = {group for feature in wanted[rules.fine] for group in feature.groups}
            books = any(Feed.BOOK in feature.feeds for feature in wanted[rules.fine])
            feeds = [Feed.BOOK] if books else []
            frames[rules.fine] = recorded.beside(pair, fine, feeds, groups)
        return frames

    @contextmanager
    def _read_only(self) -> Iterator[Database | None]:
        """Open the database for reading; None where there is none, or none that is needed."""
        url = self._url()
        file = file_of(url)
        if file is not None and not file.exists():
            yield None
            return
        try:
            database = ReadOnlyDatabase(url, READ)
        except StoreError:
            if self._feeds.intersection(RECORDED):
                raise
            yield None
            return
        try:
            yield database if database.has_tables else None
        finally:
            database.close()

    def _url(self) -> str:
        """Address of the database that the commands of ``hydra data`` write to.

        Freqtrade sets ``dry_run`` for every test, whatever the configuration says.
        """
        config = self._config.get("original_config", self._config)
        dry_run = bool(config.get("dry_run", True))
        return database_url(self._settings, self._config["user_data_dir"], dry_run=dry_run)
