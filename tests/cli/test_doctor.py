"""`hydra doctor`: a healthy home passes, and each fault is named with its remedy."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hydra_ft.cli.doctor import TESTED, database
from hydra_ft.cli.install import EXAMPLE
from hydra_ft.cli.main import main
from hydra_ft.store.database import Database
from hydra_ft.store.flow import FlowStore
from hydra_ft.store.flow_coverage import OWN, Proof, Stretch, cover
from hydra_ft.types import Feed
from hydra_ft.warmup import places

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A freqtrade home with Hydra installed."""
    # One wide line per check, whatever terminal the tests run in.
    monkeypatch.setenv("COLUMNS", "1000")
    main(["install", "--userdir", str(tmp_path)])
    return tmp_path


def doctor(home: Path, **changes: Any) -> int:
    """Run the command on the example configuration with changes."""
    config = json.loads((home / EXAMPLE).read_text(encoding="utf-8")) | changes
    (home / "config.json").write_text(json.dumps(config))
    return main(["doctor", "--userdir", str(home), "--config", str(home / "config.json")])


def test_a_fresh_install_is_healthy(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(home) == 0
    assert "fail" not in capsys.readouterr().out
    assert not (home / "hydra.sqlite").exists()


def test_kernels_that_are_not_compiled_are_a_warning(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor(home)
    assert "compiled, in" in capsys.readouterr().out
    monkeypatch.setenv(places.VARIABLE, str(home / "empty"))
    assert doctor(home) == 0
    assert f"run: hydra dev warmup --userdir {home}" in capsys.readouterr().out


def test_the_configuration_in_the_home_is_the_default(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor(home)
    assert main(["doctor", "--userdir", str(home)]) == 0
    assert "passes freqtrade's schema" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trading_mode": "spot", "margin_mode": ""}, "expected futures only"),
        ({"hydra": {"bot_nam": 1}}, "did you mean hydra.bot_name?"),
        ({"hydra": {"bot_name": "A"}}, "^[a-z0-9]{1,7}$"),
        ({"hydra": {"db_url": "nonsense"}}, "correct hydra.db_url"),
        ({"hydra": {"db_url": "sqlite:////no/such/place/x.sqlite"}}, "no directory to write to"),
        ({"dry_run": False}, "FREQTRADE__EXCHANGE__API_KEY"),
        ({"use_custom_stoploss": False}, "every stop of the head's risk policy"),
        ({"strategy": "Absent"}, "no Absent.py in"),
        ({"stake_currency": 5}, "freqtrade refuses the configuration"),
    ],
)
def test_each_fault_fails_with_its_remedy(
    home: Path,
    changes: dict[str, Any],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert doctor(home, **changes) == 1
    assert words in capsys.readouterr().out


def test_a_strategy_that_differs_is_a_warning(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "strategies" / "HydraFlow.py").write_text("class HydraFlow(X): ...\n")
    assert doctor(home) == 0
    assert "differs from this version's" in capsys.readouterr().out


def feed_line(home: Path, capsys: pytest.CaptureFixture[str], **hydra: Any) -> str:
    """What is said of trades."""
    listed = {"feeds": ["candles", "funding", "open_interest", "trades"]} | hydra
    capsys.readouterr()
    assert doctor(home, hydra=listed) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "feed trades" in row]
    return line


def keep(home: Path, age_ms: int, *pairs: str, source: str = OWN) -> None:
    database = Database(f"sqlite:///{home / 'hydra.dryrun.sqlite'}")
    store, now = FlowStore(database, "binance"), int(time.time() * 1000)
    with database.transaction() as connection:
        stretch = Stretch(now - age_ms - 3_600_000, now - age_ms)
        numbers = [store.markets.number(pair) for pair in pairs]
        cover(connection, [Proof(number, Feed.TRADES, stretch, source) for number in numbers])
    database.close()


def test_a_recorded_feed_that_nobody_records_is_a_warning(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bot would start, and trade nothing."""
    line = feed_line(home, capsys)
    assert line.startswith("warn")
    assert "nothing is recorded and nobody records; run: hydra record" in line
    assert "the bot does it, and trades once" in feed_line(home, capsys, recorder={"in_bot": True})
    assert not (home / "hydra.dryrun.sqlite").exists()
    whitelist = json.loads((home / EXAMPLE).read_text())["exchange"]["pair_whitelist"]
    keep(home, 3 * 3_600_000, *whitelist)
    line = feed_line(home, capsys)
    assert line.startswith("warn")
    assert "ended 3 h ago, and nobody records; before the bot trades run: hydra record" in line
    assert feed_line(home, capsys, recorder={"in_bot": True}).startswith("ok")
    keep(home, 20_000, *whitelist[1:])
    line = feed_line(home, capsys)
    assert line.startswith("warn")
    assert f"not recorded: {whitelist[0]}, which trades nothing; start hydra record anew" in line
    keep(home, 20_000, whitelist[0])
    line = feed_line(home, capsys)
    assert line.startswith("ok")
    assert "a recorder is at work" in line


def test_a_history_that_was_fetched_is_not_a_recorder_at_work(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whitelist = json.loads((home / EXAMPLE).read_text())["exchange"]["pair_whitelist"]
    keep(home, 20_000, *whitelist, source="vendor")
    line = feed_line(home, capsys)
    assert line.startswith("warn")
    assert "nothing is recorded and nobody records; run: hydra record" in line
    assert f"history of vendor: {len(whitelist)} pairs, the newest ended 2" in line
    keep(home, 3 * 3_600_000, *whitelist)
    line = feed_line(home, capsys)
    assert line.startswith("warn")
    assert "ended 3 h ago, and nobody records" in line


def test_a_feed_that_the_strategy_cannot_use_is_a_warning(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(home, hydra={"feeds": ["candles", "book"]}) == 0
    said = capsys.readouterr().out
    assert "expected feeds that HydraFlow can use (candles, funding," in said
    assert "it was also book, which nothing reads; remove it" in said
    assert "feed book" not in said


def test_a_configuration_that_is_not_there_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--userdir", str(home), "--config", "absent.json"]) == 1
    assert "absent.json" in capsys.readouterr().out


def test_a_password_in_the_database_address_is_not_shown() -> None:
    for url in ("postgresql://u:hunter2@127.0.0.1:1/x", "nonsense:hunter2"):
        assert "hunter2" not in database(url).detail


def test_the_tested_versions_are_the_pinned_ones() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    assert f"freqtrade=={TESTED['freqtrade']}" in project["dependencies"]
    for name, version in TESTED.items():
        assert f"\n{name}=={version} " in locked
