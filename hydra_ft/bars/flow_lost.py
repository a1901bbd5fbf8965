"""Intervals in which a feed was not there: each moment of them is counted once."""

from __future__ import annotations

from bisect import insort


def add_interval(known: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """Add an interval to those that are known, and return the parts of it that are new.

    ``known`` is in order, and no two of it touch; so it stays, in whatever order they come.
    """
    touching = [one for one in known if one[0] <= stop and one[1] >= start]
    fresh, begin = [], start
    for from_, until in touching:
        if from_ > begin:
            fresh.append((begin, from_))
        begin = max(begin, until)
    if stop > begin:
        fresh.append((begin, stop))
    if touching:
        at = known.index(touching[0])
        union = min(start, touching[0][0]), max(stop, touching[-1][1])
        known[at : at + len(touching)] = [union]
    else:
        insort(known, (start, stop))
    return fresh
