"""Observations of a hyperopt run: written once, read once by each worker.

Freqtrade pickles the strategy with every epoch that it hands to a worker. Columns of many
pairs and months would go along each time; here only the name of a file does.
"""

from __future__ import annotations

import pickle
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.decisions.evaluation import Observation
    from hydra_ft.types import Bars


class Observed:
    """What was observed of each pair; a copy of it in another process reads it from a file."""

    def __init__(self) -> None:
        self._seen: dict[str, Observation] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._file = ""

    def __contains__(self, pair: str) -> bool:
        return pair in self._all()

    def __getitem__(self, pair: str) -> Observation:
        return self._all()[pair]

    def __setitem__(self, pair: str, seen: Observation) -> None:
        self._seen[pair] = _of_use(seen)
        self._file = ""

    def _all(self) -> dict[str, Observation]:
        return _read(self._file) if not self._seen and self._file else self._seen

    def __getstate__(self) -> str:
        """Name of the file, which is written when it is first asked for."""
        if self._seen and not self._file:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="hydra-hyperopt-")
            file = Path(self._folder.name) / f"observed-{len(self._seen)}.pkl"
            with file.open("wb") as opened:
                pickle.dump(self._seen, opened, protocol=pickle.HIGHEST_PROTOCOL)
            self._file = str(file)
        return self._file

    def __setstate__(self, file: str) -> None:
        self.__init__()  # type: ignore[misc]
        self._file = file


def _of_use(seen: Observation) -> Observation:
    """Observation without the columns of bars that features alone read: these are computed."""
    frames = {name: replace(one, bars=_bare(one.bars)) for name, one in seen.frames.items()}
    return replace(seen, base=_bare(seen.base), frames=frames)


def _bare(bars: Bars) -> Bars:
    return replace(bars, value=None, footprint=None, forced=None, reference=None)


@lru_cache(maxsize=1)
def _read(file: str) -> dict[str, Observation]:
    with Path(file).open("rb") as opened:
        seen: dict[str, Observation] = pickle.load(opened)  # noqa: S301 - our own file
    for one in seen.values():
        for columns in (one.features, one.columns, one.native):
            for values in columns.values():
                # An array that is not in one piece loses this in a file.
                values.flags.writeable = False
    return seen
