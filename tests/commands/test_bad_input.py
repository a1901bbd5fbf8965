"""A mistake in the configuration stops the start with one message that says what to change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from commands.freqtrade_commands import TESTED, Home

from loopback_exchange import Market, Server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e
PRINTED = {"config.json", "output.log", "user_data"}


def changed(config: dict[str, Any], path: str, value: object) -> None:
    """Set a value deep in a configuration."""
    *above, last = path.split(".")
    for key in above:
        config = config[key]
    config[last] = value


SETTINGS = [
    ("hydra.feedz", None, ("hydra.feedz", "unknown key", "did you mean hydra.feeds")),
    ("hydra.chase.entry.deadlines", 9, ("did you mean hydra.chase.entry.deadline_s",)),
    ("hydra.chase.entry.max_requotes", -1, ("hydra.chase.entry.max_requotes", "0 to 1000", "-1")),
    ("hydra.chase.exit.deadline_s", "soon", ("hydra.chase.exit.deadline_s", "number", '"soon"')),
    ("hydra.feeds", ["candles", "weather"], ("hydra.feeds", "weather", "funding")),
    ("hydra.bot_name", "my-bot", ("hydra.bot_name", "my-bot")),
    ("hydra", [1], ("hydra", "section", "[1]")),
    ("startup_candle_count", 100, ("startup_candle_count", "at least 253", "100", "remove")),
    ("margin_mode", "cross", ("margin_mode", "isolated", "cross")),
    ("unfilledtimeout.entry", 2, ("unfilledtimeout.entry", "deadline_s", "120 s")),
]


@pytest.mark.parametrize(("path", "value", "told"), SETTINGS, ids=[s[0] for s in SETTINGS])
@pytest.mark.parametrize("command", ["backtesting", "trade"])
def test_a_wrong_setting_is_refused_by_name(
    empty: Home, command: str, path: str, value: object, told: tuple[str, ...]
) -> None:
    changed(empty.config, path, value)
    done = empty.freqtrade(command, *(TESTED if command == "backtesting" else ()))
    message = done.refusal()
    assert all(word in message for word in told), message
    assert not list(empty.folder.glob("**/hydra*.sqlite")), "nothing was begun"


@pytest.mark.parametrize("command", ["backtesting", "trade"])
def test_spot_is_refused_by_the_name_of_the_setting(empty: Home, command: str) -> None:
    empty.config |= {"trading_mode": "spot", "margin_mode": ""}
    empty.config["exchange"]["pair_whitelist"] = ["BTC/USDT", "ETH/USDT"]
    done = empty.freqtrade(command, *(TESTED if command == "backtesting" else ()))
    message = done.refusal()
    assert 'trading_mode: expected futures only; it was "spot"; set "futures"' in message


def test_live_mode_without_a_key_names_the_key(empty: Home) -> None:
    """Freqtrade asks the exchange for its leverage tiers before it loads any strategy."""
    empty.config["dry_run"] = False
    empty.config["exchange"] |= {"key": "", "secret": ""}
    message = empty.freqtrade("trade").refusal()
    assert "apiKey" in message


def test_live_mode_without_the_order_prefix_names_it(empty: Home) -> None:
    empty.config["dry_run"] = False
    del empty.config["exchange"]["ccxt_config"]["options"]["broker"]
    message = empty.freqtrade("trade").refusal()
    assert 'broker.swap: expected "hydra-hydra-"; it was missing; set "hydra-hydra-"' in message


def test_an_exchange_that_is_down_stops_the_start_without_a_trace_of_ours(
    empty: Home, tmp_path: Path
) -> None:
    with Server(Market(seed=7)) as gone:
        address = gone.url
    for command in (("trade",), ("backtesting", *TESTED)):
        empty.config = at(empty.config, address)
        done = empty.freqtrade(*command)
        assert done.code == 2
        assert done.errors()[-1].startswith("Could not load markets, therefore cannot start.")
        assert "hydra_ft" not in done.output
    assert not list(tmp_path.glob("**/hydra*.sqlite"))


def at(config: dict[str, Any], address: str) -> dict[str, Any]:
    """The configuration with every route of the exchange at another address."""
    from loopback_exchange.urls import ccxt_urls

    config["exchange"]["ccxt_config"]["urls"]["api"] = ccxt_urls(address)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    return config
