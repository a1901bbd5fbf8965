"""What is shipped: the lock, the image and its compose file, the CI script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hydra_ft.cli.main import parser_for
from hydra_ft.recorder_settings import RecorderSettings

REPOSITORY = Path(__file__).parents[1]
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
DOCKERFILE = (REPOSITORY / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    """The project table of pyproject.toml."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)["project"]
    return table


def compose() -> dict[str, Any]:
    """The compose file."""
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


def brought_by(name: str) -> set[str]:
    """A package and everything that installing it brings on this machine."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        package = canonicalize_name(todo.pop())
        if package in seen:
            continue
        seen.add(package)
        for line in requires(package) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    return seen


def test_every_run_time_dependency_but_numba_comes_with_freqtrade() -> None:
    """The loops over trades and profiles are compiled; freqtrade brings nothing for that."""
    ours = {canonicalize_name(Requirement(line).name) for line in project()["dependencies"]}
    assert ours - brought_by("freqtrade") == {"numba"}


def test_the_lock_has_every_direct_dependency() -> None:
    lines = project()["dependencies"] + project()["optional-dependencies"]["dev"]
    names = {canonicalize_name(Requirement(line).name) for line in lines}
    assert names - set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE)) == set()


def test_every_locked_package_has_a_version_and_hashes() -> None:
    entries = re.split(r"\n(?=[a-z])", LOCK.strip())
    assert len(entries) > 50
    assert [e.splitlines()[0] for e in entries if "==" not in e or "--hash=sha256:" not in e] == []


def test_the_lock_serves_all_python_versions() -> None:
    assert re.search(r"^numpy==\S+ ; python_full_version < '3.12'", LOCK, re.MULTILINE)
    assert re.search(r"^numpy==\S+ ; python_full_version >= '3.12'", LOCK, re.MULTILINE)


def test_the_lock_is_small() -> None:
    heavy = {"torch", "nvidia-cublas", "tensorboard", "xgboost"}
    assert heavy & set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE)) == set()


def test_the_image_is_that_of_the_pinned_freqtrade() -> None:
    pinned = next(line for line in project()["dependencies"] if line.startswith("freqtrade=="))
    assert f"ARG FREQTRADE={pinned.removeprefix('freqtrade==')}\n" in DOCKERFILE


def test_the_image_copies_files_that_exist() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert "pyproject.toml" in names
    assert [name for name in names if not (REPOSITORY / name).exists()] == []


def test_compose_names_files_that_exist() -> None:
    for service in compose()["services"].values():
        context = REPOSITORY / service["build"]["context"]
        assert (context / service["build"]["dockerfile"]).is_file()
        for volume in service["volumes"]:
            assert (REPOSITORY / volume.split(":")[0]).is_dir()


def test_compose_opens_ports_on_this_machine_only() -> None:
    services = compose()["services"].values()
    ports = [port for service in services for port in service.get("ports", [])]
    assert ports != []
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_recorder_of_compose_is_a_command_that_takes_its_words() -> None:
    recorder = compose()["services"]["recorder"]
    assert recorder["entrypoint"] == ["python", "-m", "hydra_ft.cli.main"]
    arguments = parser_for(recorder["command"]).parse_args(recorder["command"])
    assert arguments.command == "record"
    assert str(arguments.userdir) == "/freqtrade/user_data"
    assert arguments.config == ["/freqtrade/user_data/config.json"]


def test_the_recorder_of_compose_shares_the_bots_home_and_has_time_to_stop() -> None:
    bot, recorder = (compose()["services"][name] for name in ("bot", "recorder"))
    for name in ("build", "image", "env_file", "volumes", "restart"):
        assert recorder[name] == bot[name], name
    grace_s = float(recorder["stop_grace_period"].removesuffix("s"))
    assert grace_s >= RecorderSettings().stop_s + 10


def test_compose_holds_no_secret() -> None:
    for service in compose()["services"].values():
        names = " ".join(service["environment"])
        assert not re.search(r"KEY|SECRET|TOKEN|PASSWORD", names)


def test_the_environment_file_for_secrets_is_ignored_by_git() -> None:
    command = ["git", "-c", "safe.directory=*", "check-ignore", "-q", ".env"]
    ignored = subprocess.run(command, cwd=REPOSITORY, check=False)
    assert ignored.returncode == 0


def test_the_ci_script_can_be_run() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")


def test_make_names_the_python_that_is_needed_when_none_fits(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    done = subprocess.run(
        ["make", "venv", "PYTHON="], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13" in done.stderr


@pytest.mark.ci
def test_freqtrade_lists_the_strategies_that_install_wrote(tmp_path: Path) -> None:
    run = [sys.executable, "-m"]
    home = ["--userdir", str(tmp_path)]
    subprocess.run([*run, "hydra_ft.cli.main", "install", *home], cwd=REPOSITORY, check=True)
    listed = subprocess.run(
        [*run, "freqtrade", "list-strategies", *home, "-1"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    written = {path.stem for path in (tmp_path / "strategies").glob("*.py")}
    assert written == {path.stem for path in (REPOSITORY / "strategies").glob("*.py")}
    assert [name for name in written if name not in listed] == []
