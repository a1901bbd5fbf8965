"""One row of the ledger: what was decided on a closed bar, or on equal neighbours of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OK = "ok"
"""The code of a bar on which every gate of stage A passes (``decisions/reasons.py``)."""

SHARED = ("pair", "code", "codes", "signal", "side", "regime", "bias", "entry_state", "light")
"""What neighbouring bars have in common when they share a row."""

_shared = attrgetter(*SHARED)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The decision on a closed bar of one pair, or on equal neighbours of it.

    ``at`` and ``until`` are the closes (UTC ms) of the first and the last of ``bars`` bars;
    the numbers are those of the first. ``code`` is the first failing step, ``codes`` all of
    them. ``side``, ``signal``, ``confidence``, ``stop`` and ``target`` (fractions of the
    entry price) are those of the best candidate, "" and None without one. ``numbers`` is
    what the gates looked at, by name, finite values only. ``outcome`` is what stage B made
    of a bar that may trade, ``outcomes`` everything that spoke against it; "" while nobody
    has asked. ``detail`` is for people.
    """

    pair: str
    at: int
    until: int
    bars: int
    code: str
    codes: tuple[str, ...]
    side: str = ""
    signal: str = ""
    confidence: float | None = None
    stop: float | None = None
    target: float | None = None
    regime: str = "CHOPPY"
    regime_confidence: float | None = None
    bias: str = "NEUTRAL"
    bias_strength: float | None = None
    trend: float | None = None
    entry_state: str = "WAITING"
    light: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)
    outcome: str = ""
    outcomes: tuple[str, ...] = ()
    detail: str = ""

    def continues(self, earlier: DecisionRow) -> bool:
        """Whether this row says the same as the one before it, and so may share its row."""
        return self.code != OK and bool(_shared(self) == _shared(earlier))

    def bars_from(self, start: int) -> int:
        """Bars of the row that closed at or after a time (UTC ms), at an even pace."""
        if self.at >= start:
            return self.bars
        if self.until < start or self.bars < 2:
            return 0
        step = (self.until - self.at) / (self.bars - 1)
        return min(self.bars, int((self.until - start) / step + 1e-9) + 1)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many bars had a first code, an outcome and a best candidate's signal."""

    code: str
    outcome: str
    signal: str
    bars: int


Counts = tuple[dict[str, int], dict[str, int]]
"""Bars by first code of stage A, and bars that may trade by outcome of stage B."""


def counted(tallies: Iterable[Tally]) -> Counts:
    """Bars by code, and the bars that may trade by outcome; the second sums to the ok ones."""
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for tally in tallies:
        first[tally.code] += tally.bars
        if tally.code == OK:
            second[tally.outcome] += tally.bars
    return dict(first), dict(second)
