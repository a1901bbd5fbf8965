"""Bots beside each other on one embedded exchange, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.memory.market import EchoMarket, names_of
from loopback_exchange import Server, freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[2]
BARE, WIDE, FLOW = "Bare", "BareWide", "HydraFlow"
FOLDERS = {
    BARE: Path(__file__).with_name("strategies"),
    WIDE: Path(__file__).with_name("strategies"),
    FLOW: REPOSITORY / "strategies",
}
STARTUP = 997
"""Candles that freqtrade is told to hold before the newest: two requests of 499 each."""
LONGEST_S = 3600
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Plan(NamedTuple):
    """How much is measured."""

    sizes: tuple[int, ...]
    loops: int


class Bot(NamedTuple):
    """What one bot told, in order."""

    looks: tuple[dict[str, Any], ...]

    def at(self, name: str) -> dict[str, Any]:
        """One look; the newest of several."""
        return next(look for look in reversed(self.looks) if look["at"] == name)

    @property
    def last(self) -> dict[str, Any]:
        """The look after the last loop."""
        return self.looks[-1]


class Result(NamedTuple):
    """All bots, by number of pairs and strategy."""

    plan: Plan
    bots: dict[int, dict[str, Bot]]


FULL = Plan(sizes=(50, 250), loops=2)
QUICK = Plan(sizes=(4,), loops=1)


def configuration(url: str, count: int) -> dict[str, Any]:
    """The pack's example configuration on the embedded exchange, with so many pairs."""
    example = json.loads((REPOSITORY / "config.json.example").read_text(encoding="utf-8"))
    exchange = freqtrade_exchange_config(url)
    exchange["ccxt_config"]["options"] |= example["exchange"]["ccxt_config"]["options"]
    # The exchange answers one request after the other.
    exchange["ccxt_config"]["timeout"] = 1000 * LONGEST_S
    exchange["pair_whitelist"] = [
        f"{name.removesuffix('USDT')}/USDT:USDT" for name in names_of(count)
    ]
    return {
        **example,
        "exchange": exchange,
        "startup_candle_count": STARTUP,
        "internals": {"process_throttle_secs": 1},
    }


def measure(plan: Plan, said: Callable[[str], None]) -> Result:
    """Measure every size in turn; the bots of one size run at the same time."""
    bots = {}
    for count in plan.sizes:
        said(f"{count} pairs, {plan.loops} candles")
        with (
            tempfile.TemporaryDirectory() as folder,
            Server(EchoMarket(count)) as server,
        ):
            bots[count] = _side_by_side(Path(folder), configuration(server.url, count), plan.loops)
        for name, bot in bots[count].items():
            said(f"  {name}: {bot.last}")
    return Result(plan, bots)


def _side_by_side(folder: Path, config: dict[str, Any], loops: int) -> dict[str, Bot]:
    file = folder / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    running = {}
    for name, strategies in FOLDERS.items():
        (folder / name).mkdir()
        words = [str(file), name, str(strategies), str(loops)]
        with (folder / f"{name}.log").open("wb") as log:
            running[name] = subprocess.Popen(  # noqa: S603 - the bench's own words
                [sys.executable, "-m", "benchmarks.memory.bot", *words],
                cwd=REPOSITORY,
                env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
    told = {name: process.communicate(timeout=LONGEST_S)[0] for name, process in running.items()}
    for name, process in running.items():
        if process.returncode:
            said = (folder / f"{name}.log").read_text(encoding="utf-8")[-3000:]
            msg = f"expected {name} to run, it ended with {process.returncode}\n{said}"
            raise RuntimeError(msg)
    return {
        name: Bot(tuple(json.loads(line) for line in text.splitlines() if line.startswith("{")))
        for name, text in told.items()
    }
