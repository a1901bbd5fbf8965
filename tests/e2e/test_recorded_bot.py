"""A bot that records its own pairs decides on what it records, over a reload and until its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from waiting import wait_until

from benchmarks.recorded.freqtrade_home import configuration, environment
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionStore
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import Proof, Stretch, cover
from hydra_ft.store.sole import sole
from hydra_ft.types import Feed
from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.ci, pytest.mark.timeout(600)]
BTC = "BTC/USDT:USDT"
MINUTE, DAY = 60_000, 86_400_000
NAME, WORD, KEY = "somebody", "loopback", "a key of no worth, but long enough"
QUICK = {"report_every_s": 5, "flush_s": 0.2, "grace_s": 0.5, "quiet_s": 1}
"""A pair that trades every other second only: without it the clock closes bars late."""
BLOCKED = ("warmup", "data_stale:")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Home:
    """A freqtrade home in dry-run mode, and the process of its bot."""

    def __init__(self, folder: Path, exchange_url: str) -> None:
        self.folder, self.userdir = folder, folder / "user_data"
        self.userdir.mkdir()
        self.file = self.userdir / "hydra.dryrun.sqlite"
        self.port = free_port()
        config = configuration(exchange_url, (BTC,)) | {
            "strategy_path": str(Path(__file__).parent / "strategies"),
            "strategy": "MinuteFlow",
            "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
            "internals": {"process_throttle_secs": 1},
            "hydra": {
                "bot_name": "test",
                "feeds": [
                    "candles",
                    "funding",
                    "open_interest",
                    "trades",
                    "liquidations",
                    "book",
                ],
                "recorder": {"in_bot": True, **QUICK},
            },
            "api_server": {
                "enabled": True,
                "listen_ip_address": "127.0.0.1",
                "listen_port": self.port,
                "username": NAME,
                "password": WORD,
                "jwt_secret_key": KEY,
                "ws_token": KEY,
            },
        }
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def run(self, module: str, *words: str) -> None:
        """Run a command to its end."""
        done = subprocess.run(
            self._command(module, *words),
            env=os.environ | environment(),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def trade(self) -> subprocess.Popen[str]:
        log = (self.folder / "bot.log").open("w", encoding="utf-8")
        return subprocess.Popen(
            self._command("freqtrade", "trade"),
            env=os.environ | environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _command(self, module: str, *words: str) -> list[str]:
        place = ("--config", str(self.folder / "config.json"), "--userdir", str(self.userdir))
        return [sys.executable, "-m", module, *words, *place]

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    def codes(self) -> dict[int, str]:
        """Code of each bar that the bot has decided on, by its close."""
        database = Database(f"sqlite:///{self.file}")
        rows = DecisionStore(database, "test").since(0, BTC)
        database.close()
        return {at: row.code for row in rows for at in range(row.at, row.until + 1, MINUTE)}

    def ask(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        return httpx.post(url, auth=(NAME, WORD), timeout=60).raise_for_status().json()


@pytest.fixture(scope="module")
def exchange() -> Iterator[Server]:
    with Server(Market(seed=7, symbols=("BTCUSDT",))) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, exchange: Server) -> Home:
    made = Home(tmp_path, exchange.url)
    words = ("download-data", "--dl-trades", "--days", "2", "--pairs", BTC)
    made.run("freqtrade", *words)
    made.run("hydra_ft.cli.main", "data", "build")
    return made


def stand_until(home: Home, until: int, *feeds: Feed) -> None:
    """Say that these feeds were listened to: no exchange tells of what is past of them."""
    database = Database(f"sqlite:///{home.file}")
    number = FlowStore(database, "binance").markets.number(BTC)
    with database.transaction() as connection:
        standing = Stretch(until - DAY, until)
        cover(connection, [Proof(number, feed, standing) for feed in feeds])
    database.close()


def until(condition: Callable[[], object], process: subprocess.Popen[str], home: Home) -> None:
    def is_so() -> object:
        found = condition()
        assert found or process.poll() is None, home.log[-3000:]
        return found

    try:
        wait_until(is_so, 180, every_s=0.5)
    except AssertionError as error:
        raise AssertionError(home.log[-5000:]) from error


def decided_after(home: Home, at: int) -> dict[int, str]:
    """Codes of the bars that have closed later, but for those that something is missing for."""
    return {
        close: code
        for close, code in home.codes().items()
        if close > at and not code.startswith(BLOCKED)
    }


def test_a_bot_decides_on_the_trades_that_it_records(home: Home) -> None:
    built = int(time.time() * 1000)
    process = home.trade()
    try:
        until(lambda: "The bot records" in home.log, process, home)
        stand_until(home, int(time.time() * 1000) + 20_000, Feed.LIQUIDATIONS)
        # A book is known from the first minute on that was listened to as a whole.
        until(lambda: decided_after(home, built + MINUTE), process, home)
        reloaded = int(time.time() * 1000)
        assert home.ask("reload_config")["status"]
        until(lambda: home.log.count("The bot records") == 2, process, home)
        # What was liquidated while nobody listened cannot be fetched, other than trades.
        stand_until(home, int(time.time() * 1000) + 20_000, Feed.LIQUIDATIONS, Feed.BOOK)
        until(lambda: decided_after(home, reloaded), process, home)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, home.log[-3000:]
    finally:
        process.kill()
        process.wait(60)
    assert "another recorder is used" not in home.log
    assert "Traceback" not in home.log
    assert "recorder: trades up" in home.log
    assert "books are complete" in home.log
    with sole(f"sqlite:///{home.file}", "recorder-binance"):
        expect_whole_minutes(home, built, int(time.time() * 1000))


def expect_whole_minutes(home: Home, begin: int, end: int) -> None:
    """From the files over the start and the reload to the end no trade is missing."""
    database = Database(f"sqlite:///{home.file}")
    bars = FlowStore(database, "binance").between(BTC, MINUTE, begin - 60 * MINUTE, end)
    database.close()
    assert bars is not None
    assert len(bars) >= 62
    assert bars.whole[:-2].all(), bars.time[~bars.whole]
    assert (bars.count[:-2] > 0).all()
