"""What holds for every signal, asked of one bar made for it on each side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from signals.cases import fires, market, run

from hydra_ft.types import Regime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.signals.registry import MarketColumns, SignalDeclaration


@dataclass(frozen=True)
class Case:
    """A bar on which a signal fires long, its mirror image, and the markets of both."""

    made: SignalDeclaration
    long: Mapping[str, float]
    up: MarketColumns
    short: Mapping[str, float]
    down: MarketColumns

    def on(self, *, market: MarketColumns | None = None, **changes: float) -> tuple[bool, bool]:
        """Whether it fires long and short on the long bar with some columns changed."""
        return fires(self.made, {**self.long, **changes}, market or self.up)

    def mirrored(
        self, *, market: MarketColumns | None = None, **changes: float
    ) -> tuple[bool, bool]:
        """The same on the short bar."""
        return fires(self.made, {**self.short, **changes}, market or self.down)

    def trust(self, market: MarketColumns | None = None, **changes: float) -> float:
        """Confidence of the long on the changed bar."""
        found = run(self.made, {**self.long, **changes}, market or self.up)
        return float(found.confidence[0][0])

    def distances(self, **changes: float) -> tuple[float, float]:
        """Stop and target of the long on the changed bar."""
        found = run(self.made, {**self.long, **changes}, self.up)
        return float(found.stop[0][0]), float(found.target[0][0])

    def bare(self) -> Case:
        """The same bars where only what the signal needs is fed."""
        return Case(
            self.made,
            {key: self.long[key] for key in self.made.needs},
            self.up,
            {key: self.short[key] for key in self.made.needs},
            self.down,
        )


def check_sides(case: Case) -> None:
    """P3: it fires long and short, and with the numbers of the other side mirrored."""
    for each in (case, case.bare()):
        assert each.on() == (True, False)
        assert each.mirrored() == (False, True)
        long = run(each.made, each.long, each.up)
        short = run(each.made, each.short, each.down)
        for name in ("confidence", "stop", "target"):
            ours, theirs = getattr(long, name)[0][0], getattr(short, name)[1][0]
            assert ours == pytest.approx(theirs), name


def check_unknown(case: Case) -> None:
    """It is silent where a column that it needs is unknown, or the regime is."""
    for key in case.made.needs:
        assert case.on(**{key: np.nan}) == (False, False), key
        assert case.mirrored(**{key: np.nan}) == (False, False), key
    for regime in case.made.regimes:
        unknown = market(regime, confidence=np.nan)
        assert case.on(market=unknown) == (False, False)


def check_regimes(case: Case, allowed: set[Regime]) -> None:
    """The long fires in these regimes and no other."""
    for regime in Regime:
        assert case.on(market=market(regime))[0] == (regime in allowed), regime
