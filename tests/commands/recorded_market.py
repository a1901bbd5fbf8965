"""The recorded market in HYDRA_TEST_DATA, replayed; it stays where it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.recorded.sets import LATER, recorded_folder
from benchmarks.recorded.stage_a import HEADS, LIGHT, decisions_on, pair_of, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_ft.decisions.pipeline import Decisions

__all__ = ["HEADS", "LIGHT", "MARKS", "SET", "decisions_on", "entries", "pair_of", "rules"]

HOME = os.environ.get("HYDRA_TEST_DATA", "")
SET = recorded_folder(Path(HOME), LATER)
MARKS = [
    pytest.mark.ci,
    pytest.mark.skipif(
        not HOME, reason="HYDRA_TEST_DATA does not name the folder of recorded market data"
    ),
]


def entries(decisions: Decisions, bars: int) -> Iterator[int]:
    """Rows at which an entry begins that stands for so many bars."""
    enters = decisions.code == 0
    for row in np.flatnonzero(enters):
        if not enters[row - 1] and enters[row : row + bars].sum() == bars:
            yield int(row)
