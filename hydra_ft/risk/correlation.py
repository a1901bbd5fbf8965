"""How pairs move together: log returns on common times, and their shrunk correlation.

Closes are never correlated, only returns (F-C16): two series that trend do so together whatever
else they have to do with each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_ft.types import FloatArray, IntArray

_FLAT = 1e-12


def common_returns(
    closes: Mapping[str, tuple[IntArray, FloatArray]], step_ms: int, bars: int
) -> tuple[tuple[str, ...], FloatArray]:
    """Pairs, and their log returns of the last ``bars`` common bars, shape (t, pairs).

    ``closes`` holds times (UTC ms, rising, shape (n,)) and closes of each pair. A return counts
    where every pair has a known close both at the bar and one step before.

    Raises
    ------
    DataError
        When times and closes of a pair differ in length, or times do not rise.
    """
    pairs = tuple(sorted(closes))
    if not pairs:
        return pairs, np.empty((0, 0))
    known = {pair: _known(pair, *closes[pair]) for pair in pairs}
    times = known[pairs[0]][0]
    for pair in pairs[1:]:
        times = np.intersect1d(times, known[pair][0], assume_unique=True)
    times = times[-(bars + 1) :]
    rows = [known[pair][1][np.searchsorted(known[pair][0], times)] for pair in pairs]
    moves = np.diff(np.log(np.array(rows)), axis=1).T
    return pairs, moves[np.diff(times) == step_ms]


def _known(pair: str, times: IntArray, closes: FloatArray) -> tuple[IntArray, FloatArray]:
    if times.shape != closes.shape or bool((np.diff(times) <= 0).any()):
        raise DataError(
            f"{pair}: expected as many closes as times, and rising times, were "
            f"{closes.shape[0]} closes for {times.shape[0]} times; sort them, each time once"
        )
    known = np.isfinite(closes) & (closes > 0)
    return times[known], closes[known]


def shrunk_correlation(returns: FloatArray) -> FloatArray:
    """Correlation of returns, shape (t, n), shrunk towards independence; shape (n, n).

    A series that does not move counts as correlated 1 with every other: nothing is known of
    it. Reference: Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional
    covariance matrices", on standardised returns, so that their mu is 1:
    d2 = |S - I|^2 / n, b2 = min(d2, sum_t |x_t x_t' - S|^2 / (n t^2)), weight = b2 / d2.
    """
    rows, count = returns.shape
    if rows < 2:
        return np.ones((count, count))
    centred = returns - returns.mean(axis=0)
    spread = centred.std(axis=0)
    moves = spread > _FLAT
    scaled = centred / np.where(moves, spread, 1.0)
    sample = scaled.T @ scaled / rows
    distance = float(((sample - np.eye(count)) ** 2).sum())
    # sum_t |x x' - S|^2 = sum_t |x|^4 - t |S|^2
    noise = float((scaled**2).sum(axis=1) @ (scaled**2).sum(axis=1)) / rows**2
    noise -= float((sample**2).sum()) / rows
    weight = min(1.0, max(0.0, noise) / distance) if distance > 0 else 0.0
    shrunk = (1 - weight) * sample
    shrunk[~moves, :] = shrunk[:, ~moves] = 1.0
    np.fill_diagonal(shrunk, 1.0)
    clipped: FloatArray = np.clip(shrunk, -1.0, 1.0)
    return clipped


def correlations_with(
    pair: str,
    closes: Mapping[str, tuple[IntArray, FloatArray]],
    step_ms: int,
    bars: int,
    min_rows: int,
) -> dict[str, float]:
    """Correlation of a pair with every pair of ``closes`` (as for ``common_returns``).

    Two by two: a pair with a short history says nothing about the others. 1 with itself, and
    where a pair is not there or fewer than ``min_rows`` returns are common.
    """
    found = dict.fromkeys((pair, *closes), 1.0)
    for other in closes:
        if other != pair and pair in closes:
            two = {pair: closes[pair], other: closes[other]}
            _, returns = common_returns(two, step_ms, bars)
            if returns.shape[0] >= min_rows:
                found[other] = float(shrunk_correlation(returns)[0, 1])
    return found
