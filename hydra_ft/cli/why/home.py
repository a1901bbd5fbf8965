"""Where a bot keeps what it decided, read from its configuration without loading freqtrade.

freqtrade takes seconds to load, and of its configuration only a few keys matter here. They are
read as freqtrade does: later files win, a file stands over those that it adds, the environment
over all of them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rapidjson

from hydra_ft.errors import HydraError, StoreError
from hydra_ft.settings import SECTION, database_url, load_settings
from hydra_ft.store.read_only import file_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

PREFIX = "FREQTRADE__"
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Home:
    """A bot: its user_data directory, the address of its database, its name."""

    folder: Path
    url: str
    bot: str

    @property
    def file(self) -> Path | None:
        """File of the database; None where a server keeps it."""
        return file_of(self.url)


def found(args: argparse.Namespace) -> Home:
    """Find the bot that ``--config``, ``--userdir`` and ``--db-url`` name.

    Raises
    ------
    HydraError
        When the configuration cannot be read, or a value of it is not usable.
    """
    needed = not (args.backtest or args.db_url)
    return home_of(args, configuration(args, is_needed=needed))


def home_of(args: argparse.Namespace, config: Mapping[str, Any]) -> Home:
    """Return the bot of a configuration, where the arguments do not say otherwise."""
    settings = load_settings(config.get(SECTION))
    folder = Path(args.userdir or config.get("user_data_dir") or "user_data")
    dry_run = bool(config.get("dry_run", True))
    url = named_url(args) or database_url(settings, folder, dry_run=dry_run)
    return Home(folder, url, settings.bot_name)


def named_url(args: argparse.Namespace) -> str:
    """Return the address that ``--db-url`` names, empty where it is not given.

    Raises HydraError where it names no file or server; it may hold a password, so it is not
    repeated.
    """
    url: str = args.db_url
    try:
        if url:
            file_of(url)
    except StoreError as error:
        raise HydraError(
            "--db-url: expected the address of a file or a server, such as "
            "sqlite:///user_data/hydra.sqlite, was none; correct it"
        ) from error
    return url


def configuration(args: argparse.Namespace, *, is_needed: bool = True) -> dict[str, Any]:
    """Read the configuration that the arguments name, with what the environment sets.

    Raises HydraError where it cannot be read; where it is not needed it may be absent, unless
    it is named.
    """
    default = (args.userdir or Path("user_data")) / "config.json"
    files = [Path(name) for name in args.config or ()] or [default]
    config = read(files) if is_needed or args.config or default.exists() else {}
    return _merged(config, _environment(os.environ))


def read(files: Sequence[Path], depth: int = 0) -> dict[str, Any]:
    """Read configuration files, with those that they add.

    Raises
    ------
    HydraError
        When a file is missing or is no configuration.
    """
    config: dict[str, Any] = {}
    for file in files:
        part = _parsed(file)
        added = part.get("add_config_files") or []
        if added and depth < _DEEPEST:
            base = file.resolve().parent
            part = _merged(read([base / name for name in added], depth + 1), part)
        config = _merged(config, part)
    return config


def _parsed(file: Path) -> dict[str, Any]:
    mode = rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS
    try:
        part = rapidjson.loads(file.read_text(encoding="utf-8"), parse_mode=mode)
    except OSError as error:
        raise HydraError(
            f"expected freqtrade's configuration in {file}, was {error.strerror}; name it with "
            "--config, or its directory with --userdir"
        ) from error
    except ValueError as error:
        raise HydraError(f"expected JSON in {file}, was {error}; correct the file") from error
    if not isinstance(part, dict):
        raise HydraError(f"expected a JSON object in {file}, was {part!r:.40}; correct the file")
    return part


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        was = merged.get(key)
        if isinstance(value, dict):
            value = _merged(was if isinstance(was, dict) else {}, value)  # noqa: PLW2901
        merged[key] = value
    return merged


def _environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return keys set as ``FREQTRADE__HYDRA__BOT_NAME=b``, as a configuration."""
    config: dict[str, Any] = {}
    for name, text in sorted(variables.items()):
        if name.startswith(PREFIX):
            value: Any = _typed(text)
            for key in reversed(name.removeprefix(PREFIX).lower().split("__")):
                value = {key: value}
            config = _merged(config, value)
    return config


def _typed(text: str) -> Any:
    """Return a number, a truth value or a list where the text is one, as freqtrade does."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text.lower() in ("t", "true", "f", "false"):
        return text.lower() in ("t", "true")
    try:
        value = rapidjson.loads(text)
    except rapidjson.JSONDecodeError:
        return text
    return value if isinstance(value, list) else text
