"""Columns of a frame that moves on by a few bars: only the values of the new bars are computed.

A value depends on the bars within its feature's lookback alone, to its last digit, as the
battery demands: so a frame that holds the same bars but for the newest has the same values, too.
``drift`` finds out features of which that is not so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.candles import part, same
from hydra_ft.features.drift import longest_lookback

if TYPE_CHECKING:
    from hydra_ft.features.drift import Drift
    from hydra_ft.features.registry import Feature
    from hydra_ft.types import Bars, FloatArray


class Carried:
    """The columns of one frame, and the bars that they were computed on.

    They are computed anew on all bars where the bars before the newest are not those of the
    last time, and each time for a feature that ``drifts``. Where ``drift`` is given, features
    that do so without saying it are found out. ``raw`` names columns of the bars themselves that
    are given along.

    ``version`` counts how often the columns have changed, ``whole_since`` is the version at which
    they were last computed on all bars.
    """

    def __init__(self, raw: tuple[str, ...] = (), drift: Drift | None = None) -> None:
        self._raw = raw
        self._drift = drift
        self._last: tuple[Bars, tuple[Feature, ...]] | None = None
        self._columns: dict[str, FloatArray] = {}
        self.version = self.whole_since = 0

    def columns(self, bars: Bars, wanted: tuple[Feature, ...]) -> dict[str, FloatArray]:
        """Raw columns, and what every feature gives on these bars, by name; shape (n,) each.

        The very columns of the last time where the bars are the same. All are read-only.
        """
        before = self._last[0] if self._last is not None and self._last[1] == wanted else None
        stay = 0 if before is None else _stay(before, bars)
        if before is not None and stay == len(before) == len(bars):
            return self._columns
        self.version += 1
        if stay > longest_lookback(wanted):
            found = self._moved(bars, wanted, stay)
        else:
            self.whole_since = self.version
            found = {made.name: made(bars) for made in wanted}
            if self._drift is not None:
                self._drift.try_on(bars, wanted, found)
        given = {name: getattr(bars, name) for name in self._raw} | found
        self._last = bars, wanted
        self._columns = {name: read_only(values) for name, values in given.items()}
        return self._columns

    def _moved(self, bars: Bars, wanted: tuple[Feature, ...], stay: int) -> dict[str, FloatArray]:
        """The features of bars of which the first ``stay`` were there before."""
        tail = part(bars, stay - longest_lookback(wanted), None)
        whole = [made for made in wanted if self._drifts(made)]
        kept = [made for made in wanted if made not in whole]
        held = [self._columns[made.name][-stay:] for made in kept]
        # All on the same bars, one after the other: what they share is computed once.
        newest = [made(tail)[stay - len(bars) :] for made in kept]
        joined = np.concatenate((_stacked(held, stay), _stacked(newest, len(bars) - stay)), axis=1)
        for made, values in zip(kept, joined, strict=True):
            values[: made.lookback] = np.nan
        found = {made.name: made(bars) for made in whole}
        return found | dict(zip((made.name for made in kept), joined, strict=True))

    def _drifts(self, made: Feature) -> bool:
        return made.drifts if self._drift is None else self._drift.of(made)


def read_only(values: FloatArray) -> FloatArray:
    """A view of an array through which it cannot be written to; the array itself stays as it is."""
    seen = values.view()
    seen.flags.writeable = False
    return seen


def _stacked(columns: list[FloatArray], n: int) -> FloatArray:
    return np.array(columns, dtype=np.float64).reshape(len(columns), n)


def _stay(before: Bars, bars: Bars) -> int:
    """How many of the bars are the last ones of before; 0 where any of these has changed."""
    if before is bars:
        return len(bars)
    if not len(before) or not len(bars):
        return 0
    gone = int(np.searchsorted(before.time, bars.time[0]))
    stay = len(before) - gone
    if stay > len(bars) or (stay == len(bars) and gone):
        return 0
    return stay if same(part(before, gone, None), part(bars, 0, stay)) else 0
