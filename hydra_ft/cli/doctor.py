"""`hydra doctor`: what would keep the bot from starting, or from chasing well."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from hydra_ft.adapter.configuration import check_configuration, load_configuration
from hydra_ft.adapter.heads import load_head
from hydra_ft.cli.doctor_feeds import feed_lines
from hydra_ft.cli.install import thin_files
from hydra_ft.errors import HydraError, SettingsError
from hydra_ft.settings import SECTION, database_url, load_settings
from hydra_ft.store.address import shown
from hydra_ft.warmup import warm_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from hydra_ft.adapter.strategy import HydraStrategy

TESTED = {"freqtrade": "2026.9", "ccxt": "4.5.90"}
"""Versions that this version was tried with; freqtrade's is a requirement."""

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    level: str
    what: str
    detail: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    text = "configuration file; may be given more than once, later ones win"
    parser.add_argument("-c", "--config", action="append", metavar="FILE", help=text)
    text = "freqtrade's user_data directory"
    parser.add_argument("--userdir", type=Path, metavar="DIR", help=text)


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 when a line fails."""
    home = args.userdir or Path("user_data")
    files = args.config or [str(home / "config.json")]
    checks = [*versions(), *configured(files, args.userdir), kernels(home)]
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "detail"):
        table.add_column(column, overflow="fold")
    for check in checks:
        # Text, because patterns such as [a-z] in a plain str would be taken for markup.
        level = Text(check.level, style=COLOURS[check.level])
        table.add_row(level, Text(check.what), Text(check.detail))
    Console(highlight=False).print(table)
    return int(any(check.level == "fail" for check in checks))


def versions() -> Iterator[Check]:
    """Python and the packages against what was tried."""
    python = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info < (3, 14)
    yield Check("ok" if fits else "fail", "python", f"{python} (3.11 to 3.13)")
    for name, tested in TESTED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Check("fail", name, f"not installed; pip install {name}=={tested}")
            continue
        other = "fail" if name == "freqtrade" else "warn"
        detail = found if found == tested else f"{found}; tried with {tested}: install that"
        yield Check("ok" if found == tested else other, name, detail)


def kernels(home: Path) -> Check:
    """Whether a start has to compile anything."""
    folder = warm_folder(home)
    if folder is None:
        detail = "not compiled for this version and CPU: the next start takes some 15 s longer"
        return Check("warn", "kernels", f"{detail}; run: hydra dev warmup --userdir {home}")
    return Check("ok", "kernels", f"compiled, in {folder}")


def configured(files: list[str], userdir: Path | None) -> Iterator[Check]:
    """Everything that the configuration says, and the places that it names."""
    try:
        config = load_configuration(files, userdir)
    except SettingsError as error:
        yield Check("fail", "configuration", str(error))
        return
    yield Check("ok", "configuration", f"{', '.join(files)} passes freqtrade's schema")
    head = _head(config)
    findings = check_configuration(
        config,
        chase=head.chase if head is not None else None,
        sets_stops=head is not None and head.risk is not None,
    )
    for finding in findings:
        detail = f"expected {finding.expected}; it was {finding.was}; {finding.change}"
        yield Check(finding.level, finding.key, detail)
    if not findings:
        yield Check("ok", "settings", "nothing fights the chase")
    yield strategy(config)
    if not any(finding.key == SECTION for finding in findings):
        settings = load_settings(config.get(SECTION))
        dry_run = bool(config.get("dry_run", True))
        url = database_url(settings, config["user_data_dir"], dry_run=dry_run)
        yield database(url)
        rules = head.rules if head is not None else None
        yield from (Check(*line) for line in feed_lines(config, rules, url))


def _strategy_files(config: Mapping[str, Any]) -> list[Path]:
    """Where freqtrade looks for the file of the strategy, in its order."""
    folders = [Path(config["strategy_path"])] if config.get("strategy_path") else []
    folders.append(Path(config["user_data_dir"]) / "strategies")
    return [folder / f"{config.get('strategy')}.py" for folder in folders]


def _head(config: Mapping[str, Any]) -> type[HydraStrategy] | None:
    """Return the head that the configuration names; None where it cannot be loaded."""
    found = next((path for path in _strategy_files(config) if path.is_file()), None)
    try:
        return load_head(found) if found is not None else None
    except HydraError:
        return None


def strategy(config: Mapping[str, Any]) -> Check:
    """Whether freqtrade will find the file of the strategy, and whether it is this version's."""
    name = config.get("strategy")
    if not name:
        return Check("warn", "strategy", "none in the configuration; give --strategy HydraFlow")
    files = _strategy_files(config)
    found = next((path for path in files if path.is_file()), None)
    home = Path(config["user_data_dir"])
    if found is None:
        searched = ", ".join(str(path.parent) for path in files)
        change = f"run: hydra install --userdir {home}"
        return Check("fail", "strategy", f"no {name}.py in {searched}; {change}")
    ours = thin_files().get(f"strategies/{name}.py")
    if ours is not None and found.read_text(encoding="utf-8") != ours:
        change = f"run: hydra install --userdir {home} --force"
        return Check("warn", "strategy", f"{found} differs from this version's; {change}")
    return Check("ok", "strategy", str(found))


def database(url: str) -> Check:
    """Whether the Hydra database can be written; a missing SQLite file is not created."""
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and address.database not in (
            None,
            "",
            ":memory:",
        ):
            return _sqlite_file(Path(str(address.database)))
        create_engine(address).connect().close()
    except (SQLAlchemyError, ImportError) as error:
        # An address that cannot be parsed may hold a password, so it is not repeated.
        return Check("fail", "database", f"{type(error).__name__}; correct hydra.db_url")
    return Check("ok", "database", shown(address))


def _sqlite_file(path: Path) -> Check:
    """Whether SQLite can write the file and, beside it, its log."""
    if not os.access(path.parent, os.W_OK):
        change = "make it, or set hydra.db_url"
        return Check("fail", "database", f"{path.parent} is no directory to write to; {change}")
    if path.exists() and not os.access(path, os.W_OK):
        return Check("fail", "database", f"{path} cannot be written; change its permissions")
    return Check("ok", "database", str(path))
