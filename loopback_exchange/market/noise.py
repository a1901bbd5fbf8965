"""Random numbers that can be read at any index, without drawing those before it.

A number is a hash of (key, index), so the same key and index give the same number in any
order, process and numpy version.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_KNOT_LIMIT = 2.2


@lru_cache(maxsize=4_096, typed=True)
def key_of(*parts: object) -> np.uint64:
    """Hash any parts (seed, symbol, purpose) to the key of one stream of numbers."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _mixed(key: np.uint64, index: Ints) -> NDArray[np.uint64]:
    # splitmix64 (Steele, Lea and Flood 2014) as a counter-based generator; it wraps on purpose.
    with np.errstate(over="ignore"):
        z = (np.asarray(index, dtype=np.int64).view(np.uint64) + np.uint64(1)) * _GOLDEN + key
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def uniform(key: np.uint64, index: Ints) -> Floats:
    """Give uniform numbers in the open interval (0, 1), one for each index."""
    numbers: Floats = ((_mixed(key, index) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return numbers


def normal(key: np.uint64, index: Ints) -> Floats:
    """Give standard normal numbers, one for each index (Box-Muller)."""
    pairs = np.asarray(index, dtype=np.int64) * 2
    radius = np.sqrt(-2.0 * np.log(uniform(key, pairs)))
    numbers: Floats = radius * np.cos(2.0 * np.pi * uniform(key, pairs + 1))
    return numbers


def ramps(key: np.uint64, period: float, minute: Ints) -> Floats:
    """Interpolate between bounded random knots that stand ``period`` minutes apart.

    Knots are limited to +-2.2, so any sum of ramps stays in a band however long it runs.
    """
    position = minute / period
    knots = np.arange(int(np.floor(position[0])), int(np.floor(position[-1])) + 2)
    values = np.clip(normal(key, knots), -_KNOT_LIMIT, _KNOT_LIMIT)
    curve: Floats = np.interp(position, knots, values)
    return curve
