"""Kernels are compiled beforehand, and no process that follows compiles one again.

Most tests let a stand-in compile, which writes a file in a moment; two long ones do it in earnest.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hydra_ft.cli.main import main
from hydra_ft.warmup import fill_first, keep_compiled, keeping, places, warm_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUN = """
import sys
from pathlib import Path
from hydra_ft.warmup import keep_compiled
from hydra_ft.warmup.compiling import declared
kept = keep_compiled(Path(sys.argv[1]), print)
kernels = declared()
sys.path.insert(0, sys.argv[2])
from bars.test_compiled import call_every_kernel
call_every_kernel()
print("called", len(kernels))
print("compiled", [each.name for each in kernels.values() if each.was_compiled])
print("unused", [each.name for each in kernels.values() if "dispatcher" not in vars(each)])
"""
TESTS = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user_data directory; nothing is compiled beside the package, and nothing inherited."""
    monkeypatch.delenv(places.VARIABLE, raising=False)
    beside = tmp_path / "package" / places.fingerprint()
    monkeypatch.setattr(places, "beside_package", lambda: beside)
    before = keeping.config.CACHE_DIR
    folder = tmp_path / "user_data"
    folder.mkdir()
    yield folder
    keeping.config.CACHE_DIR = before


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A compiler that is quick; the folders that it was asked for."""
    asked: list[Path] = []

    def _compiled(draft: Path, said: Callable[[str], None]) -> bool:
        asked.append(draft)
        (draft / "bars").mkdir()
        (draft / "bars" / "kernel.1.nbc").write_bytes(b"code")
        places.mark(draft, 1)
        return True

    monkeypatch.setattr(keeping, "_compiled", _compiled)
    return asked


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_first_start_compiles_into_user_data_and_the_second_does_not(
    home: Path, compiled: list[Path]
) -> None:
    assert warm_folder(home) is None
    first = keep_compiled(home)
    assert first == (home / "hydra" / "compiled" / places.fingerprint(), False, True)
    assert os.environ[places.VARIABLE] == keeping.config.CACHE_DIR == str(first.folder)
    del os.environ[places.VARIABLE]
    assert keep_compiled(home) == (first.folder, True, True)
    assert len(compiled) == 1
    assert [path.name for path in first.folder.parent.iterdir()] == [places.fingerprint()]


def test_a_process_inherits_the_folder_of_the_one_that_started_it(
    home: Path, tmp_path: Path, compiled: list[Path]
) -> None:
    """Workers of hyperopt never see the configuration."""
    first = keep_compiled(home)
    assert keep_compiled(tmp_path / "another").folder == first.folder
    assert len(compiled) == 1


def test_a_folder_that_the_user_names_is_the_only_one(
    home: Path, tmp_path: Path, compiled: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_compiled(home)
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "named"))
    assert warm_folder(home) is None
    named = keep_compiled(home)
    assert named.folder == tmp_path / "named" / places.fingerprint()
    assert len(compiled) == 2


def test_kernels_of_the_environment_are_used_or_taken_over_and_not_compiled_again(
    home: Path, compiled: list[Path]
) -> None:
    fill_first(None, print)
    assert warm_folder(home) == places.beside_package()
    assert len(compiled) == 1
    said: list[str] = []
    filled = fill_first(home, said.append)
    assert filled.folder == places.under_user_data(home)
    assert contents(filled.folder) == contents(places.beside_package())
    assert "taken over" in said[0]
    assert len(compiled) == 1


@pytest.mark.parametrize("harm", ["cut", "gone", "mark"])
def test_a_damaged_folder_is_compiled_anew_with_a_line_in_the_log(
    home: Path, compiled: list[Path], harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fill_first(home, print).folder
    before = contents(folder)
    code = folder / "bars" / "kernel.1.nbc"
    if harm == "cut":
        code.write_bytes(b"co")
    elif harm == "gone":
        code.unlink()
    else:
        (folder / places.MARK).write_text("{")
    assert warm_folder(home) is None
    with caplog.at_level(logging.WARNING):
        assert keep_compiled(home) == (folder, False, True)
    assert "in" in caplog.text
    assert str(folder) in caplog.text
    assert contents(folder) == before
    assert len(compiled) == 2
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_another_numba_or_cpu_has_a_folder_of_its_own(
    home: Path, compiled: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {fill_first(home, print).folder.name}
    for owner, name, value in (
        (places.numba, "__version__", "9.9"),
        (places.llvmlite.binding, "get_host_cpu_name", lambda: "another"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, value)
            places.fingerprint.cache_clear()
            names.add(fill_first(home, print).folder.name)
    places.fingerprint.cache_clear()
    assert len(names) == len(compiled) == 3


def test_where_nothing_can_be_written_a_folder_is_made_for_now(
    home: Path,
    tmp_path: Path,
    compiled: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()  # whoever runs the tests, nobody can write below a file
    monkeypatch.setattr(places, "beside_package", lambda: blocked / "a")
    monkeypatch.setattr(keeping.tempfile, "tempdir", str(tmp_path))
    kept = keep_compiled(blocked / "user_data")
    assert not kept.lasting
    assert kept.folder.parent.parent == tmp_path
    assert places.is_whole(kept.folder)
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_a_user_data_directory_that_is_not_there_is_not_made(
    home: Path, compiled: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    absent = home / "absent"
    assert keep_compiled(absent).folder == places.beside_package()
    assert main(["dev", "warmup", "--userdir", str(absent)]) == 2
    assert not absent.exists()
    assert "create-userdir" in capsys.readouterr().err


def test_a_compilation_that_fails_leaves_the_bot_running(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "WORKER", "hydra_ft.no_such_module")
    kept = keep_compiled(home)
    assert kept.folder.is_dir()
    assert not kept.lasting
    assert "calls will" in caplog.text
    assert "no_such_module" in caplog.text
    assert warm_folder(home) is None


def test_an_interrupt_ends_the_compilation_with_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that went on would keep the process for as long as a compilation may take."""
    worker = 'import os, time\nprint("worker", os.getpid(), flush=True)\ntime.sleep(600)\n'
    (tmp_path / "slow_worker.py").write_text(worker)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(keeping, "WORKER", "slow_worker")
    monkeypatch.setattr(keeping, "PATIENCE_S", 15.0)
    workers: list[int] = []

    def said(line: str) -> None:
        if line.startswith("worker"):
            workers.append(int(line.split()[1]))
            raise KeyboardInterrupt

    running = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        keep_compiled(home, said)
    for clock in set(threading.enumerate()) - running:
        clock.join(5)
        assert not clock.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(workers[0], 0)
    assert not list(places.under_user_data(home).parent.iterdir())


def test_folders_of_other_versions_go_when_they_are_not_used_any_more(
    home: Path, compiled: list[Path]
) -> None:
    folder = fill_first(home, print).folder
    old, recent = folder.with_name("a" * 16), folder.with_name("b" * 16)
    for other in (old, recent):
        other.mkdir()
        places.mark(other, 0)
    long_ago = time.time() - 86_400 * (places.KEPT_DAYS + 1)
    os.utime(old / places.MARK, (long_ago, long_ago))
    keep_compiled(home)
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted(
        (folder.name, recent.name)
    )


@pytest.mark.ci
def test_after_a_warm_up_no_process_compiles_anything(tmp_path: Path) -> None:
    """P11: in a second process every kernel is called; no file is new, none was compiled."""
    base = {name: text for name, text in os.environ.items() if name != places.VARIABLE}
    named = {**base, places.VARIABLE: str(tmp_path / "kept")}
    folder = tmp_path / "kept" / places.fingerprint()
    folder.mkdir(parents=True)
    # What the command starts; the command itself would take over what the tests have compiled.
    words = [sys.executable, "-m", keeping.WORKER, str(folder)]
    shown = subprocess.run(words, env=named, check=True, capture_output=True, text=True).stdout
    count = json.loads((folder / places.MARK).read_text())["kernels"]
    assert f"{count:3}/{count}" in shown
    before = contents(folder)
    words = [sys.executable, "-c", RUN, str(tmp_path), str(TESTS)]
    shown = subprocess.run(words, env=named, check=True, capture_output=True, text=True).stdout
    assert shown.splitlines() == [f"called {count}", "compiled []", "unused []"]
    assert contents(folder) == before
