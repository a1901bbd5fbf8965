"""What freqtrade's commands do with HydraFlow where everything is in place."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from commands.freqtrade_commands import COMMAND_S, PAIRS, REPOSITORY, TESTED, Home, environment

from hydra_ft.adapter.heads import load_rules
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Bias, Regime

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e
FUNNEL = re.compile(r"(\S+/\S+): (\d+) bars decided: (.*)")


def funnels(output: str) -> Iterator[tuple[str, int, dict[str, int]]]:
    """Pair, number of bars and bars per first code, of every funnel that was logged."""
    for pair, bars, reasons in FUNNEL.findall(output):
        words = (part.rsplit(" ", 1) for part in reasons.split(", "))
        yield pair, int(bars), {code: int(count) for code, count in words}


def expect_counts_to_add_up(result: dict[str, Any], *, light: bool) -> None:
    """Trades, enter tags and exit reasons count the same, and tags name what decided."""
    trades = result["trades"]
    assert len(trades) == result["total_trades"] > 0
    tables = ("results_per_enter_tag", "exit_reason_summary", "results_per_pair", "mix_tag_stats")
    for table in tables:
        rows = [row for row in result[table] if row["key"] not in ("TOTAL", ["TOTAL", ""])]
        assert sum(row["trades"] for row in rows) == len(trades), table
    for trade in trades:
        signal, regime, bias, *mark = trade["enter_tag"].split("|")
        assert signal in SIGNALS
        assert regime in Regime.__members__
        assert bias in Bias.__members__
        assert mark == (["light"] if light else [])


@pytest.fixture(scope="module")
def tested(downloaded: Home) -> tuple[dict[str, Any], str]:
    """Result and output of a backtest over the download."""
    done = downloaded.freqtrade("backtesting", *TESTED)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    return downloaded.result(), done.output


def test_a_backtest_over_downloaded_data_trades_and_its_counts_add_up(
    tested: tuple[dict[str, Any], str],
) -> None:
    expect_counts_to_add_up(tested[0], light=True)


def test_the_funnel_of_every_pair_adds_up_and_lets_the_trades_through(
    tested: tuple[dict[str, Any], str],
) -> None:
    result, output = tested
    found = list(funnels(output))
    assert [pair for pair, _, _ in found] == list(PAIRS)
    for pair, bars, counts in found:
        assert sum(counts.values()) == bars
        opened = sum(trade["pair"] == pair for trade in result["trades"])
        assert 0 < opened <= counts["ok"]


def test_narrowed_feeds_are_marked_in_every_tag(home: Home) -> None:
    home.config["hydra"]["feeds"] = ["candles", "funding"]
    assert home.freqtrade("backtesting", *TESTED).code == 0
    expect_counts_to_add_up(home.result(), light=True)


def test_list_strategies_shows_the_head_as_ok(empty: Home) -> None:
    """Once as users run it: a process of its own, from another folder."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "freqtrade", "list-strategies", "--no-color"),
            *("--strategy-path", str(REPOSITORY / "strategies")),
            *("--userdir", str(empty.userdir)),
        ],
        cwd=empty.folder,
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if "HydraFlow.py" in line]
    cells = [cell.strip() for cell in row.split("│")]
    assert cells[1:4] == ["HydraFlow", "HydraFlow.py", "OK"]


def test_show_config_gives_the_hydra_section_back(empty: Home) -> None:
    done = empty.freqtrade("show-config")
    assert done.code == 0, done.output
    shown = json.loads(done.output[done.output.index("{\n") :])
    assert shown["hydra"] == empty.config["hydra"]
    assert shown["strategy"] == load_rules("HydraFlow", REPOSITORY / "strategies").name
