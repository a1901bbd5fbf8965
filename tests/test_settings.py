"""The settings tree: what is accepted, what is refused and in which words."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from hydra_ft.declared import leaves
from hydra_ft.errors import SettingsError
from hydra_ft.execution.policy import (
    ENTRY_CHASE,
    EXIT_CHASE,
    PRESETS,
    ChasePolicies,
    ChasePolicy,
)
from hydra_ft.settings import (
    Settings,
    configured_keys,
    database_url,
    defaults,
    load_settings,
    reference_page,
)
from hydra_ft.types import Feed

REPOSITORY = Path(__file__).parents[1]


def refusal(section: object) -> str:
    """The message with which a section is refused."""
    with pytest.raises(SettingsError) as caught:
        load_settings(section)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("section", [None, {}, defaults()])
def test_nothing_and_all_defaults_give_the_default_tree(section: dict[str, object] | None) -> None:
    assert load_settings(section) == Settings()


def test_what_is_left_out_keeps_the_default_of_its_place() -> None:
    chase = load_settings({"chase": {"exit": {"offset_ticks": 1}}}).chase
    assert chase.entry == ENTRY_CHASE
    assert chase.exit.offset_ticks == 1
    assert (chase.exit.deadline_s, chase.exit.on_deadline) == (
        EXIT_CHASE.deadline_s,
        EXIT_CHASE.on_deadline,
    )


HEAD = ChasePolicies(
    entry=replace(PRESETS["urgent"].entry, deadline_s=45.0), exit=PRESETS["adaptive"].exit
)


def test_what_is_left_out_is_what_the_head_declares() -> None:
    chase = load_settings({"chase": {"entry": {"max_requotes": 3}}}, HEAD).chase
    assert chase.entry == replace(HEAD.entry, max_requotes=3)
    assert chase.exit == HEAD.exit
    assert load_settings(None, HEAD).chase.entry == HEAD.entry


def test_a_preset_replaces_the_policy_of_its_side_and_keys_beside_it_change_it() -> None:
    section = {"chase": {"entry": {"preset": "passive", "deadline_s": 7}}}
    chase = load_settings(section, HEAD).chase
    assert chase.entry == replace(PRESETS["passive"].entry, deadline_s=7.0)
    assert chase.exit == HEAD.exit


def test_a_preset_of_exits_is_that_of_exits() -> None:
    chase = load_settings({"chase": {"exit": {"preset": "urgent"}}}).chase
    assert chase.exit == PRESETS["urgent"].exit
    assert chase.exit != PRESETS["urgent"].entry


def test_a_preset_that_does_not_exist_names_the_nearest() -> None:
    message = refusal({"chase": {"entry": {"preset": "pasive"}}})
    assert "hydra.chase.entry.preset: expected one of passive, balanced" in message
    assert "did you mean 'passive'?" in message


def test_values_that_contradict_each_other_are_refused_with_their_section() -> None:
    message = refusal({"chase": {"exit": {"peg": "far", "post_only": True}}})
    assert "hydra.chase.exit: expected a peg that rests, since post_only is set" in message
    assert message.endswith("change one of these values")


def test_a_key_that_contradicts_the_head_is_refused_too() -> None:
    head = ChasePolicies(entry=ChasePolicy(peg="far"))
    with pytest.raises(SettingsError, match=r"hydra\.chase\.entry: expected a peg that rests"):
        load_settings({"chase": {"entry": {"post_only": True}}}, head)


def test_the_chase_can_be_switched_off() -> None:
    assert load_settings({"chase": {"enabled": False}}, HEAD).chase.enabled is False
    assert load_settings({}, replace(HEAD, enabled=False)).chase.enabled is False


def test_a_preset_counts_as_every_key_of_its_side() -> None:
    section = {"chase": {"entry": {"preset": "urgent"}, "exit": {"deadline_s": 7}}}
    assert configured_keys(section, "entry") >= {"peg", "deadline_s", "post_only"}
    assert configured_keys(section, "exit") == {"deadline_s"}
    assert configured_keys(None, "entry") == configured_keys({"chase": 3}, "exit") == frozenset()


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"requotes_per_minute": 0}, "requotes_per_minute: expected a whole number from 1 to"),
        ({"reconcile_interval_s": 4}, "reconcile_interval_s: expected a number from 5 to 3600"),
        ({"breaker": {"failures": 0}}, "breaker.failures: expected a whole number from 1 to"),
    ],
)
def test_budget_interval_and_breaker_have_bounds(section: object, expected: str) -> None:
    assert expected in refusal(section)


def test_the_tree_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        load_settings(None).bot_name = "other"  # type: ignore[misc]


def test_feeds_are_read_as_feeds() -> None:
    assert load_settings({"feeds": ["candles", "funding"]}).feeds == (Feed.CANDLES, Feed.FUNDING)


def test_an_int_is_a_number() -> None:
    assert load_settings({"chase": {"entry": {"deadline_s": 60}}}).chase.entry.deadline_s == 60.0


def test_a_misspelt_key_names_path_value_known_names_and_the_nearest() -> None:
    message = refusal({"chase": {"entry": {"dedline_s": 7}}})
    assert "hydra.chase.entry.dedline_s = 7: unknown key" in message
    assert "offset_ticks" in message
    assert "did you mean hydra.chase.entry.deadline_s?" in message


def test_a_key_in_the_wrong_section_is_found_in_its_own() -> None:
    assert "did you mean hydra.chase.entry.max_requotes?" in refusal({"max_requotes": 3})


def test_a_key_like_no_other_is_to_be_removed() -> None:
    assert refusal({"zzz": 1}).endswith("remove it")


def test_a_misspelt_feed_names_the_nearest() -> None:
    assert "did you mean 'open_interest'?" in refusal({"feeds": ["open_intrest"]})


@pytest.mark.parametrize("section", [{"feeds": "trade"}, {"recorder": {"feeds": "trades"}}])
def test_one_feed_without_its_list_is_told_of_the_list(section: dict[str, object]) -> None:
    assert 'did you mean ["trades"]?' in refusal(section)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("offset_ticks", "3", "a whole number from -1000 to 1000"),
        ("offset_ticks", True, "a whole number from -1000 to 1000"),
        ("offset_ticks", 1.5, "a whole number from -1000 to 1000"),
        ("deadline_s", "60", "a number from 1 to 86400"),
        ("deadline_s", False, "a number from 1 to 86400"),
        ("deadline_s", 0, "a number from 1 to 86400"),
        ("deadline_s", float("nan"), "a finite number"),
        ("deadline_s", float("inf"), "a finite number"),
        ("deadline_s", None, "a number from 1 to 86400"),
        ("deadline_s", object(), "a number from 1 to 86400"),
        ("max_chase_bps", 0, "a number above 0 to 1000"),
        ("on_deadline", "abandn", "one of abandon, cross"),
        ("post_only", 1, "true or false"),
        ("post_only", "true", "true or false"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(
    key: str, value: object, expected: str
) -> None:
    message = refusal({"chase": {"entry": {key: value}}})
    assert f"hydra.chase.entry.{key}: expected {expected}; it was" in message.replace(
        ", it", "; it"
    )
    assert "(1 problem)" in message


@pytest.mark.parametrize("name", ["", "UPPER", "a-b", "eightchr", "a b", "a\n", 5])
def test_a_bot_name_that_would_spoil_the_order_prefix_is_refused(name: object) -> None:
    assert "hydra.bot_name: expected a text matching" in refusal({"bot_name": name})


def test_the_longest_prefix_leaves_room_for_what_ccxt_adds() -> None:
    prefix = load_settings({"bot_name": "seven77"}).order_prefix
    assert prefix == "hydra-seven77-"
    assert len(prefix) + 22 <= 36


@pytest.mark.parametrize("section", [5, [], "x", {"chase": None}, {"chase": {"exit": 3}}])
def test_a_section_that_is_no_section_is_refused(section: object) -> None:
    assert "expected a section with" in refusal(section)


def test_all_problems_come_in_one_message() -> None:
    message = refusal(
        {"zzz": 1, "bot_name": 5, "chase": {"entry": {"deadline_s": 0}, "exit": {"x": 1}}}
    )
    assert "(4 problems)" in message
    for path in (
        "hydra.zzz",
        "hydra.bot_name",
        "hydra.chase.entry.deadline_s",
        "hydra.chase.exit.x",
    ):
        assert path in message


def test_the_database_is_sqlite_in_the_home_unless_an_address_is_set(tmp_path: Path) -> None:
    assert (
        database_url(Settings(), tmp_path, dry_run=False)
        == f"sqlite:///{tmp_path.resolve()}/hydra.sqlite"
    )
    assert database_url(Settings(), tmp_path, dry_run=True).endswith("/hydra.dryrun.sqlite")
    assert database_url(Settings(db_url="sqlite://"), tmp_path, dry_run=True) == "sqlite://"


def test_every_key_has_a_meaning() -> None:
    assert [leaf.path for leaf in leaves(Settings, "hydra") if not leaf.meaning] == []


def test_the_reference_page_is_current() -> None:
    written = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == reference_page(), "run: make docs"
