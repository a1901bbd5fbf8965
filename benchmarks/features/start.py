"""What a start costs: imports and compiled kernels beside freqtrade's own imports."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY: Final = Path(__file__).parents[2]
ALONE: Final = "import freqtrade.freqtradebot"
WITH: Final = f"""{ALONE}
from pathlib import Path
from hydra_ft.adapter.heads import load_head
from hydra_ft.bars.compiled import warm_up
from hydra_ft.warmup import keep_compiled
from hydra_ft.warmup.compiling import declared
load_head(Path("strategies/HydraFlow.py"))
keep_compiled(None, print)
declared()
warm_up()
"""
"""A head, and every kernel loaded; a bot loads those that it calls."""


class Start(NamedTuple):
    """Seconds of CPU of whole processes, and of compiling every kernel from nothing."""

    freqtrade_s: float
    hydra_s: float
    cold_s: float
    kernels: int

    @property
    def growth(self) -> float:
        """What Hydra adds, as a share of freqtrade's own."""
        return self.hydra_s / self.freqtrade_s - 1


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(*words: str) -> tuple[float, str]:
    """CPU seconds of a Python, and what it said; byte code is kept as it is for users."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = _children_s()
    done = subprocess.run(  # noqa: S603 - these very sources
        [sys.executable, *words],
        env=kept,
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    return _children_s() - before, done.stdout


def measure(rounds: int, said: Callable[[str], None]) -> Start:
    """Start both in turns; then compile into an empty folder."""
    said("starts")
    times: dict[str, list[float]] = {ALONE: [], WITH: []}
    for turn in range(rounds + 1):
        for code, spent in times.items():
            took, _ = _run("-c", code)
            if turn:  # the first writes byte code
                spent.append(took)
    alone, whole = (median(spent) for spent in times.values())
    said("compiling every kernel from nothing")
    with tempfile.TemporaryDirectory() as folder:
        cold, shown = _run("-m", "hydra_ft.warmup.compiling", folder)
    return Start(alone, whole, cold, len(re.findall(r"^ *\d+/\d+ ", shown, re.MULTILINE)))
