"""Decisions in plain words: a code, its number and the threshold in force as a sentence.

Pure text for people who ask why a bot did nothing. A number or a threshold that is not known
is left out; a code of another version is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hydra_ft.decisions.flow_wording import lacking, takers
from hydra_ft.decisions.reasons import FILLED, REASONS
from hydra_ft.market.bias import describe
from hydra_ft.types import Bias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PENDING = ""
"""Outcome of a bar that nobody has asked about."""

_FORBIDDEN = "regime_not_allowed:"

ENTRY_STATES = {
    "PULLBACK_READY": "the price has pulled back to its average",
    "EXTENDED": "the price has run away from its average",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known of a bar: its numbers by name, the thresholds in force by their path.

    ``numbers`` holds what the gates looked at and, where there is a candidate, its
    ``confidence``, ``stop`` and ``target`` (fractions of the entry price); ``regime``,
    ``bias`` and ``entry_state`` are names, ``side`` is long, short or "".
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    rules: Mapping[str, float] = field(default_factory=dict)
    regime: str = ""
    bias: str = ""
    side: str = ""
    signal: str = ""
    entry_state: str = ""
    light: bool = False


def sentence(code: str, facts: Facts) -> str:
    """Say what a code claims, with its number and the threshold where they are known."""
    if code == FILLED:
        return "the entry was filled"
    if code == PENDING:
        return "freqtrade has not asked for the entry"
    name, _, subject = code.partition(":")
    worded = _WORDED.get(name)
    told = worded(facts, subject) if worded else ""
    if told:
        return told
    return REASONS[code].text if code in REASONS else f"{code} (not a code of this version)"


def market(facts: Facts) -> str:
    """Say how the market stood: regime, trend, bias with the funding crowd, entry state."""
    known = facts.numbers
    regime = {"UP": "going up", "DOWN": "going down"}.get(facts.regime, facts.regime.lower())
    parts = [f"the market is {regime}{_in_brackets('confidence', known.get('regime_confidence'))}"]
    if "trend" in known:
        parts.append(f"trend {known['trend']:+.2f}")
    parts.append(_bias(facts))
    parts.extend(takers(facts.numbers))
    if facts.entry_state in ENTRY_STATES:
        parts.append(ENTRY_STATES[facts.entry_state])
    if facts.light:
        parts.append("light mode, since a feed is not listed")
    return "; ".join(parts)


def candidate(facts: Facts) -> str:
    """Say which signal was the best and what it proposed; "" where none was."""
    if not facts.signal:
        return ""
    known = facts.numbers
    parts = [f"{facts.signal} {facts.side}".strip()]
    if "confidence" in known:
        parts.append(f"confidence {known['confidence']:.2f}")
    parts += [f"{name} {_percent(known[name])}" for name in ("stop", "target") if name in known]
    if "reward_to_risk" in known:
        parts.append(f"reward to risk {known['reward_to_risk']:.2f} after costs")
    return ", ".join(parts)


def first(codes: Sequence[str], facts: Facts) -> str:
    """Sentence for the first of the codes; signals that a regime forbids are named together."""
    forbidden = dict.fromkeys(code for code in codes if code.startswith(_FORBIDDEN))
    if codes and codes[0].startswith(_FORBIDDEN):
        return listed(forbidden, facts)[0]
    return sentence(codes[0], facts) if codes else ""


def listed(codes: Iterable[str], facts: Facts) -> list[str]:
    """Sentences for codes; what signals are not permitted in a regime is said in one."""
    told: list[str] = []
    forbidden: list[str] = []
    for code in codes:
        if code.startswith(_FORBIDDEN):
            forbidden.append(code.removeprefix(_FORBIDDEN))
        else:
            told.append(sentence(code, facts))
    if forbidden:
        told.append(_not_allowed(facts, ", ".join(forbidden)))
    return told


def _bias(facts: Facts) -> str:
    known = facts.numbers
    bias = facts.bias or Bias.NEUTRAL.name
    told = None if bias == Bias.NEUTRAL.name else known.get("bias_strength")
    strength = _in_brackets("strength", told)
    if bias in Bias.__members__ and "funding_z" in known:
        head, _, tail = describe(Bias[bias], known["funding_z"]).partition("; ")
        return f"{head}{strength}; {tail}"
    return f"bias {bias.lower()}{strength}"


def _in_brackets(name: str, value: float | None) -> str:
    return "" if value is None else f" ({name} {value:.2f})"


def _percent(fraction: float) -> str:
    return f"{round(100 * fraction, 2):g} %"


def _time(seconds: float) -> str:
    """A length of time in the largest unit that it is whole in."""
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{seconds:g} seconds"


def _choppy(facts: Facts, _: str) -> str:
    """CHOPPY is what has too much chop, and what is neither a trend nor a range."""
    known, rules = facts.numbers, facts.rules
    chop, most = known.get("chop_score"), rules.get("regime.chop_above")
    if chop is None:
        return ""
    if most is not None and chop > most:
        return f"the market is choppy: chop score {chop:.2f}, nothing trades above {most:.2f}"
    scores = [
        (name, known.get(f"{name}_score"), rules.get(f"regime.{name}_above"))
        for name in ("trend", "range")
    ]
    lacking = [
        f"{name} score {score:.2f} (needs more than {least:.2f})"
        for name, score, least in scores
        if score is not None and least is not None and score <= least
    ]
    if len(lacking) == len(scores):
        return f"the market is neither a trend nor a range: {', '.join(lacking)}"
    if most is None or any(None in known_score for known_score in scores):
        return f"the market is choppy: chop score {chop:.2f}"
    return f"the market is choppy still: a change of regime takes {_confirmations(rules)}"


def _confirmations(rules: Mapping[str, float]) -> str:
    bars = rules.get("regime.confirm_bars")
    return "several bars in a row" if bars is None else f"{bars:g} bars in a row"


def _not_allowed(facts: Facts, name: str) -> str:
    if not facts.regime:
        return f"the regime does not permit {name}"
    return f"not traded in regime {facts.regime}: {name}"


def _extended(facts: Facts, _: str) -> str:
    distance, most = facts.numbers.get("ema_distance"), facts.rules.get("vetoes.extended_above")
    if distance is None:
        return ""
    limit = "" if most is None else f", {_percent(most)} is the most"
    return (
        f"the price is {_percent(abs(distance))} away from its 1h average{limit}: "
        "no trend following"
    )


def _settlement(facts: Facts, _: str) -> str:
    margin = facts.rules.get("clock.margin_s")
    return (
        "" if margin is None else f"funding is settled within {_time(margin)} of this bar's close"
    )


def _against(facts: Facts, _: str) -> str:
    strength, least = facts.numbers.get("bias_strength"), facts.rules.get("bias.block_from")
    if strength is None:
        return ""
    blocked = {"LONG": "shorts", "SHORT": "longs"}.get(facts.bias, "the other side")
    limit = "" if least is None else f", and from {least:.2f} it blocks {blocked}"
    return (
        f"the higher timeframe's bias is {facts.bias.lower()} with strength {strength:.2f}{limit}"
    )


Words = Callable[[Facts, str], str]


def _limit(text: str, number: str, threshold: str, bound: str) -> Words:
    """A claim about one number that passed a threshold."""

    def words(facts: Facts, _: str) -> str:
        value, limit = facts.numbers.get(number), facts.rules.get(threshold)
        if value is None:
            return ""
        told = "" if limit is None else f", {bound.format(f'{limit:.2f}')}"
        return f"{text}: {value:.2f}{told}"

    return words


def _threshold(text: str, threshold: str) -> Words:
    """A claim that names the threshold in force; ``{}`` in its text."""

    def words(facts: Facts, _: str) -> str:
        limit = facts.rules.get(threshold)
        return "" if limit is None else text.format(f"{limit:g}")

    return words


def _losses(facts: Facts, _: str) -> str:
    count = facts.rules.get("admission.max_losses")
    pause = facts.rules.get("admission.loss_pause_s")
    if count is None or pause is None:
        return ""
    return f"trading pauses for {_time(pause)} after {count:g} losses in a row"


_WORDED: Mapping[str, Words] = {
    "data_stale": lambda facts, feed: lacking(feed, facts.numbers),
    "regime_choppy": _choppy,
    "regime_not_allowed": _not_allowed,
    "extended": _extended,
    "funding_window": _settlement,
    "bias_gate": _against,
    "veto_vol": _limit(
        "volatility is expanding too fast",
        "vol_expansion",
        "vetoes.max_vol_expansion",
        "nothing is entered above {}",
    ),
    "veto_conf": _limit(
        "the best signal is not confident enough",
        "confidence",
        "vetoes.min_confidence",
        "at least {} is needed",
    ),
    "veto_rr": _limit(
        "reward to risk after costs is too small",
        "reward_to_risk",
        "vetoes.min_reward_to_risk",
        "at least {} is needed",
    ),
    "veto_daily": _threshold("the day's {} trades are reached", "admission.max_day_trades"),
    "veto_side": _threshold(
        "there are {} open positions on this side already", "admission.max_same_side"
    ),
    "veto_losses": _losses,
}
