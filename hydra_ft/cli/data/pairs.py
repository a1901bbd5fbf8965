"""Which pairs are meant: by their names, or by their base currency."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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


def named(names: Sequence[str], whitelist: Any) -> list[str]:
    """Return pairs as they are named in full, else those of the whitelist that are meant.

    Raises
    ------
    HydraError
        When neither says which pairs these are, or the whitelist is no list of names.
    """
    if names and all("/" in name and ":" in name for name in names):
        return list(dict.fromkeys(names))
    if not isinstance(whitelist, list) or not all(isinstance(pair, str) for pair in whitelist):
        raise HydraError(
            "exchange.pair_whitelist: expected a list of names such as "
            f'["BTC/USDT:USDT"], was {whitelist!r:.60}; correct it'
        )
    patterns = [pair for pair in whitelist if re.search(r"[^\w/:.-]", pair)]
    if not whitelist or patterns:
        shown = f"has {patterns[0]!r}" if patterns else "is empty"
        raise HydraError(
            f"--pairs: expected full names such as BTC/USDT:USDT where exchange.pair_whitelist "
            f"does not name pairs, which {shown}; name them"
        )
    return wanted(names, whitelist, "of exchange.pair_whitelist")


def _is_named(pair: str, name: str) -> bool:
    return pair == name or pair.startswith((f"{name}/", f"{name}:"))
