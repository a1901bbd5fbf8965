"""The worked example in CONTRIBUTING.md works: a signal, its test, one line, and it decides."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
NAME = "day_breakout"
SIGNAL = f"hydra_ft/signals/{NAME}.py"
TEST = f"tests/signals/test_{NAME}.py"
STRATEGY = "strategies/HydraFlow.py"
COPIED = ("hydra_ft", "strategies", "tests/signals", "tests/bars")

# Runs in a copy of the repository into which the steps of the page were put.
CHECK = """
import json, sys
from pathlib import Path
import pytest
from bars.synthetic import random_frames
import hydra_ft
from HydraFlow import HydraFlow
from hydra_ft.decisions.pipeline import decide
from hydra_ft.decisions.reasons import CODES
from hydra_ft.decisions.thresholds import thresholds
from hydra_ft.signals.documentation import render
from hydra_ft.signals.registry import SIGNALS
from hydra_ft.types import Feed

rules = HydraFlow.rules
found = decide(random_frames(60, seed=2), rules, (Feed.CANDLES, Feed.FUNDING))
print(json.dumps({
    "tested": int(pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", sys.argv[1]])),
    "package": str(Path(hydra_ft.__file__).parents[1]),
    "entries": [rules.signals[int(number)].name for number in found.signal if number >= 0],
    "errors": dict(found.errors),
    "columns": sorted(found.columns),
    "codes": CODES,
    "thresholds": sorted(thresholds(rules)),
    "documentation": render(SIGNALS),
}))
"""


def steps(page: str) -> dict[str, str]:
    """Code of each step of the section on signals, by the file it belongs to."""
    section = page.partition("\n## Adding a signal\n")[2].partition("\n## ")[0]
    found: dict[str, str] = {}
    for step in re.split(r"\n\*\*\d+\. ", section)[1:]:
        path, code = (
            re.search(r"`([^`]+)`", step),
            re.search(r"\n```(?:python|diff)\n(.*?)```", step, re.DOTALL),
        )
        if path and code:
            found[path[1]] = code[1].removeprefix("+")
    missing = [name for name in (SIGNAL, TEST, STRATEGY) if name not in found]
    if missing:
        pytest.fail(f"CONTRIBUTING.md: expected a numbered step with code for {missing[0]}")
    if "`make docs`" not in section:
        pytest.fail("CONTRIBUTING.md: expected a step with `make docs`")
    return found


def followed(page: str, root: Path) -> Path:
    """A copy of what is needed of the repository, after the steps of the page."""
    done = steps(page)
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, root / name, ignore=ignored)
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    for name in (SIGNAL, TEST):
        assert not (root / name).exists(), f"{name} is an example: it is not to exist"
        (root / name).write_text(done[name], encoding="utf-8")
    strategy = root / STRATEGY
    before = strategy.read_text(encoding="utf-8")
    assert before.count("signals=(") == 1
    strategy.write_text(before.replace("signals=(", f"signals=(\n{done[STRATEGY]}"), "utf-8")
    return root


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's copy with the example in it."""
    return followed(PAGE, tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def outcome(copy: Path) -> dict[str, Any]:
    """What the copy says of itself, from a process of its own."""
    paths = [str(copy), str(copy / "tests"), str(copy / "strategies")]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, TEST],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert answer["package"] == str(copy), "the copy must be what was run"
    return answer


def test_the_test_on_the_page_passes(outcome: dict[str, Any]) -> None:
    assert outcome["tested"] == 0


def test_one_more_line_and_the_strategy_decides_with_it(outcome: dict[str, Any]) -> None:
    assert outcome["errors"] == {}
    assert NAME in outcome["entries"]
    assert len(set(outcome["entries"])) > 1
    assert {"high_24_1h", "low_24_1h"} <= set(outcome["columns"])


def test_its_codes_and_thresholds_follow_from_the_declaration(outcome: dict[str, Any]) -> None:
    assert {f"regime_not_allowed:{NAME}", f"signal_error:{NAME}"} <= set(outcome["codes"])
    assert f"signals.{NAME}.min_break" in outcome["thresholds"]


def test_the_code_on_the_page_is_in_the_style_of_the_house(copy: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", SIGNAL, TEST],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_docstring_and_thresholds_are_on_the_page_of_signals(outcome: dict[str, Any]) -> None:
    _, _, section = outcome["documentation"].partition(f"\n### {NAME}\n")
    section = section.partition("\n### ")[0]
    assert "The price is above the high (below the low) of the last 24 closed hours" in section
    assert "| `min_break` | 0.001 |" in section
    assert "cooldown: 6 h" in section


@pytest.mark.parametrize("name", [SIGNAL, TEST, STRATEGY])
def test_a_step_that_is_missing_from_the_page_is_named(name: str) -> None:
    code = steps(PAGE)[name]
    assert code in PAGE
    with pytest.raises(pytest.fail.Exception, match=f"for {name}$"):
        steps(re.sub(rf"```\w+\n\+?{re.escape(code)}```", "", PAGE))


def test_a_page_that_forgets_the_documentation_is_caught() -> None:
    with pytest.raises(pytest.fail.Exception, match="make docs"):
        steps(PAGE.replace("`make docs` writes it into", "It is written into"))
