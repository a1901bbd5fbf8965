"""`hydra record` as a process, in a freqtrade home with an embedded exchange."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import func, select

from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_schema import BOOKS
from loopback_exchange import freqtrade_exchange_config

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    import pytest

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
QUICK = {"report_every_s": 1, "flush_s": 0.2, "grace_s": 0.2, "quiet_s": 1, "book_every_s": 0.2}
SUB_MS = 10_000


class Home:
    """A freqtrade home of which an embedded exchange is the exchange."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.file = folder, folder / "hydra.dryrun.sqlite"
        self.config: dict[str, Any] = {
            "trading_mode": "futures",
            "dry_run": True,
            "exchange": freqtrade_exchange_config(url) | {"pair_whitelist": [BTC, ETH]},
            "hydra": {"recorder": QUICK},
        }
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *words: str, said: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        (self.folder / "config.json").write_text(json.dumps(self.config))
        paths = [*filter(None, [os.environ.get("PYTHONPATH")]), str(Path.cwd())]
        command = [sys.executable, "-m", "hydra_ft.cli.main", "record"]
        started = subprocess.Popen(
            [*command, "--userdir", str(self.folder), *words],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdout=said,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(started)
        return started

    def refusal(self, capsys: pytest.CaptureFixture[str], *words: str, **config: Any) -> str:
        """What a start that cannot succeed says."""
        (self.folder / "config.json").write_text(json.dumps(self.config | config))
        assert main(["record", "--userdir", str(self.folder), *words]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        return shown.err

    def kept(self, pair: str = BTC) -> list[tuple[int, int, int]]:
        """Time, count and last id of the sub-bars of a pair; none while there is no database."""
        if not self.file.exists():
            return []
        database = Database(f"sqlite:///{self.file}")
        bars = FlowStore(database, "binance").last(pair, SUB_MS, 1_000)
        database.close()
        if bars is None:
            return []
        rows = (bars.time, bars.count, bars.last_id)
        return list(zip(*(column.tolist() for column in rows), strict=True))

    def books(self, pair: str) -> int:
        """How many samples of the book of a pair are kept."""
        database = Database(f"sqlite:///{self.file}")
        store = FlowStore(database, "binance")
        query = select(func.count()).where(BOOKS.c.market == store.markets.number(pair))
        with database.transaction() as connection:
            count: int = connection.execute(query).scalar_one()
        database.close()
        return count


def read_until(process: subprocess.Popen[str], holds: Callable[[str], bool]) -> str:
    """First line for which something holds."""
    assert process.stdout is not None
    for line in process.stdout:
        if holds(line):
            return line
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


def is_recording(line: str) -> bool:
    """Whether a line about how it goes says that all feeds stand, and something was written."""
    return line.count(" up, ") == 3 and "written 0," not in line


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err
