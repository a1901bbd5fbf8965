"""Chase policies as freqtrade parameters: the head as freqtrade itself loads it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy.hyper import detect_all_parameters

from hydra_ft.adapter.orders.live import LiveOrders
from hydra_ft.adapter.parameters.chase_parameters import SEARCHED, SPACES, keys, parameter_name
from hydra_ft.decisions.thresholds import attribute
from hydra_ft.execution.policy import PRESETS, ChasePolicy

REPOSITORY = Path(__file__).parents[2]
HEAD = PRESETS["balanced"]

SUBCLASS = """
from HydraFlow import HydraFlow
from freqtrade.strategy import IntParameter
{imports}

class MyFlow(HydraFlow):
    {body}
"""

Load = Callable[..., Any]
"""Loads a head from the folder of the test, with these keys in its hydra section."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of strategies with HydraFlow in it."""
    shutil.copy(REPOSITORY / "strategies" / "HydraFlow.py", tmp_path)
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    """Loads a head from the folder, with these changes to the hydra section."""

    def loaded(name: str = "HydraFlow", mode: RunMode = RunMode.BACKTEST, **hydra: Any) -> Any:
        example = json.loads((REPOSITORY / "config.json.example").read_text(encoding="utf-8"))
        config = {**example, "strategy": name, "strategy_path": str(folder), "hydra": hydra}
        file = folder / "config.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        place = {"config": [str(file)], "user_data_dir": str(folder), "spaces": ["buy"]}
        head = StrategyResolver.load_strategy(Configuration(place, mode).get_config())
        head.ft_load_hyper_params(mode == RunMode.HYPEROPT)
        return head

    return loaded


def write_parameters(folder: Path, **values: Any) -> None:
    """Write HydraFlow.json as hyperopt does."""
    params: dict[str, dict[str, Any]] = {"buy": {}, "sell": {}}
    for name, value in values.items():
        params["buy" if name.startswith("chase_entry") else "sell"][name] = value
    text = json.dumps({"strategy_name": "HydraFlow", "params": params})
    (folder / "HydraFlow.json").write_text(text, encoding="utf-8")


def write_subclass(folder: Path, body: str, imports: str = "") -> None:
    """Write a strategy of a user who starts from HydraFlow."""
    (folder / "MyFlow.py").write_text(SUBCLASS.format(body=body, imports=imports))


def test_every_key_of_both_sides_is_a_parameter_that_nobody_searches_unasked(load: Load) -> None:
    found = detect_all_parameters(load())
    for side, space in SPACES.items():
        for key in keys():
            parameter = found[space][parameter_name(side, key)]
            assert parameter.value == getattr(getattr(HEAD, side), key)
            assert (parameter.load, parameter.optimize) == (True, False)
    assert {*keys(), "preset"} == {*ChasePolicy.__dataclass_fields__}


@pytest.mark.parametrize("key", SEARCHED)
def test_a_search_stays_within_what_the_policy_allows(key: str) -> None:
    low, high = SEARCHED[key]
    for value in (low, high):
        whole = isinstance(getattr(ChasePolicy(), key), int)
        made = replace(ChasePolicy(), **{key: int(value) if whole else value})
        assert getattr(made, key) == value


def test_a_value_of_the_parameter_file_arrives_in_the_policy(folder: Path, load: Load) -> None:
    write_parameters(folder, chase_entry_deadline_s=45, chase_exit_peg="mid")
    head = load()
    assert head.policies.entry == replace(HEAD.entry, deadline_s=45)
    assert head.policies.exit == replace(HEAD.exit, peg="mid")
    assert head.settings.chase.entry == HEAD.entry


def test_a_changed_parameter_changes_the_policy(load: Load) -> None:
    head = load()
    before = head.policies
    assert head.policies is before
    head.chase_exit_max_requotes.value = 3
    assert head.policies.exit.max_requotes == 3


def test_the_configuration_wins_over_the_file_and_says_so(
    folder: Path, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    write_parameters(folder, chase_entry_deadline_s=45, chase_entry_max_requotes=7)
    with caplog.at_level(logging.WARNING):
        head = load(chase={"entry": {"deadline_s": 60}})
    assert head.policies.entry == replace(HEAD.entry, deadline_s=60, max_requotes=7)
    (said,) = [line for line in caplog.messages if "no effect" in line]
    assert "sets deadline_s to 60.0: the parameter chase_entry_deadline_s (45" in said


def test_a_preset_of_the_configuration_wins_over_the_file(folder: Path, load: Load) -> None:
    write_parameters(folder, chase_entry_deadline_s=45, chase_exit_deadline_s=45)
    head = load(chase={"entry": {"preset": "urgent"}})
    assert head.policies.entry == PRESETS["urgent"].entry
    assert head.policies.exit.deadline_s == 45


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"chase_entry_deadline_s": 0}, r"chase_entry\.deadline_s: expected a number from 1 to"),
        ({"chase_exit_peg": "near"}, r"chase_exit\.peg: expected one of own, micro, mid, far"),
        (
            {"chase_entry_peg": "far", "chase_entry_post_only": True},
            r"chase_entry: expected a peg that rests",
        ),
        # The example's unfilledtimeout is half an hour.
        ({"chase_entry_deadline_s": 1800}, r"unfilledtimeout\.entry: expected more than"),
    ],
)
def test_a_file_with_unusable_values_stops_the_start(
    folder: Path, load: Load, values: dict[str, Any], expected: str
) -> None:
    write_parameters(folder, **values)
    with pytest.raises(OperationalException, match=expected):
        load()


def test_a_user_switches_the_search_of_one_value_on(folder: Path, load: Load) -> None:
    body = (
        "chase_entry_deadline_s = IntParameter(30, 300, default=90, space='buy', optimize=True)\n"
    )
    write_subclass(folder, body)
    head = load("MyFlow", RunMode.HYPEROPT)
    searched = {name for name, parameter in head.enumerate_parameters() if parameter.optimize}
    by_itself = {attribute(path) for path in head.searched}
    assert searched == {"chase_entry_deadline_s", *by_itself}
    assert head.policies.entry == replace(HEAD.entry, deadline_s=90)


def test_a_search_of_what_the_configuration_sets_is_said_to_be_in_vain(
    folder: Path, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    body = "chase_entry_deadline_s = IntParameter(30, 300, default=90, space='buy')\n"
    write_subclass(folder, body)
    with caplog.at_level(logging.WARNING):
        load("MyFlow", chase={"entry": {"deadline_s": 90}})
    assert any("has no effect" in line for line in caplog.messages)


def test_a_head_with_a_chase_of_its_own_gets_parameters_of_its_own(
    folder: Path, load: Load
) -> None:
    imports = "from hydra_ft.execution.policy import PRESETS"
    write_subclass(folder, 'chase = PRESETS["urgent"]', imports)
    assert load("MyFlow").chase_entry_deadline_s.value == PRESETS["urgent"].entry.deadline_s
    assert load("HydraFlow").chase_entry_deadline_s.value == HEAD.entry.deadline_s


def test_a_default_finer_than_the_search_is_kept(folder: Path, load: Load) -> None:
    imports = "from hydra_ft.execution.policy import ChasePolicies, ChasePolicy"
    write_subclass(folder, "chase = ChasePolicies(entry=ChasePolicy(deadline_s=12.3456))", imports)
    head = load("MyFlow")
    assert head.policies.entry.deadline_s == 12.3456
    assert head.chase_entry_deadline_s.low <= 12.3456


def test_a_head_whose_chase_is_no_policies_stops_the_start(folder: Path, load: Load) -> None:
    write_subclass(folder, 'chase = "urgent"')
    with pytest.raises(OperationalException, match=r"expected chase of MyFlow to be ChasePolicies"):
        load("MyFlow")


CALLBACKS = [
    "custom_entry_price",
    "custom_exit_price",
    "custom_exit",
    "custom_stake_amount",
    "confirm_trade_entry",
    "confirm_trade_exit",
    "check_entry_timeout",
    "check_exit_timeout",
    "adjust_trade_position",
    "adjust_order_price",
    "order_filled",
    "bot_loop_start",
]


def test_with_the_chase_off_no_callback_that_prices_is_ours(load: Load) -> None:
    """Stage B stays: it refuses entries; sizes are those of the risk policy."""
    from freqtrade.strategy import IStrategy

    head = load(mode=RunMode.DRY_RUN, chase={"enabled": False})
    assert not isinstance(head, LiveOrders)
    assert head.position_adjustment_enable is False
    kept = {"bot_loop_start", "confirm_trade_entry", "custom_stake_amount", "leverage"}
    for name in set(CALLBACKS) - kept:
        assert getattr(type(head), name) is getattr(IStrategy, name), name


def test_with_the_chase_on_the_order_route_is_mixed_in(load: Load) -> None:
    head = load(mode=RunMode.DRY_RUN)
    assert isinstance(head, LiveOrders)
    assert type(head).__name__ == "HydraFlow"


@pytest.mark.e2e
def test_a_value_of_the_parameter_file_is_the_one_that_a_bot_chases_by(tmp_path: Path) -> None:
    from e2e.rig import STRATEGIES, Rig

    from loopback_exchange import Market, Server

    heads = tmp_path / "heads"
    heads.mkdir()
    shutil.copy(STRATEGIES / "StandingHead.py", heads)
    params = {"buy": {"chase_entry_deadline_s": 45}, "sell": {"chase_exit_max_requotes": 3}}
    text = json.dumps({"strategy_name": "StandingHead", "params": params})
    (heads / "StandingHead.json").write_text(text, encoding="utf-8")
    with Server(Market(seed=7), control=True) as server:
        rig = Rig(server, tmp_path, heads=heads)
        try:
            policies = rig.bot.strategy._desk.policies
        finally:
            rig.close()
    assert (policies.entry.deadline_s, policies.exit.max_requotes) == (45, 3)
