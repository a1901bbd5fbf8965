"""The strategy that every head is: a declaration of rules, run by freqtrade.

In every mode the same lines turn candles into decisions (stage A). When it trades, live
or dry, the order route is mixed in; in a backtest a model of it. With the chase switched
off neither is: orders and prices are plain freqtrade's.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

import hydra_ft
from hydra_ft.adapter.charts.annotations import drawn
from hydra_ft.adapter.charts.plots import plot_config
from hydra_ft.adapter.decisions.columns import (
    decision_columns,
    enter_tags,
    exit_tags,
    with_signals,
)
from hydra_ft.adapter.decisions.memories import Memories
from hydra_ft.adapter.decisions.observed import Observed
from hydra_ft.adapter.decisions.recorded import RecordedEntries
from hydra_ft.adapter.decisions.rows import LastDecision, funnel, last_of
from hydra_ft.adapter.decisions.stage_b import NoStageB, StageB
from hydra_ft.adapter.fail_closed import fail_closed
from hydra_ft.adapter.frames import times, with_columns
from hydra_ft.adapter.history import require_candles, shortfalls
from hydra_ft.adapter.parameters.chase_parameters import ChaseParameters
from hydra_ft.adapter.parts import has_own_steps, parts_of
from hydra_ft.adapter.recorded.head_frames import HeadFrames
from hydra_ft.adapter.start import (
    JUDGED,
    TESTED,
    TRADES,
    check_signals,
    feeds_in_use,
    refuse_levels,
    refuse_short_warmup,
    refuse_unusable,
    refuse_wide_stops,
    settings_of,
)
from hydra_ft.adapter.trades import to_ms
from hydra_ft.decisions.evaluation import observe
from hydra_ft.decisions.pipeline import Decisions, HeadRules, judge, startup_candles
from hydra_ft.errors import DeclarationError, HydraError
from hydra_ft.types import Bars, Feed, Side
from hydra_ft.warmup import keep_compiled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pandas as pd

    from hydra_ft.adapter.frames import Column
    from hydra_ft.risk.policy import RiskPolicy

logger = logging.getLogger(__name__)


class HydraStrategy(ChaseParameters, RecordedEntries):
    """Base of all heads; a head sets ``rules``, ``chase``, ``risk`` and freqtrade's attributes.

    Without ``risk`` stops, targets and stakes are freqtrade's own.
    """

    INTERFACE_VERSION = 3
    rules: ClassVar[HeadRules]
    risk: ClassVar[RiskPolicy | None] = None
    process_only_new_candles = True
    use_exit_signal = True
    order_types: dict[str, Any] = {  # noqa: RUF012 - freqtrade sets it per instance
        "entry": "limit",
        "exit": "limit",
        "stoploss": "limit",
        "emergency_exit": "market",
        "force_entry": "limit",
        "force_exit": "limit",
        "stoploss_on_exchange": False,
    }
    order_time_in_force: dict[str, str] = {"entry": "GTC", "exit": "GTC"}  # noqa: RUF012

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rules" in cls.__dict__:
            cls.timeframe = cls.rules.base
            cls.startup_candle_count = startup_candles(cls.rules)

    def __new__(cls, config: dict[str, Any] | None = None) -> Self:
        """Mix in the exits and the order route that are needed; none when a copy is unpickled."""
        added = () if config is None else parts_of(cls, config)
        if added:
            body = {"__module__": cls.__module__, "__doc__": cls.__doc__}
            cls = type(cls.__name__, (*added, cls), body)  # noqa: PLW0642 - one class per mode
        return super().__new__(cls)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.settings = settings_of(type(self), self.chase, config)
        # Freqtrade writes the strategy's own attributes into the configuration later on.
        self._configured = dict(config)
        if config.get("runmode") in JUDGED:
            sets_stops = self.risk is not None
            refuse_unusable(config, self.settings.chase, sets_stops=sets_stops)
            refuse_short_warmup(self.rules, config, self.startup_candle_count)
        self.feeds = feeds_in_use(self.rules, self.settings.feeds)
        self.frames = HeadFrames(self.rules, self.feeds, config, self.settings)
        self.plot_config: dict[str, Any] = self.plot_config or plot_config(self.rules, self.feeds)
        self._last: dict[str, LastDecision | None] = {}
        self._seen = Observed()
        self._memories = Memories()
        self._reviewed: set[str] = set()
        self._has_own_steps = has_own_steps(type(self), HydraStrategy)
        self.stage_b: StageB = NoStageB()

    def version(self) -> str:
        """Version of the pack, shown by freqtrade."""
        return hydra_ft.__version__

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Open the store and the desk where the strategy trades, with its parameters loaded.

        Not in bot_start: freqtrade calls that before it loads the parameters, and logs what
        it raises with a traceback.
        """
        keep_compiled(Path(self.config["user_data_dir"]))
        super().ft_bot_start(**kwargs)
        if self.risk is not None and self.config.get("runmode") in JUDGED:
            refuse_wide_stops(self.rules_in_force, self.stoploss)
            refuse_levels(self.rules_in_force, self.risk)
        self.open_record()

    def ft_load_hyper_params(self, hyperopt: bool = False) -> None:
        """Load the parameters; what they change is checked against the configuration, too."""
        super().ft_load_hyper_params(hyperopt)
        if self.config.get("runmode") in JUDGED and self.policies != self.settings.chase:
            refuse_unusable(self._configured, self.policies)

    def informative_pairs(self) -> list[tuple[str, ...]]:
        """Coarser candles of every pair, and the feeds that come as candles of their own."""
        pairs: list[tuple[str, ...]] = []
        for pair in self.dp.current_whitelist():
            pairs += [(pair, timeframe) for timeframe in (self.rules.market, self.rules.structure)]
            if Feed.FUNDING in self.feeds:
                pairs.append((pair, self.rules.market, "funding_rate"))
            if Feed.OPEN_INTEREST in self.feeds:
                pairs.append((pair, self.rules.market, "open_interest"))
            pairs += [(pair, timeframe, "mark") for timeframe in self.frames.marked]
        return pairs

    def last_decision(self, pair: str) -> LastDecision | None:
        """Return the decision on the newest analysed bar of a pair."""
        return self._last.get(pair)

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Decide on every bar; the columns that gate are the columns that are shown."""
        pair, runmode = metadata["pair"], self.config.get("runmode")
        self._last[pair] = None
        frames = self.frames.of(self.dp, pair, dataframe)
        memory = None if runmode in TESTED else self._memories.of(pair)
        seen = observe(frames, self.rules, self.feeds, memory)
        rules = self.rules_in_force
        if memory is None:
            decisions = judge(seen, rules)
        else:
            decisions = self._memories.judge(pair, seen, rules)
        self._last[pair] = last_of(decisions, frames[self.rules.base])
        if runmode == RunMode.HYPEROPT:
            self._seen[pair] = seen
        if runmode in TESTED and pair not in self._reviewed:
            self._review(pair, frames, decisions)
        self.note_terms(pair, decisions, frames[self.rules.base], frames[self.rules.market])
        try:
            self.stage_b.decide(pair, decisions, int(time.time() * 1000))
        except HydraError as error:
            raise OperationalException(str(error)) from error
        columns = {**decisions.columns, **decision_columns(decisions)}
        if memory is None or self._has_own_steps:
            return with_columns(dataframe, columns)
        return with_signals(dataframe, columns, decisions)

    def _review(self, pair: str, frames: Mapping[str, Bars], decisions: Decisions) -> None:
        """Say once what a backtest of the pair lacks, and why its bars do not trade."""
        try:
            require_candles(pair, frames, self.rules)
        except HydraError as error:
            raise OperationalException(str(error)) from error
        for sentence in shortfalls(pair, frames, self.rules, self.feeds):
            logger.warning("%s", sentence)
        logger.info("%s: %s", pair, funnel(decisions))
        self._memories.note_errors(pair, decisions)
        self._reviewed.add(pair)

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Enter where the decision says so; hold an entry that is being chased."""
        if metadata["pair"] in self._seen:
            dataframe = self._judged_again(dataframe, metadata["pair"])
        side = dataframe["hydra_entry"].to_numpy()
        long, short = (side == 1).astype(np.int8), (side == -1).astype(np.int8)
        columns: dict[str, Column] = {"enter_long": long, "enter_short": short}
        held = self.held_entry(metadata["pair"])
        holds = held is not None and len(side) > 0 and not side[-1]
        if holds or side.any():
            columns["enter_tag"] = tags = self._enter_tags(dataframe, side)
        if held is not None and holds:
            (long if held[0] is Side.LONG else short)[-1] = 1
            tags[-1] = held[1]
        return with_columns(dataframe, columns)

    def _enter_tags(self, dataframe: pd.DataFrame, side: np.ndarray) -> Column:
        light = bool(set(self.rules.feeds) - self.feeds)
        return enter_tags(dataframe, side, self.rules, light=light)

    def _judged_again(self, dataframe: pd.DataFrame, pair: str) -> pd.DataFrame:
        """Decide anew, with the parameters of this epoch of hyperopt, on what was observed."""
        try:
            rules = self.read_rules()
            if self.risk is not None:
                check_signals(rules, self.risk)
            decisions = judge(self._seen[pair], rules)
        except DeclarationError as error:
            # Parameters that contradict each other trade nothing: a poor epoch, not the end.
            logger.debug("%s", error)
            nothing = ("hydra_entry", "hydra_exit_long", "hydra_exit_short")
            return with_columns(dataframe, {name: np.zeros(len(dataframe)) for name in nothing})
        self.note_terms(pair, decisions)
        rows = np.searchsorted(decisions.time, times(dataframe))
        columns = decision_columns(decisions)
        return with_columns(dataframe, {name: values[rows] for name, values in columns.items()})

    def held_entry(self, pair: str) -> tuple[Side, str] | None:
        """Nothing is held where there are no live orders."""
        return None

    def plot_annotations(self, *, dataframe: pd.DataFrame, **kwargs: Any) -> list[Any]:
        """Regimes, stops and targets of an analysed frame, for FreqUI."""
        return drawn(dataframe)

    def populate_exit_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Leave where the market turned against the position."""
        long = dataframe["hydra_exit_long"].to_numpy().astype(np.int64)
        short = dataframe["hydra_exit_short"].to_numpy().astype(np.int64)
        columns: dict[str, Column] = {
            "exit_long": (long > 0).astype(np.int8),
            "exit_short": (short > 0).astype(np.int8),
        }
        if long.any() or short.any():
            columns["exit_tag"] = exit_tags(long, short)
        return with_columns(dataframe, columns)

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Explain and write what was decided since the last loop."""
        self.stage_b.begin_loop(to_ms(current_time))
        self.look_at_risk(to_ms(current_time))
        self._forget_all_but_listed()

    @fail_closed(answer=None)
    def _forget_all_but_listed(self) -> None:
        """Let go what is kept of pairs that are traded no longer; open trades' are among them."""
        # An empty list is a pairlist that has failed, as a rule for one loop.
        traded = self.config.get("runmode") in TRADES
        if traded and (pairs := self.dp.current_whitelist()):
            self.frames.keep(pairs)
            self._memories.keep(pairs)

    @fail_closed(answer=False)
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Let an entry go unless stage B refuses it."""
        refusal = self.stage_b.refusal(pair, Side(side), entry_tag or "", to_ms(current_time))
        if refusal:
            logger.info("Entry for %s refused: %s.", pair, refusal)
        else:
            self.stage_b.answered(pair, "")
        return not refusal
