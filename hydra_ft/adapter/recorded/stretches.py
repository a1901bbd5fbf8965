"""Parts of an interval that are read by themselves, so that a bar is told in its own grid.

A venue changes its ticks, a recorder its bins when the price has moved far. What was recorded
before keeps its grid: were it told in that of later bars, a test of a day would know other
values than the bot did, or none.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Part(NamedTuple):
    """Whole bars from ``start`` to ``stop`` (UTC ms, exclusive).

    They have one grid, but for a bar by itself that ``is_mixed``.
    """

    start: int
    stop: int
    is_mixed: bool


def parts_of(
    start: int, stop: int, step_ms: int, changes: Sequence[int], others: Iterable[int] = ()
) -> list[Part]:
    """Cut an interval at changes of the grid, and at ``others`` (edges of bars)."""
    edges = {start, stop, *others}
    for change in changes:
        opened = change // step_ms * step_ms
        edges |= {opened} if opened == change else {opened, opened + step_ms}
    inside = sorted(edge for edge in edges if start <= edge <= stop)
    return [
        Part(begin, end, any(begin < change < end for change in changes))
        for begin, end in pairwise(inside)
    ]
