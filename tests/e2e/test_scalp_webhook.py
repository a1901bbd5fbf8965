"""Both edges of HydraScalp's signal reach a webhook, from freqtrade's own ``trade`` command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from commands.freqtrade_commands import configuration, environment
from commands.scalper_market import GRID, MINUTE, NARROW, PAIR, STEP, WIDE, Tape
from freqtrade.enums import RPCMessageType
from freqtrade.rpc.webhook import Webhook

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.ci, pytest.mark.timeout(300)]
BEFORE = 70
GRACE_S = 2.5
"""What a recorder waits for late trades, and its write."""


@dataclass
class Receiver:
    """A server on 127.0.0.1 that keeps what it is sent."""

    got: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        got = self.got

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if text.startswith("{"):
                    got.append((time.time(), self.path, json.loads(text)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/update_settings"

    def active(self) -> list[bool]:
        return [told["settings"]["signal_active"] for _, _, told in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Recorded:
    """Writes bars of 10 s as they close, as a recorder would; one is quiet when it is asked for."""

    def __init__(self, file: Path) -> None:
        self._database = Database(f"sqlite:///{file}")
        self._store = FlowStore(self._database, "binance")
        self._begin = (int(time.time() * 1000) // MINUTE - BEFORE * STEP // MINUTE) * MINUTE
        self._folder = FlowFolder(GRID, MINUTE, STEP, covered_from=self._begin)
        self._random = np.random.default_rng(5)
        self._ids = 0
        self._next = self._begin
        self.wants_quiet = False
        self.quiet_closes: list[int] = []

    def write(self) -> None:
        """Write all bars that have closed by now."""
        now = int((time.time() - GRACE_S) * 1000)
        if self._next + STEP > now:
            return
        while self._next + STEP <= now:
            self._folder.fold(self._bar(is_last=self._next + 2 * STEP > now))
            self._next += STEP
        self._store.put([(PAIR, self._folder.advance(self._next))])

    def _bar(self, *, is_last: bool) -> Any:
        jitter = self._random.uniform()
        half, volume = WIDE * (0.95 + 0.1 * jitter), 12.0 - 4 * jitter
        if is_last and self.wants_quiet:
            self.wants_quiet = False
            self.quiet_closes.append(self._next + STEP)
            half, volume = NARROW, 2.0
        prices = (60_000.0, 60_000.0 * (1 + half), 60_000.0 * (1 - half), 60_000.0)
        columns = (np.array([round(price, 1)]) for price in prices)
        bar = Tape(np.array([self._next]), *columns, np.array([volume]))
        trades = bar.trades()
        trades.id[:] += self._ids
        self._ids += len(trades)
        return trades

    def until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Write until something is so, or the time is over."""
        end = time.monotonic() + limit_s
        while not condition() and time.monotonic() < end:
            self.write()
            time.sleep(0.2)
        return condition()

    def close(self) -> None:
        self._database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def configured(url: str, receiver: Receiver, folder: Path) -> Path:
    """The configuration of docs/scalp.md, dry, on the embedded exchange."""
    config = configuration(url, (PAIR,)) | {
        "dry_run": True,
        "strategy": "HydraScalp",
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
        "hydra": {"feeds": ["candles", "funding", "open_interest", "trades"]},
        "webhook": {
            "enabled": True,
            "url": receiver.url,
            "format": "raw",
            "timeout": 1,
            "retries": 1,
            "allow_custom_messages": True,
            "strategy_msg": {"data": "{msg}"},
        },
    }
    file = folder / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def started(config: Path, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    words = (sys.executable, "-m", "freqtrade", "trade", "--config", str(config))
    return subprocess.Popen(
        [*words, "--userdir", str(folder / "user_data")],
        cwd=folder,
        env={**os.environ, **environment()},
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )


def test_both_edges_reach_the_receiver_and_a_stop_ends_what_stands(
    receiver: Receiver, tmp_path: Path
) -> None:
    """F-B1: the first state, on, off; on again, and off as the bot is stopped."""
    (tmp_path / "user_data").mkdir()
    log = tmp_path / "log"
    recorded = Recorded(tmp_path / "user_data" / "hydra.dryrun.sqlite")
    recorded.write()
    with Server(Market(seed=7)) as server:
        bot = started(configured(server.url, receiver, tmp_path), tmp_path, log)
        try:
            assert recorded.until(lambda: receiver.active() == [False], 120), log.read_text()
            recorded.wants_quiet = True
            assert recorded.until(lambda: receiver.active() == [False, True, False], 60)
            recorded.wants_quiet = True
            assert recorded.until(lambda: receiver.active()[3:] == [True], 60)
            bot.send_signal(signal.SIGINT)
            assert recorded.until(lambda: bot.poll() is not None, 60)
        finally:
            bot.kill()
            bot.wait(60)
            recorded.close()
    assert receiver.active() == [False, True, False, True, False]
    check(receiver, recorded.quiet_closes, log.read_text())


def check(receiver: Receiver, closes: list[int], said: str) -> None:
    """The bodies are the receiver's own, and each came while it still counted."""
    assert {path for _, path, _ in receiver.got} == {"/update_settings"}
    for (at, _, told), close in zip((receiver.got[1], receiver.got[3]), closes, strict=True):
        assert told["strategy_name"] == "HydraScalp"
        assert told["symbol"] == "BTCUSDT"
        assert told["expires_at"] == close + 2 * STEP
        assert close < at * 1000 < told["expires_at"]
    assert "Could not call webhook" not in said
    assert "Traceback" not in said, said


def test_a_receiver_that_never_answers_holds_a_message_up_for_two_seconds(
    receiver: Receiver, tmp_path: Path
) -> None:
    """With the timeout and the retry that docs/scalp.md asks for; freqtrade's own are 10 s."""
    deaf = socket.create_server(("127.0.0.1", 0))
    receiver.close()
    webhook = json.loads(configured("http://127.0.0.1:1", receiver, tmp_path).read_text())
    webhook["webhook"]["url"] = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
    sender = Webhook(None, webhook)
    began = time.monotonic()
    sender.send_msg({"type": RPCMessageType.STRATEGY_MSG, "msg": '{"a": 1}'})
    assert 1.9 < time.monotonic() - began < 15  # freqtrade's own time-outs would take 20
    deaf.close()
