"""The memory bench compares bots of which one has nothing of Hydra, and says what it measured."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from benchmarks.memory.bench import (
    BARE,
    FLOW,
    REPOSITORY,
    WIDE,
    Bot,
    Plan,
    Result,
    configuration,
    measure,
)
from benchmarks.memory.bot import held_mb
from benchmarks.memory.market import EchoMarket
from benchmarks.memory.page import render

START_MS = 1_750_032_000_000


def look(at: str, rss_mb: float, pairs: int = 50) -> dict[str, Any]:
    loop = {"pairs": pairs, "rows": 998, "columns": 8, "loop_s": 2.0, "loop_cpu_s": 1.0}
    return {"at": at, "rss_mb": rss_mb, "peak_mb": rss_mb, **loop}


def bot(imported: float, first: float, last: float, pairs: int) -> Bot:
    names = {"imported": imported, "started": imported, "loop 1": first, "loop 2": last}
    return Bot(tuple(look(at, held, pairs) for at, held in names.items()))


def result(pairs: int = 250) -> Result:
    bots = {
        50: {
            BARE: bot(300, 310, 320, 50),
            WIDE: bot(300, 320, 330, 50),
            FLOW: bot(300, 380, 400, 50),
        },
        250: {
            BARE: bot(300, 350, 360, 250),
            WIDE: bot(300, 390, 400, 250),
            FLOW: bot(300, 600, 660, pairs),
        },
    }
    return Result(Plan((50, 250), 2), bots)


def test_both_ratios_are_those_of_the_largest_size() -> None:
    page = render(result(), 600.0)
    assert "| HydraFlow with 250 pairs, in bare bots with as many | 2 | 1.83 | yes |" in page
    assert "| the same, in bare bots that have only been imported | 2 | 2.20 | **no** |" in page
    assert "bare freqtrade 0.20 MB" in page
    assert "HydraFlow 1.30 MB" in page


def test_pairs_that_were_not_analysed_are_said_in_bold() -> None:
    assert "**Analysed" not in render(result(), 600.0)
    assert "**Analysed were [249, 250].**" in render(result(pairs=249), 600.0)


def test_memory_is_that_of_this_process() -> None:
    before = held_mb("VmRSS")
    kept = bytearray(b"x") * 50_000_000
    assert held_mb("VmRSS") - before > 45
    assert held_mb("VmHWM") >= held_mb("VmRSS") - 1
    assert len(kept) == 50_000_000
    with pytest.raises(ValueError, match="expected VmNone"):
        held_mb("VmNone")


def test_every_pair_is_one_of_the_exchange_and_moves_as_one_of_eight() -> None:
    market = EchoMarket(250)
    pairs = configuration("http://127.0.0.1:1", 250)["exchange"]["pair_whitelist"]
    assert {pair.split(":")[0].replace("/", "") for pair in pairs} == set(market.symbols)
    assert len(market.symbols) == 250
    closes = [
        market.klines(name, 300_000, START_MS, START_MS + 3_000_000)["close"].tolist()
        for name in market.symbols[:17]
    ]
    assert closes[0] == closes[8] == closes[16] != closes[1]
    assert market.spec("H008USDT").tick == market.spec("H000USDT").tick


@pytest.mark.e2e
def test_a_bare_bot_has_nothing_of_hydra() -> None:
    code = """
import sys
from pathlib import Path
import benchmarks.memory.bot
from freqtrade.resolvers import StrategyResolver
folder = Path("benchmarks/memory/strategies")
given = {"strategy": "BareWide", "strategy_path": str(folder), "user_data_dir": folder}
given["trading_mode"] = "futures"
assert StrategyResolver.load_strategy(given).timeframe == "5m"
print([name for name in sys.modules if name.startswith("hydra_ft")])
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("[]")


@pytest.mark.ci
def test_real_bots_are_measured_beside_each_other() -> None:
    said: list[str] = []
    found = measure(Plan(sizes=(2,), loops=1), said.append)
    assert said
    for name, one in found.bots[2].items():
        assert one.last["pairs"] == 2, name
        assert one.last["rows"] >= 990
        assert one.last["rss_mb"] > 100
    columns = {name: one.last["columns"] for name, one in found.bots[2].items()}
    assert columns[FLOW] > columns[BARE] + 50
    assert columns[WIDE] == columns[BARE]
    assert "nan" not in render(found, 60.0)
