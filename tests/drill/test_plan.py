"""What a drill is going to do follows from its options, and bad options are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra_ft.cli.drill.folder import Folder, append, lines
from hydra_ft.cli.drill.plan import CHASES, KILL_MOMENTS, Options, chase, kills, pauses
from hydra_ft.cli.main import main
from hydra_ft.errors import HydraError
from hydra_ft.settings import load_settings


def options(seed: int = 1, orders: int = 1000, count: int = 20) -> Options:
    return Options(orders, 0.2, seed, 40, count, stops=False, minutes=40, folder=Path("x"))


def test_the_same_seed_plans_the_same_kills() -> None:
    assert kills(options()) == kills(options())
    assert kills(options()) != kills(options(seed=2))


def test_kills_are_spread_over_all_orders() -> None:
    planned = kills(options())
    assert len(planned) == 20
    for number, kill in enumerate(planned):
        assert 50 * number <= kill.after_orders < 50 * (number + 1)


def test_kills_follow_every_kind_of_event_sooner_or_later() -> None:
    assert {kill.moment for kill in kills(options())} == set(KILL_MOMENTS)


def test_there_is_a_quiet_point_every_hundred_orders_before_the_last_one() -> None:
    planned = pauses(options())
    assert [pause.after_orders for pause in planned] == list(range(100, 1000, 100))
    assert {pause.closes for pause in planned} == {True, False}
    assert pauses(options(orders=34)) == []


def test_every_chase_is_one_that_the_settings_take() -> None:
    policies = [load_settings({"chase": chase(0, boot)}).chase for boot in range(len(CHASES))]
    assert {policy.entry.post_only for policy in policies} == {True, False}
    assert {policy.entry.on_deadline for policy in policies} == {"abandon", "cross"}


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(HydraError, match="give another --folder"):
        Folder.create(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_folder_of_an_earlier_drill_is_made_anew(tmp_path: Path) -> None:
    first = Folder.create(tmp_path / "drill")
    append(first.loops_file, {"boot": 0})
    assert list(lines(Folder.create(tmp_path / "drill").loops_file)) == []


def test_half_a_line_of_a_dying_process_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "loops.jsonl"
    append(file, {"boot": 0})
    with file.open("a") as half:
        half.write('{"boot": ')
    assert list(lines(file)) == [{"boot": 0}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--faults", "1.5"), "--faults: expected from 0 to 0.9, was 1.5"),
        (("--pairs", "51"), "--pairs: expected from 1 to 50, was 51"),
        (("--orders", "0"), "--orders: expected from 1 to 100000, was 0"),
    ],
)
def test_an_option_out_of_range_is_refused(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dev", "drill", *words]) == 2
    assert message in capsys.readouterr().err
