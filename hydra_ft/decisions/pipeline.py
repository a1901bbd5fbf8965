"""Stage A: whether a head may trade at the close of each bar, and if not, why not.

Pure and vectorised: the same line runs live and in backtests and gives the same codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.decisions import gates, select
from hydra_ft.decisions.evaluation import Evaluation, Memory, Observation, evaluate, observe
from hydra_ft.decisions.exits import exit_tags
from hydra_ft.decisions.reasons import CODES, INDEX, OK
from hydra_ft.decisions.rules import VOLATILITY, HeadRules, needed_features, startup_candles
from hydra_ft.features.registry import column_key
from hydra_ft.market.bias import NEEDS, flow_part
from hydra_ft.market.scores import FLIPS
from hydra_ft.types import Bias, CodeArray, Context, Feed, Regime, Side, Signal, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hydra_ft.decisions.gates import Gate
    from hydra_ft.decisions.select import Choice, Survivors
    from hydra_ft.types import Bars, BoolArray, FloatArray, IntArray

__all__ = [
    "Decisions",
    "HeadRules",
    "decide",
    "judge",
    "needed_features",
    "startup_candles",
]


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided at the close of each base bar; arrays of shape (n,).

    ``code`` indexes ``reasons.CODES`` (0, ok: enter), ``failing`` is (n, len(CODES)) and
    marks every step that failed. ``signal`` indexes the head's signals, -1 without entry;
    ``side`` is -1, 0 or +1; ``confidence``, ``stop`` and ``target`` are NaN and
    ``max_hold_s`` 0 without entry. ``candidate`` is the best signal of each bar whether it
    enters or not: what passes the bias, else what it blocks. ``columns`` are the very columns
    that were gated on, ``numbers`` what the gates compare, for the ledger. ``light`` tells
    that a feed the head can use is not listed, ``errors`` maps a signal that could not be
    computed to what went wrong.
    """

    rules: HeadRules
    time: IntArray
    side: IntArray
    signal: IntArray
    code: CodeArray
    failing: BoolArray
    confidence: FloatArray
    stop: FloatArray
    target: FloatArray
    max_hold_s: IntArray
    regime: IntArray
    regime_confidence: FloatArray
    bias: IntArray
    bias_score: FloatArray
    bias_strength: FloatArray
    trend: FloatArray
    entry_state: IntArray
    exit_long_tag: CodeArray
    exit_short_tag: CodeArray
    candidate: Choice
    light: bool
    errors: Mapping[str, str]
    columns: Mapping[str, FloatArray]
    numbers: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return int(self.time.shape[0])

    @property
    def exit_long(self) -> BoolArray:
        """Bars that ask to close a long."""
        return self.exit_long_tag > 0

    @property
    def exit_short(self) -> BoolArray:
        """Bars that ask to close a short."""
        return self.exit_short_tag > 0

    def verdict(self, row: int) -> Verdict:
        """The row as a Verdict: first failing code and all of them, in order."""
        code = CODES[int(self.code[row])]
        failing = tuple(CODES[i] for i in np.flatnonzero(self.failing[row]))
        return Verdict(code == OK, code, failing)

    def context(self, row: int) -> Context:
        """State of the market at the row; NaN in what was not known."""
        return Context(
            regime=Regime(int(self.regime[row])),
            regime_confidence=float(self.regime_confidence[row]),
            bias=Bias(int(self.bias[row])),
            bias_strength=float(self.bias_strength[row]),
            trend=float(self.trend[row]),
        )

    def entry(self, row: int) -> Signal | None:
        """The entry that was decided at the row, None where there is none."""
        if self.signal[row] < 0:
            return None
        return Signal(
            name=self.rules.signals[int(self.signal[row])].name,
            side=Side.LONG if self.side[row] > 0 else Side.SHORT,
            strength=float(self.confidence[row]),
            stop=float(self.stop[row]),
            target=float(self.target[row]),
            max_hold_s=int(self.max_hold_s[row]),
        )

    def counts(self) -> dict[str, int]:
        """Number of bars per first code; their sum is the number of bars."""
        numbers = np.bincount(self.code, minlength=len(CODES))
        return {CODES[i]: int(numbers[i]) for i in np.flatnonzero(numbers)}


def decide(frames: Mapping[str, Bars], rules: HeadRules, feeds: Collection[Feed]) -> Decisions:
    """Run stage A over all closed bars of the base frame.

    ``frames`` maps timeframe to bars; one that is missing or short blocks (``warmup``), a
    listed feed that is stale or not carried blocks (``data_stale:<feed>``). Never raises
    on well-formed bars, however few. Windows are counted in rows, so a hole must be filled
    with synthetic bars, as freqtrade does; on those nothing is decided.
    """
    return judge(observe(frames, rules, feeds), rules)


def judge(seen: Observation, rules: HeadRules, memory: Memory | None = None) -> Decisions:
    """Decide on columns that are computed already; ``rules`` may differ in thresholds only.

    Hyperopt asks this once an epoch: the columns do not depend on any threshold.
    """
    state = evaluate(seen, rules, memory)
    with np.errstate(invalid="ignore", divide="ignore"):
        picked = _choose(state)
        numbers = numbers_of(state, rules, state.scores, state.market.bias_score, picked.candidate)
    failing = _failing(picked.checks, len(state.base))
    stops = failing & ~_survived(picked)
    enters = ~stops.any(axis=1)
    code = np.where(enters, 0, stops.argmax(axis=1)).astype(np.int16)
    return _decisions(state, picked, code, failing, numbers)


@dataclass(frozen=True, slots=True)
class _Picked:
    """Steps 1 to 8: the winner of each bar, the best before the bias, what every gate says."""

    choice: Choice
    candidate: Choice
    survivors: Survivors
    entry_state: IntArray
    exits: Mapping[Side, CodeArray]
    checks: list[Gate]
    errors: dict[str, str]


def _choose(state: Evaluation) -> _Picked:
    exits = {side: exit_tags(state, side) for side in Side}
    checks = [*gates.data_gates(state), gates.clock(state), gates.regime_trades(state)]
    entry_state = select.entry_state(state)
    detected = select.candidates(state, entry_state)
    found = detected.found
    fired: BoolArray = np.any(found.fires, axis=0)
    passes, biased = select.unbiased(state, found)
    choice, outranked = select.ranked(state, found, passes)
    blocked, _ = select.ranked(state, found, found.fires)
    vetoes = state.rules.vetoes
    checks += [
        *detected.gates,
        gates.gate(fired, "no_signal"),
        biased,
        outranked,
        gates.volatility_calm(state),
        gates.confident(choice.confidence, vetoes),
        gates.worthwhile(choice.stop, choice.target, vetoes),
        select.unopposed(choice, exits),
    ]
    candidate = select.first_of(choice, blocked)
    left, errors = detected.survivors, detected.errors
    return _Picked(choice, candidate, left, entry_state, exits, checks, errors)


def numbers_of(
    seen: Observation,
    rules: HeadRules,
    scores: Mapping[str, FloatArray],
    bias_score: FloatArray,
    candidate: Choice,
) -> dict[str, FloatArray]:
    """What the gates compared with a threshold, by the name that the ledger gives it."""
    market, columns = rules.market, seen.columns
    numbers = {f"{name}_score": values for name, values in scores.items()}
    numbers["bias_score"] = bias_score
    numbers["vol_expansion"] = columns[column_key(VOLATILITY, market)]
    average = columns[column_key("ema_20", market)]
    numbers["ema_distance"] = columns[column_key("close", rules.base)] / average - 1
    numbers["reward_to_risk"] = gates.reward_to_risk(candidate.stop, candidate.target, rules.vetoes)
    for name in ("funding_z_168", "open_interest_change_24"):
        key = column_key(name, market)
        if key in columns:
            numbers[name.rpartition("_")[0]] = columns[key]
    return numbers | _flow_numbers(seen, market)


def _flow_numbers(seen: Observation, market: str) -> dict[str, FloatArray]:
    """How whole the trades of each bar are, how often takers turned, what they do to the bias."""
    flow, columns = seen.base.flow, seen.columns
    if Feed.TRADES not in seen.feeds:
        return {}
    numbers = {"flips": columns[column_key(FLIPS, market)]}
    sides = (columns[column_key(name, market)] for name in NEEDS[Feed.TRADES])
    numbers["flow_part"] = flow_part(*sides)
    if flow is not None:
        numbers |= {"trades_covered": flow.covered, "trades_missing": flow.missing}
    return numbers


def _failing(checks: list[Gate], n: int) -> BoolArray:
    failing = np.zeros((n, len(CODES)), dtype=np.bool_)
    for check in checks:
        failing[:, check.failed] |= ~check.allowed
    return failing


_REMOVING = ("regime_not_allowed:", "extended", "signal_error:", "bias_gate", "outranked")
"""Steps that remove single candidates: one stops a bar only if it leaves none."""
_COLUMNS = {
    prefix: [i for i, code in enumerate(CODES) if code.startswith(prefix)] for prefix in _REMOVING
}


def _survived(picked: _Picked) -> BoolArray:
    """Failing steps that did not stop their bar, because a candidate was left, (n, codes)."""
    left, chosen = picked.survivors, picked.choice.signal >= 0
    by_step = (left.permitted, left.unextended, left.computed, chosen, chosen)
    survived = np.zeros((chosen.shape[0], len(CODES)), dtype=np.bool_)
    for prefix, some in zip(_REMOVING, by_step, strict=True):
        survived[:, _COLUMNS[prefix]] = some[:, None]
    return survived


def _decisions(
    state: Evaluation,
    picked: _Picked,
    code: CodeArray,
    failing: BoolArray,
    numbers: Mapping[str, FloatArray],
) -> Decisions:
    enters, choice = code == INDEX[OK], picked.choice
    holds = np.array([made.max_hold_s for made in state.rules.signals] + [0], dtype=np.int64)
    signal = np.where(enters, choice.signal, -1)
    market = state.market
    return Decisions(
        rules=state.rules,
        time=state.base.time,
        side=np.where(enters, choice.side, 0),
        signal=signal,
        code=code,
        failing=failing,
        confidence=np.where(enters, choice.confidence, np.nan),
        stop=np.where(enters, choice.stop, np.nan),
        target=np.where(enters, choice.target, np.nan),
        max_hold_s=holds[signal],
        regime=market.regime,
        regime_confidence=market.regime_confidence,
        bias=market.bias,
        bias_score=market.bias_score,
        bias_strength=market.bias_strength,
        trend=market.trend,
        entry_state=picked.entry_state,
        exit_long_tag=picked.exits[Side.LONG],
        exit_short_tag=picked.exits[Side.SHORT],
        candidate=picked.candidate,
        light=any(feed not in state.feeds for feed in state.rules.feeds),
        errors=picked.errors,
        columns=state.features,
        numbers=numbers,
    )
