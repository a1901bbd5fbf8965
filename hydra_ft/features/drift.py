"""Whether the newest values of a feature depend on no more bars than it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hydra_ft.bars.candles import part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hydra_ft.features.registry import Feature
    from hydra_ft.types import Bars, FloatArray

TRIED_BARS: Final = 8
"""Newest bars on which it is tried."""


class Drift:
    """What is known of that; the columns of all pairs of a bot share it.

    A recursion, or a feature whose ``lookback`` is too small, is right where all bars are
    computed, and wrong, without a word, where the newest are computed alone: it drifts, and does
    not say so. From when that was seen on, it is computed on all bars each time.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Feature] = {}
        self._told: set[str] = set()

    def of(self, made: Feature) -> bool:
        """Whether a feature drifts, as far as it says so or was seen."""
        return made.drifts or made.name in self._seen

    def try_on(
        self, bars: Bars, wanted: Iterable[Feature], columns: Mapping[str, FloatArray]
    ) -> None:
        """Compute the newest of ``columns``, which were computed on all bars, alone, and compare.

        To the last digit, on as many bars before them as the longest of the lookbacks.
        """
        tried = [made for made in wanted if not self.of(made)]
        longest = longest_lookback(wanted)
        new = min(TRIED_BARS, len(bars) - longest - 1)
        if new <= 0:
            return
        tail = part(bars, -longest - new, None)
        for made in tried:
            alone = made(tail)[-new:]
            if not np.array_equal(alone, columns[made.name][-new:], equal_nan=True):
                self._seen[made.name] = made

    def news(self) -> list[str]:
        """What a user should be told, one sentence a feature, each once."""
        new = [made for name, made in self._seen.items() if name not in self._told]
        self._told.update(made.name for made in new)
        return [_sentence(made) for made in new]


def longest_lookback(wanted: Iterable[Feature]) -> int:
    """Bars before a new one that its features are computed on; 0 without features."""
    return max((made.lookback for made in wanted), default=0)


def _sentence(made: Feature) -> str:
    return (
        f"values of feature {made.name} depend on more bars than it declares, so it is computed on "
        "all bars each time, which takes longer: expected lookback to be the number of bars before "
        f"its own that a value depends on, to the last digit, was {made.lookback}; declare more, "
        "or drifts=True where it is a sum or a recursion that runs through all bars"
    )
