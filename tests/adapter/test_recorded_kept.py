"""Columns that are kept are those computed at once, and only what has changed is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hydra_ft.adapter.recorded.kept import KeptColumns
from hydra_ft.adapter.recorded.spans import changed_within, cut

if TYPE_CHECKING:
    from hydra_ft.adapter.recorded.kept import Columns
    from hydra_ft.adapter.recorded.spans import Span

MINUTE, HOUR = 60_000, 3_600_000
STEP = 5 * MINUTE


@dataclass
class Told:
    """Tells of each bar what is proven within its reach; counts the bars it was asked for."""

    step_ms: int = STEP
    proven: frozenset[Span] = frozenset()
    asked: list[int] = field(default_factory=list)

    def reach(self, start: int) -> int:
        return start // HOUR * HOUR - HOUR

    def spans(self, start: int, stop: int) -> frozenset[Span]:
        return cut(self.proven, start, stop)

    def columns(self, start: int, stop: int) -> Columns:
        times = range(start, stop, self.step_ms)
        self.asked.append(len(times))
        seen = [hash(self.spans(self.reach(t), t + self.step_ms)) for t in times]
        return {"told": np.array(seen, dtype=np.float64)}


def same_as_at_once(kept: KeptColumns, source: Told, start: int, stop: int) -> bool:
    at_once = Told(source.step_ms, source.proven).columns(start, stop)["told"]
    return np.array_equal(kept.over(start, stop)["told"], at_once)


def test_what_was_dropped_costs_the_head_of_the_frame_alone() -> None:
    """Of a frame longer than samples are kept an hour goes with each sweep, not all of it."""
    source = Told(proven=frozenset({("own", HOUR, 60 * HOUR)}))
    kept = KeptColumns(source)
    for hour in range(5):
        start, stop = hour * HOUR, (30 + hour) * HOUR
        source.proven = frozenset({("own", (2 + hour) * HOUR, 60 * HOUR)})
        assert same_as_at_once(kept, source, start, stop)
        assert same_as_at_once(kept, source, start + STEP, stop + STEP)
    assert source.asked[0] == 360
    assert max(source.asked[1:]) <= 4 * 12
    assert len(source.asked) == 2 + 4 * 3


@pytest.mark.parametrize("seed", range(6))
def test_whatever_changes_in_the_proof_is_the_same_as_at_once(seed: int) -> None:
    draw = Random(seed)
    source = Told()
    kept = KeptColumns(source)
    start, stop, whole = 0, 12 * HOUR, 0
    for _ in range(60):
        edges = sorted(draw.sample(range(0, stop // MINUTE, 7), 6))
        pairs = zip(edges[::2], edges[1::2], strict=True)
        fresh = {("own", a * MINUTE, b * MINUTE) for a, b in pairs}
        keep = {span for span in source.proven if draw.random() < 0.8}
        moved = {(n, a + draw.choice((0, 0, HOUR)), b) for n, a, b in keep}
        source.proven = frozenset(
            span for span in (moved | fresh if draw.random() < 0.3 else moved) if span[1] < span[2]
        )
        assert same_as_at_once(kept, source, start, stop)
        whole += (stop - start) // STEP
        start += draw.choice((0, STEP, HOUR))
        stop = max(stop + draw.choice((0, STEP, HOUR)), start + 12 * HOUR)
    assert sum(source.asked) < whole


def test_where_two_proofs_differ() -> None:
    def between(before: list[tuple[int, int]], now: list[tuple[int, int]]) -> object:
        return changed_within([("own", *a) for a in before], [("own", *a) for a in now])

    assert between([(0, 9)], [(0, 9)]) is None
    assert between([(0, 9)], [(3, 9)]) == (0, 3)
    assert between([(3, 9)], [(0, 9)]) == (0, 3)
    assert between([(0, 9)], [(0, 12)]) == (9, 12)
    assert between([(0, 9)], [(0, 4), (6, 9)]) == (4, 6)
    assert between([(0, 4), (4, 9)], [(0, 9)]) == (4, 4)
    assert between([(0, 2), (3, 9)], [(5, 9)]) == (0, 5)
    assert between([], [(5, 9)]) == (5, 9)
