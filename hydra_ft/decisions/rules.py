"""What a head is: its timeframes, feeds, signals and thresholds, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.bars.candles import timeframe_ms
from hydra_ft.decisions.flow_exits import FlowExitRules, exit_features
from hydra_ft.errors import DataError, DeclarationError
from hydra_ft.features.registry import FEATURES, Feature, selected, split_key
from hydra_ft.market import bias, regime, trend
from hydra_ft.market.bias import BiasRules
from hydra_ft.market.regime import RegimeRules
from hydra_ft.signals.registry import SignalDeclaration  # noqa: TC001  (read by settings)
from hydra_ft.types import Feed

if TYPE_CHECKING:
    from collections.abc import Collection

PSEUDO = ("open", "high", "low", "close", "volume")
"""Raw columns that a signal may need like a feature, as ``close_5m``."""

FUNDING_CLOCK = "funding_interval_48"
VOLATILITY = "vol_expansion_20"
BROUGHT = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
"""Feeds that freqtrade brings; the others are recorded, and used where they are listed."""
_ALIGNMENT_BARS = 2


@dataclass(frozen=True, slots=True)
class VetoRules:
    """Last conditions on the best signal, and how far a price may have run."""

    max_vol_expansion: Annotated[
        float, Gt(0), Le(4), Doc("volatility ratio above which nothing is entered")
    ] = 3.0
    min_confidence: Annotated[float, Ge(0), Le(1), Doc("least confidence of the best signal")] = (
        0.50
    )
    min_reward_to_risk: Annotated[
        float, Ge(0), Le(10), Doc("least (target - cost) / (stop + cost)")
    ] = 1.5
    round_trip_cost: Annotated[
        float,
        Ge(0),
        Le(0.01),
        Doc("cost of entry and exit together, of the price: 2 bps maker, 5 taker, 1 slippage"),
    ] = 0.0008
    extended_above: Annotated[
        float, Gt(0), Le(0.2), Doc("distance from the 1h EMA20 that counts as extended")
    ] = 0.015


@dataclass(frozen=True, slots=True)
class ClockRules:
    """No entries around the settlement of funding."""

    margin_s: Annotated[
        int, Ge(0), Le(3600), Doc("time before and after a settlement without entries")
    ] = 300
    usual_interval_h: Annotated[
        int, Ge(1), Le(8), Doc("settlement interval where the funding feed is not listed")
    ] = 8


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """What stage B looks at: what stands and what has been traded when freqtrade asks."""

    max_day_trades: Annotated[
        int, Ge(1), Le(1000), Doc("entries a UTC day, all pairs of the bot together")
    ] = 4
    max_losses: Annotated[
        int, Ge(1), Le(100), Doc("losing trades in a row after which entries pause")
    ] = 3
    loss_pause_s: Annotated[
        int, Ge(0), Le(7 * 86_400), Doc("how long that pause lasts from the last loss on")
    ] = 4 * 3600
    max_same_side: Annotated[
        int, Ge(1), Le(1000), Doc("open positions on the same side, all pairs together")
    ] = 2


@dataclass(frozen=True, slots=True)
class HeadRules:
    """Declaration of a head; raises DeclarationError when it contradicts itself.

    ``feeds`` is what the head can use, and settings may narrow it. ``base`` is the
    timeframe that decides, ``market`` the one of regime, bias and trend, ``structure`` a
    higher one that signals may look at. ``fine`` is a timeframe below ``base`` ("" for
    none) whose bars are made of recorded trades: what is read there needs that feed.
    """

    name: str
    signals: tuple[SignalDeclaration, ...]
    feeds: tuple[Feed, ...] = (Feed.CANDLES, Feed.FUNDING, Feed.OPEN_INTEREST)
    base: str = "5m"
    market: str = "1h"
    structure: str = "4h"
    fine: str = ""
    regime: RegimeRules = field(default=RegimeRules())
    bias: BiasRules = field(default=BiasRules())
    vetoes: VetoRules = field(default=VetoRules())
    clock: ClockRules = field(default=ClockRules())
    admission: AdmissionRules = field(default=AdmissionRules())
    flow_exits: FlowExitRules = field(default=FlowExitRules())

    def __post_init__(self) -> None:
        """Check timeframes, feeds and every column that a signal names."""
        if Feed.CANDLES not in self.feeds:
            raise DeclarationError(f"head {self.name}: feeds must hold candles, was {self.feeds}")
        try:
            lengths = [timeframe_ms(t) for t in self.timeframes]
            fine = timeframe_ms(self.fine or self.base)
        except DataError as error:
            raise DeclarationError(f"head {self.name}: {error}") from error
        if any(length % lengths[0] for length in lengths) or lengths[0] % fine:
            raise DeclarationError(f"head {self.name}: {self.frames} do not nest")
        if self.fine and (fine == lengths[0] or Feed.TRADES not in self.feeds):
            expected = f"a timeframe below base ({self.base}), with trades among the feeds"
            raise DeclarationError(
                f"head {self.name}: fine must be {expected}, was {self.fine!r} with {self.feeds}"
            )
        if self.bias.exit_from < self.bias.block_from:
            raise DeclarationError(
                f"head {self.name}: bias.exit_from must not be below block_from "
                f"({self.bias.block_from}), was {self.bias.exit_from}: entries would carry exits"
            )
        if self.regime.confirm_bars >= self.regime.window_bars:
            raise DeclarationError(
                f"head {self.name}: regime.window_bars must exceed confirm_bars "
                f"({self.regime.confirm_bars}), was {self.regime.window_bars}"
            )
        for made in self.signals:
            self._check_signal(made)

    def _check_signal(self, made: SignalDeclaration) -> None:
        for key in (*made.needs, *made.uses):
            name, timeframe = split_key(key)
            if timeframe not in self.frames or (name not in FEATURES and name not in PSEUDO):
                expected = f"a feature on one of {self.frames}"
                raise DeclarationError(
                    f"head {self.name}, signal {made.name}: {key!r} is not {expected}"
                )
            if timeframe == self.fine and key in made.needs and Feed.TRADES not in made.feeds:
                raise DeclarationError(
                    f"head {self.name}, signal {made.name}: {key!r} is made of trades; "
                    f"its feeds must hold them, was {made.feeds}"
                )

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Timeframes of candles: base, market and structure, each once."""
        return tuple(dict.fromkeys((self.base, self.market, self.structure)))

    @property
    def frames(self) -> tuple[str, ...]:
        """Every timeframe that a column may come from: those of candles and the fine one."""
        return (*self.timeframes, self.fine) if self.fine else self.timeframes


def usual_feeds(rules: HeadRules) -> tuple[Feed, ...]:
    """Feeds of the head that freqtrade itself brings: what is used where none are listed."""
    return tuple(f for f in rules.feeds if f in BROUGHT)


def listed(rules: HeadRules, feeds: Collection[Feed]) -> tuple[Feed, ...]:
    """Feeds that the head can use and that are listed; candles always."""
    return tuple(f for f in rules.feeds if f in feeds or f is Feed.CANDLES)


def active_signals(rules: HeadRules, feeds: Collection[Feed]) -> tuple[SignalDeclaration, ...]:
    """Signals of the head whose feeds are all listed, and none of those that replace them."""
    available = set(listed(rules, feeds))
    return tuple(
        s for s in rules.signals if available.issuperset(s.feeds) and available.isdisjoint(s.unless)
    )


def _market_names(feeds: tuple[Feed, ...]) -> list[str]:
    names = [VOLATILITY, "ema_20", "natr_14", *regime.needs(feeds), *trend.NEEDS]
    names.extend(bias.bias_features(feeds))
    if Feed.FUNDING in feeds:
        names.append(FUNDING_CLOCK)
    return names


def needed_features(rules: HeadRules, feeds: Collection[Feed]) -> dict[str, tuple[Feature, ...]]:
    """Features that the head computes on each of its timeframes, sorted by name.

    A feature whose feed is not listed is not among them, nor the fine timeframe without
    trades.
    """
    return _needed_features(rules, listed(rules, feeds))


@lru_cache(maxsize=32)
def _needed_features(
    rules: HeadRules, available: tuple[Feed, ...]
) -> dict[str, tuple[Feature, ...]]:
    found = dict(_entry_features(rules, available))
    if Feed.TRADES in available:
        names = {feature.name for feature in found[rules.base]}
        found[rules.base] = selected({*names, *exit_features(rules.flow_exits)})
    return found


def entry_features(rules: HeadRules, feeds: Collection[Feed]) -> dict[str, tuple[Feature, ...]]:
    """Those of the needed features that entries depend on: gates look at no others."""
    return _entry_features(rules, listed(rules, feeds))


@lru_cache(maxsize=32)
def _entry_features(
    rules: HeadRules, available: tuple[Feed, ...]
) -> dict[str, tuple[Feature, ...]]:
    frames = rules.frames if Feed.TRADES in available else rules.timeframes
    names: dict[str, list[str]] = {timeframe: [] for timeframe in frames}
    names[rules.market].extend(_market_names(available))
    if Feed.LIQUIDATIONS in available:
        names[rules.base].append(bias.LIQUIDATION)
    for made in active_signals(rules, available):
        for key in (*made.needs, *made.uses):
            name, timeframe = split_key(key)
            if name not in PSEUDO and timeframe in names:
                names[timeframe].append(name)
    return {
        timeframe: tuple(f for f in selected(wanted) if set(f.feeds) <= set(available))
        for timeframe, wanted in names.items()
    }


def startup_candles(rules: HeadRules) -> int:
    """Closed bars of every timeframe that must precede the first decision.

    The largest lookback of any feature and of the fold of the regime, as many bars of its
    timeframe as the longest memory of a signal lasts, and two more: at the first base bar the
    coarse bar that contains it has not closed.
    """
    memory = max((made.memory_bars for made in active_signals(rules, rules.feeds)), default=0)
    # A turn of the regime is a difference to the market bar before.
    needed = {rules.market: regime.lookback(rules.regime) + 1}
    for timeframe, features in needed_features(rules, rules.feeds).items():
        candles = rules.base if timeframe == rules.fine else timeframe
        longest = max((feature.lookback for feature in features), default=0)
        bars = _bars(longest, timeframe, candles)
        needed[candles] = max(needed.get(candles, 0), bars)
    remembered = {timeframe: _bars(memory, rules.base, timeframe) for timeframe in needed}
    return max(bars + remembered[timeframe] for timeframe, bars in needed.items()) + _ALIGNMENT_BARS


def _bars(count: int, of: str, to: str) -> int:
    """So many bars of one timeframe in bars of another, rounded up."""
    return -(-count * timeframe_ms(of) // timeframe_ms(to))
