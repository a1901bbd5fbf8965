"""Which pairs are meant: by their names, or by their base currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.cli.why.ledgers import NAMED, nearest
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from collections.abc import Sequence


def wanted(names: Sequence[str], known: Sequence[str], what: str) -> list[str]:
    """Return the known pairs that are named, all of them without a name, in their order.

    ``BTC`` and ``BTC/USDT`` stand for all markets that begin so.

    Raises
    ------
    HydraError
        When a name stands for none; it names those that are most like it.
    """
    meant: set[str] = set()
    for name in names:
        found = [pair for pair in known if _is_named(pair.upper(), name.upper())]
        if not found:
            like = ", ".join(nearest(name, known)[:NAMED]) or "none"
            raise HydraError(f"--pairs: expected a pair {what}, was {name!r}; nearest are {like}")
        meant.update(found)
    return [pair for pair in known if pair in meant] if names else list(known)


def _is_named(pair: str, name: str) -> bool:
    return pair == name or pair.startswith((f"{name}/", f"{name}:"))
