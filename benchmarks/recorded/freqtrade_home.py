"""A freqtrade home on this machine: its configuration, its commands, its newest result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback_exchange import freqtrade_exchange_config

REPOSITORY = Path(__file__).parents[2]
PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
COMMAND_S = 3600
"""Limit of one command, not its duration."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a command: the package from this checkout, and wide tables."""
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "400", "NO_COLOR": "1", **more}


def configuration(url: str, pairs: tuple[str, ...] = PAIRS) -> dict[str, Any]:
    """Return the example configuration of the pack, pointed at an embedded exchange."""
    example = json.loads((REPOSITORY / "config.json.example").read_text(encoding="utf-8"))
    exchange = freqtrade_exchange_config(url)
    broker = example["exchange"]["ccxt_config"]["options"]["broker"]
    exchange["ccxt_config"]["options"]["broker"] = broker
    exchange["pair_whitelist"] = list(pairs)
    return {**example, "exchange": exchange, "strategy_path": str(REPOSITORY / "strategies")}


def newest_result(userdir: Path) -> dict[str, Any]:
    """Return the newest exported result of a backtest, of its one strategy."""
    archive = max((userdir / "backtest_results").glob("*.zip"))
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(f"{archive.stem}.json")
    (only,) = json.loads(text)["strategy"].values()
    return dict(only)


@dataclass(frozen=True, slots=True)
class FreqtradeHome:
    """A folder in which freqtrade runs, each command in a process of its own."""

    folder: Path

    @property
    def userdir(self) -> Path:
        """Where freqtrade keeps data, strategies and results."""
        return self.folder / "user_data"

    def run(self, command: str, *words: str, config: dict[str, Any] | None = None) -> str:
        """Run a command and return what it said; end the program when it fails.

        With a configuration the command reads that one and nothing else.
        """
        self.userdir.mkdir(parents=True, exist_ok=True)
        place = ["--userdir", str(self.userdir)]
        if config is not None:
            file = self.folder / "config.json"
            file.write_text(json.dumps(config), encoding="utf-8")
            place = ["--config", str(file), *place]
        done = subprocess.run(  # noqa: S603 - freqtrade, with our own words
            [sys.executable, "-m", "freqtrade", command, *place, *words],
            cwd=self.folder,
            env={**os.environ, **environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode or " - ERROR - " in done.stdout:
            raise SystemExit(
                f"expected freqtrade {command} to end without an error, its code was "
                f"{done.returncode}; it said:\n{done.stdout[-3000:]}"
            )
        return done.stdout
