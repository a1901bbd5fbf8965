"""What was seen of a pair beside its trades: states of the book, forced closures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra_ft.types.market import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class BookSamples:
    """States of the book of a pair, oldest first.

    ``time`` (UTC ms) has shape (n,), the rest (n, levels) with the best first. A level that is
    not there is NaN in price and quantity.
    """

    time: IntArray
    bid: FloatArray
    bid_quantity: FloatArray
    ask: FloatArray
    ask_quantity: FloatArray

    def __len__(self) -> int:
        return int(self.time.shape[0])


@dataclass(frozen=True, slots=True)
class ForcedClosures:
    """Positions of a pair that were liquidated, oldest first, shape (n,) each.

    ``quote`` is the notional in quote currency, ``side`` that of the position: 1 where a long,
    -1 where a short was liquidated, whatever side its closing order had (F-A7).
    """

    time: IntArray
    quote: FloatArray
    side: IntArray

    def __len__(self) -> int:
        return int(self.time.shape[0])
