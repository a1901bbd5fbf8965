"""What is told of liquidations as known is what whole knowledge says, wherever that began."""

from __future__ import annotations

import numpy as np
import pytest
from bars.synthetic import MINUTE, START
from bars.test_forced_columns import COVERED, JUDGED, MILLION, closures

from hydra_ft.bars.candles import bars_from
from hydra_ft.bars.forced_columns import forced_columns

BEGUN_S = 262 * 60 + 20
USUAL_S = (263 + 21) * 60
"""Whole minutes from then on are covered; with 21 of them half of the weights are."""


def runs_out_late(at_s: int) -> list[tuple[float, float, int]]:
    """A cascade for 30 s, after which so much goes on that it has run out 180 s later."""
    tail = [(at_s + after, 1.7 * MILLION, 1) for after in (30, 60, 90, 120, 150, 179)]
    return [(at_s, 5.5 * MILLION, 1), *tail]


@pytest.mark.parametrize("step", [1, 5, 15])
def test_what_is_known_after_a_hole_is_what_whole_knowledge_says(step: int) -> None:
    """The usual is a million of the turnover in both, however much of the events is hidden."""
    n = 330 // step
    flat, volume = np.full(n, 100.0), np.full(n, step * 1e8)
    bars = bars_from(START + step * MINUTE * np.arange(n), step * MINUTE, (flat,) * 4, volume)
    hole = [(START + 1000 * BEGUN_S, COVERED[0][1])]
    seen: dict[str, set[float]] = {name: set() for name in JUDGED}
    for at_s in range(USUAL_S - 300, USUAL_S + 60 * step + 60, 15):
        events = closures(*runs_out_late(at_s))
        found, wanted = (forced_columns(bars, events, covered) for covered in (hole, COVERED))
        for name in JUDGED:
            told, right = getattr(found, name), getattr(wanted, name)
            known = np.isfinite(told)
            np.testing.assert_allclose(
                told[known], right[known], rtol=1e-9, err_msg=f"{name} {at_s}"
            )
            first = np.flatnonzero(known)[0]
            seen[name].add(right[first])
            # Nothing is unknown for longer than it must be.
            since = USUAL_S + 30 + (180 if name == "exhaustion" else 0)
            assert bars.time[first] == START + -(-since // (60 * step)) * step * MINUTE
    assert seen["cascade"] == seen["exhaustion"] == {0, 1}
