"""What fights the chase is found, and the example configuration has none of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from hydra_ft.adapter.configuration import Finding, check_configuration
from hydra_ft.adapter.heads import load_head
from hydra_ft.execution.policy import ChasePolicies, ChasePolicy

REPOSITORY = Path(__file__).parents[2]
PREFIX = "exchange.ccxt_config.options.broker"


def example() -> dict[str, Any]:
    """The example configuration."""
    text = (REPOSITORY / "config.json.example").read_text(encoding="utf-8")
    config: dict[str, Any] = json.loads(text)
    return config


def live(**exchange: Any) -> dict[str, Any]:
    """The example for real orders, with its exchange section changed."""
    config = example()
    return config | {"dry_run": False, "exchange": config["exchange"] | exchange}


def found(config: dict[str, Any]) -> list[tuple[str, str]]:
    """Level and key of all findings."""
    return [(finding.level, finding.key) for finding in check_configuration(config)]


def test_the_example_has_no_finding() -> None:
    assert check_configuration(example()) == []


def test_the_configuration_is_left_as_it_was() -> None:
    config = example()
    check_configuration(config)
    assert config == example()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trading_mode": "spot"}, ("fail", "trading_mode")),
        ({"margin_mode": "cross"}, ("fail", "margin_mode")),
        ({"unfilledtimeout": {"entry": 2}}, ("fail", "unfilledtimeout.entry")),
        ({"unfilledtimeout": {"exit": 60, "unit": "seconds"}}, ("fail", "unfilledtimeout.exit")),
        (
            {"unfilledtimeout": {"exit_timeout_count": 1}},
            ("fail", "unfilledtimeout.exit_timeout_count"),
        ),
        (
            {"ignore_buying_expired_candle_after": 119},
            ("fail", "ignore_buying_expired_candle_after"),
        ),
        ({"max_entry_position_adjustment": 0}, ("fail", "max_entry_position_adjustment")),
        ({"use_exit_signal": False}, ("fail", "use_exit_signal")),
        ({"exit_profit_only": True}, ("fail", "exit_profit_only")),
        ({"position_adjustment_enable": False}, ("fail", "position_adjustment_enable")),
        ({"custom_price_max_distance_ratio": 0.0099}, ("fail", "custom_price_max_distance_ratio")),
        ({"order_types": {"entry": "market"}}, ("fail", "order_types.entry")),
        ({"order_types": {"exit": "market"}}, ("fail", "order_types.exit")),
        ({"hydra": {"zzz": 1}}, ("fail", "hydra")),
        ({"exchange": {"name": "okx"}}, ("warn", "exchange.name")),
        ({"exchange": {"name": "binance"}}, ("warn", f"{PREFIX}.swap")),
        ({"api_server": {"enabled": True}}, ("fail", "api_server.password")),
    ],
)
def test_each_setting_that_fights_is_found(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert expected in found(example() | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"unfilledtimeout": {"entry": 121, "exit": 61, "unit": "seconds"}},
        {"unfilledtimeout": {}},
        {"ignore_buying_expired_candle_after": 120},
        {"max_entry_position_adjustment": -1},
        {"custom_price_max_distance_ratio": 0.01},
        {"position_adjustment_enable": True},
    ],
)
def test_just_enough_is_not_found(changes: dict[str, Any]) -> None:
    assert found(example() | changes) == []


def test_a_longer_deadline_moves_the_bound() -> None:
    changes = {"hydra": {"chase": {"entry": {"deadline_s": 1800}}}}
    assert found(example() | changes) == [("fail", "unfilledtimeout.entry")]


def test_the_deadline_of_the_head_moves_the_bound_too() -> None:
    head = ChasePolicies(entry=ChasePolicy(deadline_s=1800))
    (finding,) = check_configuration(example(), chase=head)
    assert finding.key == "unfilledtimeout.entry"
    assert check_configuration(example() | configured("entry", deadline_s=60), chase=head) == []


FIGHTS: list[dict[str, Any]] = [
    {"unfilledtimeout": {"entry": 1, "exit": 1, "exit_timeout_count": 3}},
    {"ignore_buying_expired_candle_after": 10},
    {"max_entry_position_adjustment": 0, "position_adjustment_enable": False},
    {"use_exit_signal": False, "order_types": {"stoploss_on_exchange": True}},
    {"custom_price_max_distance_ratio": 0.001, "order_types": {"entry": "market"}},
]


@pytest.mark.parametrize("changes", FIGHTS)
def test_nothing_fights_a_chase_that_is_switched_off(changes: dict[str, Any]) -> None:
    assert found(example() | changes)
    off = {"hydra": {"bot_name": "two", "chase": {"enabled": False}}}
    assert found(example() | changes | off) == []


@pytest.mark.parametrize("chased", [True, False])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"use_custom_stoploss": False}, ("fail", "use_custom_stoploss")),
        ({"ignore_roi_if_entry_signal": True}, ("warn", "ignore_roi_if_entry_signal")),
    ],
)
def test_what_switches_stops_or_targets_off_is_found_where_a_head_sets_them(
    changes: dict[str, Any], expected: tuple[str, str], *, chased: bool
) -> None:
    config = example() | changes | {"hydra": {"chase": {"enabled": chased}}}
    findings = check_configuration(config, sets_stops=True)
    assert [(one.level, one.key) for one in findings] == [expected]
    assert found(config) == [], "a head without a risk policy has freqtrade's own stops"


@pytest.mark.parametrize("runmode", [RunMode.DRY_RUN, RunMode.BACKTEST])
def test_a_head_that_sets_stops_does_not_start_without_them(runmode: RunMode) -> None:
    head = load_head(REPOSITORY / "strategies" / "HydraFlow.py")
    config = example() | {"runmode": runmode, "user_data_dir": "", "use_custom_stoploss": False}
    with pytest.raises(OperationalException, match="use_custom_stoploss: expected true"):
        head(config)


def test_a_head_that_sets_stops_has_no_finding_in_the_example() -> None:
    assert check_configuration(example() | {"use_custom_stoploss": True}, sets_stops=True) == []


def test_without_the_chase_silenced_messages_are_named() -> None:
    off = {"hydra": {"bot_name": "two", "chase": {"enabled": False}}}
    told = {"enabled": True, "notification_settings": {"entry": "off", "exit_fill": "on"}}
    key = "telegram.notification_settings.entry"
    assert found(example() | off | {"telegram": told}) == [("warn", key)]
    assert found(example() | {"telegram": told}) == found(example())


@pytest.mark.parametrize("kind", ["limit", "market"])
def test_a_stop_on_the_exchange_that_becomes_a_limit_order_is_named(kind: str) -> None:
    types = {"stoploss_on_exchange": True, "stoploss": kind, "entry": "limit", "exit": "limit"}
    expected = [] if kind == "market" else [("warn", "order_types.stoploss")]
    assert found(example() | {"order_types": types}) == expected


def test_without_the_chase_what_is_unsafe_is_found_all_the_same() -> None:
    off = {"hydra": {"chase": {"enabled": False}}, "api_server": {"enabled": True}}
    assert found(example() | off | {"trading_mode": "spot"}) == [
        ("fail", "trading_mode"),
        ("fail", "api_server.password"),
        ("warn", "api_server.jwt_secret_key"),
    ]


def configured(side: str, **keys: Any) -> dict[str, Any]:
    """A Hydra section that sets keys of the chase of a side."""
    return {"hydra": {"chase": {side: keys}}}


def test_the_prefix_follows_the_name_of_the_bot() -> None:
    config = example() | {"hydra": {"bot_name": "two"}}
    findings = check_configuration(config)
    assert {finding.level for finding in findings} == {"warn"}
    assert findings[0].expected == '"hydra-two-"'


def test_real_orders_need_a_key_a_secret_and_the_prefix() -> None:
    assert found(live()) == [("fail", "exchange.api_key"), ("fail", "exchange.secret")]
    assert found(live(api_key="k", secret="s")) == []
    assert found(live(api_key="k", secret="s", ccxt_config={}))[0] == ("fail", f"{PREFIX}.swap")


def test_the_key_is_the_one_that_freqtrade_would_take() -> None:
    # An empty api_key hides the older name: freqtrade would start without a key.
    assert found(live(api_key="", key="k", secret="s")) == [("fail", "exchange.api_key")]


def test_failures_come_before_warnings() -> None:
    levels = [level for level, _ in found(live(ccxt_config={}))]
    assert levels == sorted(levels)
    assert set(levels) == {"fail", "warn"}


def test_a_finding_says_what_was_expected_what_it_was_and_what_to_change() -> None:
    finding = Finding("fail", "trading_mode", '"spot"', "futures only", 'set "futures"')
    assert str(finding) == 'trading_mode: expected futures only; it was "spot"; set "futures"'
