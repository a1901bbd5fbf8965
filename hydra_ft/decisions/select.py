"""Which signal wins a bar: permissions, detection, bias, rank (steps 3 to 7)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import TOLERANCE
from hydra_ft.decisions.gates import Gate, gate, reward_to_risk
from hydra_ft.decisions.rules import active_signals
from hydra_ft.features.registry import column_key
from hydra_ft.market.bias import bias_allows
from hydra_ft.signals import conditions
from hydra_ft.types import BoolArray, CodeArray, EntryState, FloatArray, IntArray, Regime, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.decisions.evaluation import Evaluation
    from hydra_ft.signals.registry import SignalColumns, SignalDeclaration

SIDES = (Side.LONG, Side.SHORT)
DETECTOR_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a detector may die of without taking the other signals with it."""

Row = tuple[int, int, BoolArray, FloatArray, FloatArray, FloatArray]
"""One signal and side: number, sign, fires, confidence, stop, target."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every signal and side as a row of (2 k, n) arrays, k signals, longs before shorts.

    ``number`` is the signal's index in the head's signals, ``sign`` +1 or -1, both (2 k,).
    """

    number: IntArray
    sign: IntArray
    fires: BoolArray
    confidence: FloatArray
    stop: FloatArray
    target: FloatArray


@dataclass(frozen=True, slots=True)
class Choice:
    """The winner of each bar, shape (n,): -1, 0 and NaN where there is none."""

    signal: IntArray
    side: IntArray
    confidence: FloatArray
    stop: FloatArray
    target: FloatArray


def permitted(state: Evaluation, made: SignalDeclaration) -> BoolArray:
    """Bars whose regime permits the signal (T3)."""
    permits = np.zeros(len(Regime), dtype=np.bool_)
    permits[[int(regime) for regime in made.regimes]] = True
    return permits[state.market.regime]


def entry_state(state: Evaluation) -> IntArray:
    """Where the price stands to its average at each bar, as values of ``EntryState`` (X41).

    EXTENDED beyond ``extended_above``: too far gone for trend following. PULLBACK_READY
    within half an ATR, 0.3 % to 0.8 %. WAITING between them, and where it is not known.
    """
    rules, columns = state.rules, state.columns
    price = columns[column_key("close", rules.base)]
    average = columns[column_key("ema_20", rules.market)]
    band = conditions.pullback_band(columns[column_key("natr_14", rules.market)])
    cases = [
        conditions.extended(price, average, rules.vetoes.extended_above),
        conditions.stands_within(price, average, band),
    ]
    states = [int(EntryState.EXTENDED), int(EntryState.PULLBACK_READY)]
    return np.select(cases, states, int(EntryState.WAITING)).astype(np.int64)


def detect(state: Evaluation, made: SignalDeclaration) -> SignalColumns | str:
    """Run a detector; what went wrong when it failed, which disables it and nothing else."""
    shape = (len(state.base),)
    try:
        found = made(state.columns, state.market)
        numbers = (*found.confidence, *found.stop, *found.target)
        if any(np.shape(values) != shape for values in (found.long, found.short, *numbers)):
            return f"expected arrays of shape {shape}"
        if found.long.dtype != np.bool_ or found.short.dtype != np.bool_:
            return "expected long and short to be boolean arrays"
    except DETECTOR_ERRORS as error:
        return f"{type(error).__name__}: {error}"
    return found


@dataclass(slots=True)
class Survivors:
    """How far any signal got at each bar, shape (n,): a step that some survive stops no bar.

    ``permitted`` by the regime, ``unextended`` as well, ``computed`` as well.
    """

    permitted: BoolArray
    unextended: BoolArray
    computed: BoolArray

    @classmethod
    def none(cls, n: int) -> Survivors:
        """Nothing looked at yet."""
        return cls(*(np.zeros(n, dtype=np.bool_) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Detection:
    """Steps 3 to 5: what fires where it may, what every gate says, what could not be computed."""

    found: Candidates
    survivors: Survivors
    gates: list[Gate]
    errors: dict[str, str]


def candidates(state: Evaluation, entry: IntArray) -> Detection:
    """Look at every signal where regime and entry state permit it.

    A signal that is permitted on none of the bars is not computed: none of them could enter.
    """
    n = len(state.base)
    extended = entry == int(EntryState.EXTENDED)
    choppy = state.market.regime == int(Regime.CHOPPY)
    rows: list[Row] = []
    gates: list[Gate] = []
    errors: dict[str, str] = {}
    left = Survivors.none(n)
    for made in active_signals(state.rules, state.feeds):
        allowed = permitted(state, made)
        gates.append(gate(allowed | choppy, f"regime_not_allowed:{made.name}"))
        left.permitted |= allowed
        if made.trend_following:
            gates.append(gate(~(allowed & extended), "extended"))
            allowed = allowed & ~extended
        left.unextended |= allowed
        if not allowed.any():
            continue
        found = detect(state, made)
        if isinstance(found, str):
            errors[made.name] = found
            gates.append(gate(np.zeros(n, dtype=np.bool_), f"signal_error:{made.name}"))
        else:
            left.computed |= allowed
            rows += _rows(found, state.rules.signals.index(made), allowed)
    return Detection(_stacked(rows, n), left, gates, errors)


def _rows(found: SignalColumns, number: int, allowed: BoolArray) -> list[Row]:
    """The signal's two sides; one fires only where all its numbers are known."""
    rows: list[Row] = []
    for i, fires in enumerate((found.long, found.short)):
        numbers = (found.confidence[i], found.stop[i], found.target[i])
        # Finite together only where each is: one test of the sum does for the three.
        usable: BoolArray = np.isfinite(numbers[0] + numbers[1] + numbers[2])
        rows.append((number, SIDES[i].sign, fires & allowed & usable, *numbers))
    return rows


def _stacked(rows: list[Row], n: int) -> Candidates:
    if not rows:
        none = np.zeros((0, n))
        nobody = np.zeros(0, dtype=np.int64)
        return Candidates(nobody, nobody, none.astype(np.bool_), none, none, none)
    number, sign, fires, confidence, stop, target = zip(*rows, strict=True)
    return Candidates(
        np.array(number),
        np.array(sign),
        np.array(fires),
        np.array(confidence),
        np.array(stop),
        np.array(target),
    )


def unbiased(state: Evaluation, found: Candidates) -> tuple[BoolArray, Gate]:
    """Candidates that the bias lets pass, shape (2 k, n), and the gate of step 6."""
    rules, market = state.rules.bias, state.market
    passes = found.fires.copy()
    for side in SIDES:
        allowed = bias_allows(
            market.bias, market.bias_strength, side, rules.block_from, hard=rules.hard
        )
        passes[found.sign == side.sign] &= allowed
    removed: BoolArray = np.any(found.fires & ~passes, axis=0)
    return passes, gate(~removed, "bias_gate")


def ranked(state: Evaluation, found: Candidates, passes: BoolArray) -> tuple[Choice, Gate]:
    """The most confident candidate; ties by reward to risk, then in the head's order."""
    n = len(state.base)
    if not passes.size:
        nothing = np.full(n, np.nan)
        nobody = np.full(n, -1, dtype=np.int64)
        none = Choice(nobody, np.zeros(n, dtype=np.int64), nothing, nothing, nothing)
        return none, gate(np.ones(n, dtype=np.bool_), "outranked")
    trust = np.where(passes, found.confidence, -np.inf)
    first = passes & (trust >= trust.max(axis=0) - TOLERANCE)
    reward = np.where(first, reward_to_risk(found.stop, found.target, state.rules.vetoes), -np.inf)
    winner = (first & (reward >= reward.max(axis=0) - TOLERANCE)).argmax(axis=0)
    some = passes.any(axis=0)
    bar = np.arange(n)
    choice = Choice(
        signal=np.where(some, found.number[winner], -1),
        side=np.where(some, found.sign[winner], 0),
        confidence=np.where(some, found.confidence[winner, bar], np.nan),
        stop=np.where(some, found.stop[winner, bar], np.nan),
        target=np.where(some, found.target[winner, bar], np.nan),
    )
    return choice, gate(passes.sum(axis=0) < 2, "outranked")


def unopposed(choice: Choice, exits: Mapping[Side, CodeArray]) -> Gate:
    """No bar enters that asks to leave the same side: freqtrade would do neither."""
    long, short = exits[Side.LONG] > 0, exits[Side.SHORT] > 0
    opposed = ((choice.side > 0) & long) | ((choice.side < 0) & short)
    return gate(~opposed, "veto_turn")


def first_of(choice: Choice, other: Choice) -> Choice:
    """``choice`` where it has a winner, ``other`` elsewhere."""
    some = choice.signal >= 0
    return Choice(
        *(
            np.where(some, getattr(choice, item.name), getattr(other, item.name))
            for item in fields(Choice)
        )
    )
