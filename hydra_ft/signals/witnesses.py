"""What feeds that may be absent say for or against a side, on arrays of shape (n,).

Where the feed is not listed a witness against keeps silent and one in favour adds nothing.
Where it is listed and unknown at a bar, nothing that depends on it is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hydra_ft.bars.tolerance import exceeds, falls_below, reaches

if TYPE_CHECKING:
    from hydra_ft.signals.registry import Columns
    from hydra_ft.types import BoolArray, Side

FUNDING_Z = "funding_z_168_1h"
RATIO, IMBALANCE = "liquidation_ratio_12_5m", "liquidation_imbalance_12_5m"
LIQUIDATIONS = (RATIO, IMBALANCE)


def _every(columns: Columns, *, said: bool) -> BoolArray:
    """The same for each bar, where no feed says anything."""
    return np.full(columns["close_5m"].shape, said)


def uncrowded(columns: Columns, side: Side, limit: float) -> BoolArray:
    """No crowd on the own side: the funding z towards it is below the limit."""
    if FUNDING_Z not in columns:
        return _every(columns, said=True)
    return falls_below(columns[FUNDING_Z] * side.sign, limit)


def others_crowded(columns: Columns, side: Side, least: float) -> BoolArray:
    """A crowd on the other side: the funding z towards that reaches the least."""
    if FUNDING_Z not in columns:
        return _every(columns, said=False)
    return reaches(-columns[FUNDING_Z] * side.sign, least)


def no_cascade(columns: Columns, limit: float) -> BoolArray:
    """What was liquidated in an hour does not exceed that multiple of the pair's usual."""
    if RATIO not in columns:
        return _every(columns, said=True)
    return ~exceeds(columns[RATIO], limit) & np.isfinite(columns[RATIO])


def own_side_spared(columns: Columns, side: Side, limit: float) -> BoolArray:
    """The liquidated of an hour are not those of the own side by more than the limit."""
    if IMBALANCE not in columns:
        return _every(columns, said=True)
    return ~exceeds(columns[IMBALANCE] * side.sign, limit) & np.isfinite(columns[IMBALANCE])


def others_liquidated(columns: Columns, side: Side, least: float) -> BoolArray:
    """Mostly the other side was liquidated, beyond that multiple of the pair's usual.

    The balance is +1 where only longs were: a long is helped by liquidated shorts. The
    audited system had the sign the other way round.
    """
    if RATIO not in columns or IMBALANCE not in columns:
        return _every(columns, said=False)
    against: BoolArray = columns[IMBALANCE] * side.sign < 0
    return exceeds(columns[RATIO], least) & against
