"""`hydra dev warmup`: compiles every kernel and keeps it, so that no call of a strategy has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_ft.errors import HydraError
from hydra_ft.warmup import fill_first

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def run(args: argparse.Namespace) -> int:
    """Compile what is not there yet, and say where it is; 1 when the next start compiles again.

    Raises
    ------
    HydraError
        When the directory is not there.
    """
    home: Path | None = args.userdir
    if home is not None and not home.is_dir():
        raise HydraError(
            f"expected {home} to be freqtrade's user_data directory; it is not there; "
            f"make it with: freqtrade create-userdir --userdir {home}"
        )
    kept = fill_first(home, print)
    print(f"compiled kernels {'were' if kept.was_warm else 'are now'} in {kept.folder}")
    return int(not kept.lasting)
