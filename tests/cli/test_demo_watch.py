"""What the demo prints of the ledger: every bar once, counted as bars, and how to ask why."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from hydra_ft.cli.demo.watch import Watch
from hydra_ft.cli.demo.workspace import Workspace
from hydra_ft.cli.main import main
from hydra_ft.settings import Settings
from hydra_ft.store.database import Database
from hydra_ft.store.decisions import DecisionRow, DecisionStore
from loopback_exchange.market import Market
from loopback_exchange.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BTC, STEP_MS, START = "BTC/USDT:USDT", 300_000, 1_772_539_200_000
BLOCKED = DecisionRow(BTC, START, START, 1, "no_signal", ("no_signal",))
PASSED = replace(
    BLOCKED, at=START + 3 * STEP_MS, until=START + 3 * STEP_MS, code="ok", codes=(), side="long"
)


class Scene:
    """A demo without its bot: the test writes the ledger, the watch prints it."""

    def __init__(self, folder: Path, server: Server) -> None:
        workspace = Workspace(folder / ".demo", 8080, "")
        workspace.userdir.mkdir(parents=True)
        workspace.configure(server.url, ["BTCUSDT"])
        self.store = DecisionStore(Database(workspace.hydra_url), Settings().bot_name)
        self._out = StringIO()
        console = Console(file=self._out, soft_wrap=True, highlight=False)
        self.watch = Watch(console, workspace, server)

    def seen(self) -> list[str]:
        """Lines that a look prints."""
        self._out.truncate(0)
        self._out.seek(0)
        self.watch.look()
        return self._out.getvalue().splitlines()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Market(seed=7), control=True) as running:
        yield running


@pytest.fixture
def scene(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.chdir(tmp_path)
    return Scene(tmp_path, server)


def grown(row: DecisionRow, bars: int) -> DecisionRow:
    """The row as it stands for so many bars."""
    return replace(row, bars=bars, until=row.at + (bars - 1) * STEP_MS)


def test_a_bar_that_shares_a_row_is_printed_once_like_any_other(scene: Scene) -> None:
    scene.store.record([BLOCKED])
    assert ["12:00 close" in line for line in scene.seen()] == [True]
    assert scene.seen() == []
    scene.store.record([grown(BLOCKED, 2)])
    (line,) = scene.seen()
    assert "12:05 close" in line
    assert "no entry: no permitted signal fires" in line


def test_what_keeps_a_pass_from_being_sent_is_printed_when_it_is_known(scene: Scene) -> None:
    scene.store.record([PASSED])
    assert "signal" in scene.seen()[0]
    scene.store.note_outcomes([(BTC, PASSED.at, "veto_side", ("veto_side",), "")])
    (line,) = scene.seen()
    assert "not sent: too many positions on this side" in line
    scene.store.note_outcomes([(BTC, PASSED.at, "filled", ("filled",), "")])
    assert scene.seen() == []


def test_the_summary_counts_bars_of_both_stages(scene: Scene) -> None:
    passed = replace(PASSED, outcome="filled", outcomes=("filled",))
    scene.store.record([grown(BLOCKED, 3), passed])
    said = scene.watch.summary().splitlines()
    assert said[0] == "4 bars decided; blocked: no_signal 3."
    assert said[1] == "1 may trade: filled 1."


def test_the_last_lines_can_be_typed_as_they_stand(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time() * 1000) // STEP_MS * STEP_MS
    blocked = grown(replace(BLOCKED, pair="ADA/USDT:USDT", at=now - 2 * STEP_MS), 3)
    scene.store.record([blocked, replace(PASSED, at=now, until=now)])
    lines = [line for line in scene.watch.summary().splitlines() if " why " in line]
    assert len(lines) == 2
    assert BTC in lines[1], "the pair that may trade"
    for line in lines:
        words = shlex.split(line)
        assert words[0].endswith("hydra")
        assert main(words[1:]) == 0
        assert "Nothing" not in capsys.readouterr().out
    assert main([*shlex.split(lines[0])[1:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stages"][0]["entered"] == 4
