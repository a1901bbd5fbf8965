"""Gates of stage A: each maps columns to ``(allowed, code)``, one row per base bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import close_time, taken
from hydra_ft.bars.quality import event_age, is_synthetic, lags, last_rows
from hydra_ft.bars.tolerance import exceeds, falls_below
from hydra_ft.decisions.reasons import INDEX
from hydra_ft.decisions.rules import FUNDING_CLOCK, VOLATILITY
from hydra_ft.features.registry import column_key
from hydra_ft.types import BoolArray, CodeArray, Feed, FloatArray, IntArray, Regime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hydra_ft.decisions.evaluation import Evaluation, Frame
    from hydra_ft.decisions.rules import ClockRules, VetoRules
    from hydra_ft.features.registry import Feature
    from hydra_ft.types import Bars

HOUR_MS = 3_600_000
FUNDING_GRACE_MS = 15 * 60_000
OPEN_INTEREST_PERIODS = 2


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate says about each bar, shape (n,): it stops with one code where not allowed.

    ``failed`` indexes ``reasons.CODES``.
    """

    allowed: BoolArray
    failed: int

    @property
    def code(self) -> CodeArray:
        """Code of each bar, shape (n,): 0 (ok) where it is allowed."""
        return np.where(self.allowed, 0, self.failed).astype(np.int16)


def gate(allowed: BoolArray, code: str) -> Gate:
    """Gate with one registered code; raises KeyError for an unknown one."""
    return Gate(allowed, INDEX[code])


def candles_fresh(state: Evaluation) -> Gate:
    """The base bar and the newest coarser ones hold real trades, and none is behind."""
    fresh = ~is_synthetic(state.base)
    for timeframe, frame in state.frames.items():
        if timeframe == state.rules.fine:  # Ten seconds without a trade are nothing unusual.
            continue
        closed = close_time(frame.bars)
        fresh &= taken(is_synthetic(frame.bars).astype(np.float64), frame.rows) != 1.0
        fresh &= ~lags(closed, frame.rows, frame.bars.step_ms, state.close)
    return gate(fresh, f"data_stale:{Feed.CANDLES}")


def _comes_from(state: Evaluation, timeframe: str, feature: Feature) -> tuple[Feed, ...]:
    """Feeds of a column: on the fine timeframe the candles themselves are made of trades."""
    if timeframe != state.rules.fine:
        return feature.feeds
    return tuple(Feed.TRADES if feed is Feed.CANDLES else feed for feed in feature.feeds)


def _feature_lost(state: Evaluation, feed: Feed) -> BoolArray:
    """Bars where a feature of the feed that entries need is NaN although its lookback is full."""
    lost = np.zeros(len(state.base), dtype=np.bool_)
    for timeframe, frame in state.frames.items():
        for feature in frame.features:
            if feed in _comes_from(state, timeframe, feature):
                column = state.features[column_key(feature.name, timeframe)]
                lost |= np.isnan(column) & (frame.rows >= feature.lookback)
    return lost


def _market_frame(state: Evaluation) -> Frame:
    return state.frames[state.rules.market]


def _event_ages(state: Evaluation, values: FloatArray, times: IntArray) -> FloatArray:
    """Age (ms) at each base bar of the last value seen by then; ``times`` are the values'."""
    seen = taken(last_rows(np.isfinite(values)).astype(np.float64), _market_frame(state).rows)
    rows = np.where(np.isnan(seen), -1, seen).astype(np.int64)
    return event_age(state.close, rows, times)


def funding_fresh(state: Evaluation) -> Gate:
    """The last rate is no older than its own interval, one bar and 15 minutes."""
    code = f"data_stale:{Feed.FUNDING}"
    bars = _market_frame(state).bars
    if bars.funding_rate is None:
        return gate(np.zeros(len(state.base), dtype=np.bool_), code)
    age = _event_ages(state, bars.funding_rate, bars.time)
    interval = state.features[column_key(FUNDING_CLOCK, state.rules.market)] * HOUR_MS
    late = age > interval + bars.step_ms + FUNDING_GRACE_MS
    return gate(~late & ~_feature_lost(state, Feed.FUNDING), code)


def open_interest_fresh(state: Evaluation) -> Gate:
    """The last open interest is no older than two bars of the market timeframe."""
    code = f"data_stale:{Feed.OPEN_INTEREST}"
    bars = _market_frame(state).bars
    if bars.open_interest is None:
        return gate(np.zeros(len(state.base), dtype=np.bool_), code)
    age = _event_ages(state, bars.open_interest, close_time(bars))
    fresh = age <= OPEN_INTEREST_PERIODS * bars.step_ms
    return gate(fresh & ~_feature_lost(state, Feed.OPEN_INTEREST), code)


def liquidations_fresh(state: Evaluation) -> Gate:
    """The recorder covered the base bar; a bar without liquidations is 0, not unknown."""
    code = f"data_stale:{Feed.LIQUIDATIONS}"
    bars = state.base
    if bars.long_liquidated is None or bars.short_liquidated is None:
        return gate(np.zeros(len(bars), dtype=np.bool_), code)
    covered = np.isfinite(bars.long_liquidated + bars.short_liquidated)
    return gate(covered & ~_feature_lost(state, Feed.LIQUIDATIONS), code)


def trades_fresh(state: Evaluation) -> Gate:
    """Every trade of the base bar is known, of the newest coarser bars, and of the fine ones.

    Looked at are the base bars and the frames from which entries read flow. A hole further
    back blocks for as long as a feature that entries need has no value because of it; on the
    fine bars, whose prices look the same with a hole, while it is within a lookback.
    """
    whole = _whole(state, state.base, np.arange(len(state.base), dtype=np.int64))
    for timeframe, frame in state.frames.items():
        fine = timeframe == state.rules.fine
        if fine or any(Feed.TRADES in feature.feeds for feature in frame.features):
            longest = max((feature.lookback for feature in frame.features), default=0)
            whole &= _whole(state, frame.bars, frame.rows, longest if fine else 0)
            whole &= ~lags(close_time(frame.bars), frame.rows, frame.bars.step_ms, state.close)
    return gate(whole & ~_feature_lost(state, Feed.TRADES), f"data_stale:{Feed.TRADES}")


def _whole(state: Evaluation, bars: Bars, rows: IntArray, lookback: int = 0) -> BoolArray:
    """Base bars whose row in ``bars``, and as many before it, lack no trade, shape (n,).

    True where the bars have not begun: that is warm-up.
    """
    if bars.flow is None:
        return np.zeros(len(state.base), dtype=np.bool_)
    torn = ~((bars.flow.covered == 1) & (bars.flow.missing == 0))
    last = taken(last_rows(torn).astype(np.float64), rows)
    found: BoolArray = (rows < 0) | (last < 0) | (last < rows - lookback)
    return found


def book_fresh(state: Evaluation) -> Gate:
    """The book was sampled over the whole of the base bar."""
    code = f"data_stale:{Feed.BOOK}"
    bars = state.base
    if bars.book is None:
        return gate(np.zeros(len(bars), dtype=np.bool_), code)
    return gate((bars.book.covered == 1) & ~_feature_lost(state, Feed.BOOK), code)


def warm(state: Evaluation) -> Gate:
    """Every feature has its full lookback, and regime and trend are known.

    A NaN fails closed, whatever its cause (1-05, 1-06).
    """
    known = np.ones(len(state.base), dtype=np.bool_)
    for timeframe, frame in state.frames.items():
        for feature in frame.features:
            if _comes_from(state, timeframe, feature) == (Feed.CANDLES,):
                known &= np.isfinite(state.features[column_key(feature.name, timeframe)])
        longest = max((feature.lookback for feature in frame.features), default=0)
        known &= frame.rows >= longest
    market = state.market
    known &= np.isfinite(market.regime_confidence) & np.isfinite(market.trend)
    return gate(known, "warmup")


def outside_settlement(close: IntArray, interval_ms: IntArray, rules: ClockRules) -> BoolArray:
    """Whether each close is outside the margin around the settlements, shape (n,).

    Settlements are the multiples of the interval since midnight UTC. The margin is closed
    before and open after: at 300 s 07:55:00 is inside and 08:05:00 is outside (X42).
    """
    margin = rules.margin_s * 1000
    phase = close % interval_ms
    return (phase >= margin) & (phase < interval_ms - margin)


def clock(state: Evaluation) -> Gate:
    """No entry around the pair's own settlements, whose interval is read from its records."""
    rules = state.rules.clock
    usual = rules.usual_interval_h * HOUR_MS
    hours = state.features.get(column_key(FUNDING_CLOCK, state.rules.market))
    if hours is None:
        interval = np.full(len(state.base), usual, dtype=np.int64)
    else:
        # A missing record doubles the interval; settlements are never further apart.
        found = np.where(np.isfinite(hours) & (hours >= 1), hours * HOUR_MS, usual)
        interval = np.minimum(found, usual).astype(np.int64)
    return gate(outside_settlement(state.close, interval, rules), "funding_window")


def regime_trades(state: Evaluation) -> Gate:
    """The regime is known and not CHOPPY."""
    return gate(state.market.regime != int(Regime.CHOPPY), "regime_choppy")


def volatility_calm(state: Evaluation) -> Gate:
    """The volatility ratio is not above the limit."""
    ratio = state.features[column_key(VOLATILITY, state.rules.market)]
    return gate(~exceeds(ratio, state.rules.vetoes.max_vol_expansion), "veto_vol")


def confident(confidence: FloatArray, rules: VetoRules) -> Gate:
    """The confidence of the best signal suffices; bars without one (NaN) pass."""
    return gate(~falls_below(confidence, rules.min_confidence), "veto_conf")


def reward_to_risk(stop: FloatArray, target: FloatArray, rules: VetoRules) -> FloatArray:
    """(target - cost) / (stop + cost) with the cost of a round trip, elementwise."""
    return (target - rules.round_trip_cost) / (stop + rules.round_trip_cost)


def worthwhile(stop: FloatArray, target: FloatArray, rules: VetoRules) -> Gate:
    """Reward to risk after costs suffices; bars without a signal (NaN) pass."""
    ratio = reward_to_risk(stop, target, rules)
    return gate(~falls_below(ratio, rules.min_reward_to_risk), "veto_rr")


def data_gates(state: Evaluation) -> list[Gate]:
    """Step 1: every listed feed is fresh, and everything is warm."""
    return [*(FRESH[feed](state) for feed in state.feeds), warm(state)]


FRESH: Mapping[Feed, Callable[[Evaluation], Gate]] = {
    Feed.CANDLES: candles_fresh,
    Feed.FUNDING: funding_fresh,
    Feed.OPEN_INTEREST: open_interest_fresh,
    Feed.TRADES: trades_fresh,
    Feed.BOOK: book_fresh,
    Feed.LIQUIDATIONS: liquidations_fresh,
}
"""The gate of each feed."""
