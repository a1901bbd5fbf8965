"""Every number of the exits, with its bounds.

Shares are of the equity (closed balance plus open profit, in quote currency), fractions are of
the entry price, and R is what a position loses at its first stop, fees included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le
from typing_extensions import Doc

from hydra_ft.errors import PolicyError
from hydra_ft.execution.bounds import check_bounds

_WHOLE = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class ExitRules:
    """How a stop follows a position, and what is closed on the way; 0 switches a rule off.

    All R are net: what is left after the round-trip fee, in multiples of the loss at the
    first stop.
    """

    break_even_at: Annotated[
        float,
        Ge(0),
        Le(0.5),
        Doc("gain, of the entry price, at which the stop covers entry and fees"),
    ] = 0.008
    break_even_at_r: Annotated[
        float, Ge(0), Le(10), Doc("net R at which it does so; whichever comes first")
    ] = 0.0
    lock_at_r: Annotated[float, Ge(0), Le(10), Doc("net R at which part of it is kept")] = 1.0
    lock_r: Annotated[float, Ge(0), Le(10), Doc("net R that is then kept")] = 0.5
    trail_from_r: Annotated[
        float, Ge(0), Le(20), Doc("net R from which on the stop trails the best price")
    ] = 1.5
    trail_r: Annotated[float, Gt(0), Le(10), Doc("distance of the trailing stop, in R")] = 1.0
    time_stop: Annotated[
        bool, Doc("close a position that is older than its signal meant it to be")
    ] = True
    target_r: Annotated[
        float, Ge(0), Le(20), Doc("target in net R; 0: the target of the signal")
    ] = 0.0
    partial_1_at_r: Annotated[float, Gt(0), Le(20), Doc("net R of the first partial close")] = 1.0
    partial_1_share: Annotated[
        float, Ge(0), Le(1), Doc("what it closes, of the whole position; 0: nothing")
    ] = 0.0
    partial_2_at_r: Annotated[float, Gt(0), Le(20), Doc("net R of the second partial close")] = 2.5
    partial_2_share: Annotated[
        float, Ge(0), Le(1), Doc("what it closes, of the whole position; 0: nothing")
    ] = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)
        self._check_stop()
        self._check_splits()

    def _check_stop(self) -> None:
        if self.lock_at_r and self.lock_r >= self.lock_at_r:
            raise PolicyError(
                f"expected lock_r below lock_at_r ({self.lock_at_r:g}), was {self.lock_r:g}: "
                "the stop would stand beyond the price"
            )
        if not self.target_r:
            return
        for name in ("break_even_at_r", "lock_at_r", "trail_from_r"):
            if getattr(self, name) >= self.target_r:
                raise PolicyError(
                    f"expected {name} below target_r ({self.target_r:g}), was "
                    f"{getattr(self, name):g}: the target comes first; lower it, or set it to 0"
                )

    def _check_splits(self) -> None:
        total = self.partial_1_share + self.partial_2_share
        if total > _WHOLE:
            raise PolicyError(
                "expected partial_1_share and partial_2_share to add up to 1 at most, "
                f"was {total:g}: there is no more than the whole position"
            )
        if self.partial_2_share and self.partial_1_at_r >= self.partial_2_at_r:
            raise PolicyError(
                f"expected partial_2_at_r above partial_1_at_r ({self.partial_1_at_r:g}), "
                f"was {self.partial_2_at_r:g}"
            )
        taken = {"partial_1_at_r": self.partial_1_share, "partial_2_at_r": self.partial_2_share}
        for name, share in taken.items():
            if self.target_r and share and getattr(self, name) >= self.target_r:
                raise PolicyError(
                    f"expected {name} below target_r ({self.target_r:g}), "
                    f"was {getattr(self, name):g}: the target closes all"
                )


LADDER = ExitRules(partial_1_share=0.4, partial_2_share=0.4)
"""40 % at 1 R, 40 % at 2.5 R, and 20 % that run (F-D9)."""
