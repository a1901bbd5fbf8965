"""The strategy that every head is: a declaration of rules, run by freqtrade.

In every mode the same lines turn candles into decisions (stage A). When it trades, live
or dry, the order route is mixed in; in a backtest a model of it. With the chase switched
off neither is: orders and prices are plain freqtrade's.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

import hydra_ft
from hydra_ft.adapter.annotations import annotations
from hydra_ft.adapter.backtest import BacktestOrders
from hydra_ft.adapter.configuration import check_configuration
from hydra_ft.adapter.frames import read_bars, to_bars, with_columns
from hydra_ft.adapter.history import require_candles, shortfalls
from hydra_ft.adapter.ledger import LastDecision, Ledger, funnel, last_of
from hydra_ft.adapter.live import LiveOrders
from hydra_ft.adapter.parameters import ChaseParameters
from hydra_ft.adapter.plots import plot_config
from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.decisions.pipeline import (
    EXIT_TAGS,
    Decisions,
    HeadRules,
    decide,
    startup_candles,
)
from hydra_ft.errors import HydraError
from hydra_ft.execution.policy import ChasePolicies
from hydra_ft.settings import SECTION, Settings, database_url, load_settings
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionStore
from hydra_ft.types import Bars, Bias, Feed, Regime, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

logger = logging.getLogger(__name__)

TRADES = (RunMode.LIVE, RunMode.DRY_RUN)
TESTED = (RunMode.BACKTEST, RunMode.HYPEROPT)
JUDGED = (*TRADES, *TESTED)
"""Modes whose result counts; lookahead- and recursive-analysis vary the warm-up on purpose."""


class HydraStrategy(ChaseParameters):
    """Base of all heads; a head sets ``rules``, ``chase`` and freqtrade's own attributes."""

    INTERFACE_VERSION = 3
    rules: ClassVar[HeadRules]
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
        """Mix in the order route that the run mode needs; none when a copy is unpickled."""
        route = None if config is None else _route(config, _settings(cls, config))
        if route is not None and not issubclass(cls, route):
            body = {"__module__": cls.__module__, "__doc__": cls.__doc__}
            cls = type(cls.__name__, (route, cls), body)  # noqa: PLW0642 - one class per mode
        return super().__new__(cls)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.settings = _settings(type(self), config)
        # Freqtrade writes the strategy's own attributes into the configuration later on.
        self._configured = dict(config)
        if config.get("runmode") in JUDGED:
            _refuse_unusable(config, self.settings.chase)
            self._refuse_short_warmup()
        chosen = self.settings.feeds
        self.feeds = frozenset(
            feed for feed in self.rules.feeds if chosen is None or feed in chosen
        )
        self.plot_config = self.plot_config or plot_config(self.rules, self.feeds)
        self._last: dict[str, LastDecision | None] = {}
        self._reviewed: set[str] = set()

    def version(self) -> str:
        """Version of the pack, shown by freqtrade."""
        return hydra_ft.__version__

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Open the store and the desk where the strategy trades, with its parameters loaded.

        Not in bot_start: freqtrade calls that before it loads the parameters, and logs what
        it raises with a traceback.
        """
        super().ft_bot_start(**kwargs)
        if self.config.get("runmode") in TRADES:
            self._open_store()

    def ft_load_hyper_params(self, hyperopt: bool = False) -> None:
        """Load the parameters; what they change is checked against the configuration, too."""
        super().ft_load_hyper_params(hyperopt)
        if self.config.get("runmode") in JUDGED and self.policies != self.settings.chase:
            _refuse_unusable(self._configured, self.policies)

    def _refuse_short_warmup(self) -> None:
        """Stop before freqtrade puts the configured count in the place of the declared one.

        Not in bot_start: freqtrade logs what that raises with a traceback, then once more.
        """
        needed = startup_candles(self.rules)
        count = self.config.get("startup_candle_count", self.startup_candle_count)
        if count < needed:
            msg = (
                f"expected startup_candle_count of at least {needed} for {self.rules.name}, was "
                f"{count}; remove startup_candle_count from the configuration"
            )
            raise OperationalException(msg)

    def _open_store(self) -> None:
        try:
            url = database_url(
                self.settings, self.config["user_data_dir"], dry_run=self.config["dry_run"]
            )
            self.database = Database(url)
            store = DecisionStore(self.database, self.settings.bot_name)
            self._ledger = Ledger(store, self.rules, timeframe_ms(self.timeframe))
            if isinstance(self, LiveOrders):
                self.start_orders()
        except HydraError as error:
            raise OperationalException(str(error)) from error

    def ft_bot_cleanup(self) -> None:
        """Close the store; freqtrade calls this on exit and before a reload."""
        super().ft_bot_cleanup()
        if hasattr(self, "database"):
            self.database.close()

    def informative_pairs(self) -> list[tuple[str, ...]]:
        """Coarser candles of every pair, and the feeds that come as candles of their own."""
        pairs: list[tuple[str, ...]] = []
        for pair in self.dp.current_whitelist():
            pairs += [(pair, timeframe) for timeframe in (self.rules.market, self.rules.structure)]
            if Feed.FUNDING in self.feeds:
                pairs.append((pair, self.rules.market, "funding_rate"))
            if Feed.OPEN_INTEREST in self.feeds:
                pairs.append((pair, self.rules.market, "open_interest"))
        return pairs

    def last_decision(self, pair: str) -> LastDecision | None:
        """Return the decision on the newest analysed bar of a pair."""
        return self._last.get(pair)

    def populate_indicators(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Decide on every bar; the columns that gate are the columns that are shown."""
        pair = metadata["pair"]
        self._last[pair] = None
        frames = {self.rules.base: to_bars(dataframe, self.rules.base)}
        frames[self.rules.market] = read_bars(self.dp, pair, self.rules.market, self.feeds)
        frames[self.rules.structure] = read_bars(self.dp, pair, self.rules.structure, frozenset())
        decisions = decide(frames, self.rules, self.feeds)
        self._last[pair] = last_of(decisions, frames[self.rules.base])
        runmode = self.config.get("runmode")
        if runmode in TRADES:
            self._ledger.write(pair, decisions)
        elif runmode in JUDGED and pair not in self._reviewed:
            self._review(pair, frames, decisions)
        return with_columns(dataframe, _columns(decisions))

    def _review(self, pair: str, frames: Mapping[str, Bars], decisions: Decisions) -> None:
        """Say once what a backtest of the pair lacks, and why its bars do not trade."""
        try:
            require_candles(pair, frames, self.rules)
        except HydraError as error:
            raise OperationalException(str(error)) from error
        for sentence in shortfalls(pair, frames, self.rules, self.feeds):
            logger.warning("%s", sentence)
        logger.info("%s: %s", pair, funnel(decisions))
        self._reviewed.add(pair)

    def populate_entry_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Enter where the decision says so; hold an entry that is being chased."""
        side = dataframe["hydra_entry"].to_numpy()
        tags = self._enter_tags(dataframe, side)
        long, short = (side == 1).astype(np.int8), (side == -1).astype(np.int8)
        held = self.held_entry(metadata["pair"])
        if held is not None and len(side) and not side[-1]:
            (long if held[0] is Side.LONG else short)[-1] = 1
            tags[-1] = held[1]
        return with_columns(
            dataframe, {"enter_long": long, "enter_short": short, "enter_tag": tags}
        )

    def held_entry(self, pair: str) -> tuple[Side, str] | None:
        """Nothing is held where there are no live orders."""
        return None

    def plot_annotations(self, *, dataframe: pd.DataFrame, **kwargs: Any) -> list[Any]:
        """Regimes, stops and targets of an analysed frame, for FreqUI."""
        return annotations(dataframe)

    def _enter_tags(self, dataframe: pd.DataFrame, side: np.ndarray) -> np.ndarray:
        """``signal|regime|bias`` of every entry, and ``light`` where a feed is not listed."""
        tags = np.full(len(side), None, dtype=object)
        light = "|light" if set(self.rules.feeds) - self.feeds else ""
        regime, bias = dataframe["hydra_regime"].to_numpy(), dataframe["hydra_bias"].to_numpy()
        chosen = dataframe["hydra_signal"].to_numpy()
        for row in np.flatnonzero(side):
            name = self.rules.signals[int(chosen[row])].name
            state = f"{Regime(int(regime[row])).name}|{Bias(int(bias[row])).name}"
            tags[row] = f"{name}|{state}{light}"
        return tags

    def populate_exit_trend(
        self, dataframe: pd.DataFrame, metadata: dict[str, Any]
    ) -> pd.DataFrame:
        """Leave where the market turned against the position."""
        long = dataframe["hydra_exit_long"].to_numpy()
        short = dataframe["hydra_exit_short"].to_numpy()
        tags = np.full(len(dataframe), None, dtype=object)
        for row in np.flatnonzero(long + short):
            # One tag column serves both sides; a bar that closes both names both reasons.
            reasons = {EXIT_TAGS[int(long[row])], EXIT_TAGS[int(short[row])]} - {""}
            tags[row] = "+".join(sorted(reasons))
        exits = {"exit_long": long > 0, "exit_short": short > 0}
        columns = {name: values.astype(np.int8) for name, values in exits.items()}
        return with_columns(dataframe, {**columns, "exit_tag": tags})


def _columns(decisions: Decisions) -> dict[str, np.ndarray]:
    """All columns of the decisions, numeric, shape (n,) each."""
    return {
        **decisions.columns,
        "hydra_regime": decisions.regime,
        "hydra_regime_confidence": decisions.regime_confidence,
        "hydra_bias": decisions.bias,
        "hydra_bias_strength": decisions.bias_strength,
        "hydra_code": decisions.code,
        "hydra_signal": decisions.signal,
        "hydra_entry": decisions.side,
        "hydra_exit_long": decisions.exit_long_tag,
        "hydra_exit_short": decisions.exit_short_tag,
    }


def _settings(head: type[HydraStrategy], config: dict[str, Any]) -> Settings:
    """Return the settings over what a head declares."""
    if not isinstance(head.chase, ChasePolicies):
        msg = (
            f"expected chase of {head.__name__} to be ChasePolicies(entry=..., exit=...), "
            f"was {head.chase!r}; correct it in the strategy file"
        )
        raise OperationalException(msg)
    try:
        return load_settings(config.get(SECTION), head.chase)
    except HydraError as error:
        raise OperationalException(str(error)) from error


def _route(config: dict[str, Any], settings: Settings) -> type | None:
    """Return the class whose callbacks place the orders; None for plain freqtrade."""
    if not settings.chase.enabled:
        return None
    if config.get("runmode") in TRADES:
        return LiveOrders
    tested = config.get("runmode") in TESTED and settings.chase.backtest
    return BacktestOrders if tested else None


def _refuse_unusable(config: dict[str, Any], chase: ChasePolicies) -> None:
    """Stop with every finding that fails; log the others."""
    findings = check_configuration(config, with_credentials=False, chase=chase)
    for finding in findings:
        if finding.level == "warn":
            logger.warning("%s", finding)
    failures = [str(finding) for finding in findings if finding.level == "fail"]
    if failures:
        raise OperationalException("Hydra cannot start:\n  " + "\n  ".join(failures))
