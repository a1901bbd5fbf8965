"""config.json.example: freqtrade accepts it, it holds no secret and pins no number."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from hydra_ft.adapter.configuration import load_configuration
from hydra_ft.settings import Settings, defaults, load_settings

EXAMPLE = Path(__file__).parents[1] / "config.json.example"
SECRET_NAME = re.compile(r"key|secret|token|password|chat_id|^uid|username|url|wallet_address")


def example() -> dict[str, Any]:
    """The file, read as plain JSON without comments."""
    config: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return config


def secrets(part: object, name: str = "") -> list[str]:
    """Keys that look like those of a secret and are not empty, and long random texts."""
    if isinstance(part, dict):
        return [found for key, value in part.items() for found in secrets(value, key)]
    if isinstance(part, list):
        return [found for value in part for found in secrets(value, name)]
    looks_secret = SECRET_NAME.search(name.lower()) is not None
    random_text = isinstance(part, str) and re.fullmatch(r"[A-Za-z0-9+/=_-]{24,}", part)
    return [name] if part and (looks_secret or random_text) else []


def test_freqtrade_loads_it_and_its_schema_accepts_it(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "config.json")
    config = load_configuration([str(tmp_path / "config.json")], tmp_path)
    assert config["dry_run"] is True
    assert (config["trading_mode"], config["margin_mode"]) == ("futures", "isolated")
    assert config["original_config"]["hydra"] == example()["hydra"]


def test_it_holds_no_secret() -> None:
    assert secrets(example()) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"exchange": {"api_key": "abc"}},
        {"telegram": {"chat_id": 5}},
        {"x": ["vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv"]},
    ],
)
def test_the_search_finds_a_planted_secret(planted: dict[str, Any]) -> None:
    assert secrets(planted) != []


def test_its_hydra_section_loads_and_pins_no_number() -> None:
    """A number here would stand over the head's, over HydraFlow.json and over hyperopt."""
    section = example()["hydra"]
    assert load_settings(section) == Settings()
    chase = {"enabled": True, "entry": {}, "exit": {}}
    assert section == {"bot_name": defaults()["bot_name"], "chase": chase}


def test_freqtrade_is_silent_about_children_and_speaks_of_all_else() -> None:
    told = example()["telegram"]["notification_settings"]
    silent = {f"{side}{what}" for side in ("entry", "exit") for what in ("", "_fill", "_cancel")}
    assert {name for name, loudness in told.items() if loudness == "off"} == silent
    assert told["strategy_msg"] == told["warning"] == told["protection_trigger"] == "on"


def test_its_order_prefix_is_that_of_the_default_bot_name() -> None:
    broker = example()["exchange"]["ccxt_config"]["options"]["broker"]
    assert broker == dict.fromkeys(("swap", "future", "spot"), Settings().order_prefix)


def test_the_api_server_is_off_and_on_this_machine_only() -> None:
    server = example()["api_server"]
    assert (server["enabled"], server["listen_ip_address"]) == (False, "127.0.0.1")


def test_it_trades_eight_majors_from_a_fixed_list() -> None:
    config = example()
    assert len(config["exchange"]["pair_whitelist"]) == 8
    assert config["pairlists"] == [{"method": "StaticPairList"}]
