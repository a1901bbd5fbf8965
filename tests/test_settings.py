"""The settings tree: what is accepted, what is refused and in which words."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from hydra_ft.declared import leaves
from hydra_ft.errors import SettingsError
from hydra_ft.execution.policy import ENTRY_CHASE, EXIT_CHASE
from hydra_ft.settings import Settings, database_url, defaults, load_settings, reference_page
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
