"""Every signal, declared once.

A signal reads columns that are already aligned on the base bars and says, for each bar and
side, whether it fires, how sure it is, and where stop and target stand. It knows nothing of
gates: regime permissions, bias and vetoes are applied to it by the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from hydra_ft.errors import DeclarationError
from hydra_ft.types import BoolArray, Feed, FloatArray, IntArray, Regime

if TYPE_CHECKING:
    from collections.abc import Iterable

TRENDS = (Regime.UP, Regime.DOWN)


@dataclass(frozen=True, slots=True)
class MarketColumns:
    """State of the market on the base bars, all of shape (n,); NaN where it is not known."""

    regime: IntArray
    regime_confidence: FloatArray
    bias: IntArray
    bias_score: FloatArray
    bias_strength: FloatArray
    trend: FloatArray


@dataclass(frozen=True, slots=True)
class SignalColumns:
    """What a signal says, all of shape (n,).

    ``stop`` and ``target`` are fractions of the entry price and, with ``confidence``, may
    depend on the side: each is a pair (for longs, for shorts). They count only where the
    signal fires on that side.
    """

    long: BoolArray
    short: BoolArray
    confidence: tuple[FloatArray, FloatArray]
    stop: tuple[FloatArray, FloatArray]
    target: tuple[FloatArray, FloatArray]


Columns = Mapping[str, FloatArray]
Detect = Callable[[Columns, MarketColumns, Any], SignalColumns]


@dataclass(frozen=True, slots=True)
class SignalDeclaration:
    """Declaration of one signal.

    ``needs`` are column keys it cannot do without, ``uses`` those it takes into account
    where their feed is listed. ``feeds`` are the feeds that ``needs`` come from: where one is not
    listed the signal is off. ``regimes`` permit it (T3); a ``trend_following`` signal is
    removed while the price is extended. ``rules`` is a frozen value with its thresholds,
    to be exchanged with ``dataclasses.replace``. ``cooldown_s`` is how long after an entry of
    this signal on a pair it does not enter there again, ``flip_s`` the same for an entry on
    the other side, where 0 means as long as ``cooldown_s``. ``memory_bars`` is how many base
    bars before a bar the detector looks at to decide that bar. ``unless`` names feeds that
    something better is made of: where one of them is listed the signal is off.
    """

    name: str
    feeds: tuple[Feed, ...]
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    regimes: tuple[Regime, ...]
    trend_following: bool
    max_hold_s: int
    rules: Any
    detect: Detect
    cooldown_s: int = 0
    flip_s: int = 0
    memory_bars: int = 0
    unless: tuple[Feed, ...] = ()

    def __call__(self, columns: Columns, market: MarketColumns) -> SignalColumns:
        """Run the detector; it fires only where every column it needs is known."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self.detect(columns, market, self.rules)
        known = np.isfinite(columns[self.needs[0]])
        for key in self.needs[1:]:
            known &= np.isfinite(columns[key])
        long, short = found.long & known, found.short & known
        return SignalColumns(long, short, found.confidence, found.stop, found.target)


_REGISTERED: dict[str, SignalDeclaration] = {}
SIGNALS: Mapping[str, SignalDeclaration] = MappingProxyType(_REGISTERED)


def signal(
    *,
    feeds: Iterable[Feed],
    needs: Iterable[str],
    uses: Iterable[str] = (),
    regimes: Iterable[Regime],
    trend_following: bool,
    max_hold_s: int,
    rules: object,
    cooldown_s: int = 0,
    flip_s: int = 0,
    memory_bars: int = 0,
    unless: Iterable[Feed] = (),
) -> Callable[[Detect], SignalDeclaration]:
    """Register the decorated detector; the name becomes its declaration.

    Raises DeclarationError when the name is taken or the declaration cannot trade.
    """

    def register(detect: Detect) -> SignalDeclaration:
        name = getattr(detect, "__name__", "")
        made = SignalDeclaration(
            name=name,
            feeds=tuple(feeds),
            needs=tuple(needs),
            uses=tuple(uses),
            regimes=tuple(regimes),
            trend_following=trend_following,
            max_hold_s=max_hold_s,
            rules=rules,
            detect=detect,
            cooldown_s=cooldown_s,
            flip_s=flip_s,
            memory_bars=memory_bars,
            unless=tuple(unless),
        )
        check(made)
        if name in _REGISTERED:
            raise DeclarationError(f"signal {name!r}: the name is declared twice")
        _REGISTERED[name] = made
        return made

    return register


def check(made: SignalDeclaration) -> None:
    """Raise DeclarationError unless the signal could ever trade."""
    for field in ("name", "feeds", "needs", "regimes"):
        if not getattr(made, field):
            raise DeclarationError(f"signal {made.name!r}: {field} is empty")
    if both := set(made.feeds) & set(made.unless):
        raise DeclarationError(f"signal {made.name!r}: off with and without {min(both)}")
    if Regime.CHOPPY in made.regimes:
        raise DeclarationError(f"signal {made.name!r}: nothing is traded in a CHOPPY market")
    if made.max_hold_s <= 0:
        was = made.max_hold_s
        raise DeclarationError(f"signal {made.name!r}: max_hold_s must be positive, was {was}")
    for field in ("cooldown_s", "flip_s", "memory_bars"):
        if (was := getattr(made, field)) < 0:
            raise DeclarationError(f"signal {made.name!r}: {field} must not be negative, was {was}")
