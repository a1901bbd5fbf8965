"""`hydra install`: copies once, refuses to overwrite, and works from a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_ft.cli.install import EXAMPLE, thin_files, write_atomically
from hydra_ft.cli.main import main
from hydra_ft.warmup import places

if TYPE_CHECKING:
    import pytest

REPOSITORY = Path(__file__).parents[2]


def install(home: Path, *words: str) -> int:
    """Run the command on a home."""
    return main(["install", "--userdir", str(home), *words])


def contents(home: Path) -> dict[str, str]:
    """All files of a home with their text, but for compiled code."""
    kept = places.under_user_data(home)
    files = [path for path in home.rglob("*") if path.is_file() and kept not in path.parents]
    return {str(path.relative_to(home)): path.read_text(encoding="utf-8") for path in files}


def test_an_install_writes_exactly_the_thin_files_and_the_example(tmp_path: Path) -> None:
    assert install(tmp_path) == 0
    assert contents(tmp_path) == thin_files()
    assert EXAMPLE in contents(tmp_path)


def test_an_install_compiles_what_a_start_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it takes over what the tests compiled; `hydra dev warmup` does the same."""
    monkeypatch.delenv(places.VARIABLE)
    assert install(tmp_path, "--no-warmup") == 0
    assert not (tmp_path / "hydra").exists()
    assert install(tmp_path) == 0
    assert places.is_whole(places.under_user_data(tmp_path))


def test_the_next_commands_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tmp_path)
    shown = capsys.readouterr().out
    assert "hydra doctor --userdir" in shown
    assert "freqtrade trade --userdir" in shown


def test_a_second_install_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    capsys.readouterr()
    assert install(tmp_path) == 0
    assert capsys.readouterr().out == f"{tmp_path} is already up to date\n"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_changed_file_is_kept_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / EXAMPLE).write_text("mine")
    assert install(tmp_path) == 2
    assert contents(tmp_path) == {EXAMPLE: "mine"}
    assert EXAMPLE in capsys.readouterr().err


def test_a_changed_file_is_replaced_by_force(tmp_path: Path) -> None:
    (tmp_path / EXAMPLE).write_text("mine")
    assert install(tmp_path, "--force") == 0
    assert contents(tmp_path) == thin_files()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "Mine.py").write_text("mine")
    install(tmp_path, "--force")
    assert contents(tmp_path)["strategies/Mine.py"] == "mine"


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert install(tmp_path / "absent") == 2
    assert not (tmp_path / "absent").exists()


def test_a_write_leaves_no_draft_and_readable_permissions(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.txt", "text")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]
    (tmp_path / "plain").touch()
    assert (tmp_path / "a" / "b.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_wheel_carries_the_thin_files_and_installs_them(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    home, unpacked = tmp_path / "home", tmp_path / "unpacked"
    home.mkdir()
    zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(unpacked)
    script = "import sys; from hydra_ft.cli.main import main; sys.exit(main(sys.argv[1:]))"
    subprocess.run(
        [sys.executable, "-c", script, "install", "--no-warmup", "--userdir", str(home)],
        cwd=unpacked,
        env={"PYTHONPATH": str(unpacked)},
        check=True,
        capture_output=True,
    )
    assert (unpacked / "hydra_ft" / "_thin").is_dir()
    assert contents(home) == thin_files()
