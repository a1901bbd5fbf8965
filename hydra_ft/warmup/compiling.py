"""A process that compiles every kernel into a folder: ``python -m hydra_ft.warmup.compiling``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

from numba import config

from hydra_ft.bars.compiled import KERNELS, Kernel, warm_up
from hydra_ft.warmup import places

if TYPE_CHECKING:
    from collections.abc import Callable


def declared() -> dict[str, Kernel]:
    """Import every module that may declare kernels; all of them by name."""
    for path in places.sources():
        if path.stem != "__init__":
            importlib.import_module(f"hydra_ft.{path.parent.name}.{path.stem}")
    return KERNELS


def compile_into(folder: Path, said: Callable[[str], None]) -> None:
    """Compile every kernel into a folder, and mark it whole."""
    config.CACHE_DIR = str(folder)
    count, done, begun = len(declared()), 0, process_time()

    def shown(each: Kernel) -> None:
        nonlocal done
        done += 1
        said(f"{done:3}/{count}  {each.name:24}  {process_time() - begun:5.1f} s")

    warm_up(shown)
    places.mark(folder, count)


if __name__ == "__main__":
    compile_into(Path(sys.argv[1]), lambda line: print(line, flush=True))  # noqa: T201
