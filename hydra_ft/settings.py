"""Hydra's own settings: one validated, frozen tree built from ``config["hydra"]``.

What may be set, within which bounds and what it means is declared once, on the fields of
frozen dataclasses; the checks, the error messages, ``defaults()`` and docs/settings.md all
follow from there (``declared.py``). Policies live with their layer
(``hydra_ft/execution/policy.py``), not here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import StringConstraints
from typing_extensions import Doc

from hydra_ft.declared import leaves, read_tree
from hydra_ft.execution.policy import ChasePolicies

# pydantic reads the annotations at run time.
from hydra_ft.types import Feed  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECTION = "hydra"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything under ``hydra`` in the configuration.

    A bot name has no hyphen, or the orders of ``hydra-a-b-`` would look like those of
    ``hydra-a-``. It has at most 7 characters, because the prefix is followed by the 22
    that ccxt adds, and Binance takes 36.
    """

    bot_name: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9]{1,7}$"),
        Doc("part of the client order id prefix hydra-(bot)-, and of every stored row"),
    ] = "hydra"
    db_url: Annotated[
        str,
        Doc(
            "SQLAlchemy address of the Hydra database; empty: hydra.sqlite in user_data_dir, "
            "hydra.dryrun.sqlite for a dry-run"
        ),
    ] = ""
    feeds: Annotated[
        tuple[Feed, ...] | None, Doc("narrows the feeds that the head uses; null: all it asks for")
    ] = None
    chase: Annotated[ChasePolicies, Doc("how limit orders are chased")] = field(
        default_factory=ChasePolicies
    )

    @property
    def order_prefix(self) -> str:
        """First characters of every client order id of this bot."""
        return f"hydra-{self.bot_name}-"


def load_settings(section: Mapping[str, object] | None) -> Settings:
    """Build the settings from ``config.get("hydra")``; None means all defaults.

    Raises
    ------
    SettingsError
        Naming every key that is unknown, out of range or of the wrong type.
    """
    return read_tree(section, Settings, name=SECTION)


def defaults() -> dict[str, Any]:
    """Every key with its default, as plain JSON values (the section of config.json.example)."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(Settings())))
    return plain


def database_url(settings: Settings, user_data_dir: Path, *, dry_run: bool) -> str:
    """SQLAlchemy address of the Hydra database; SQLite in ``user_data_dir`` unless one is set.

    A dry-run has a file of its own, as in freqtrade: its orders exist nowhere, and a live
    bot must not look for them on the exchange.
    """
    name = "hydra.dryrun.sqlite" if dry_run else "hydra.sqlite"
    return settings.db_url or f"sqlite:///{user_data_dir.resolve() / name}"


def reference_page() -> str:
    """docs/settings.md, rendered from the tree."""
    lines = [
        "# Settings",
        "",
        "Every key stands under `hydra` in freqtrade's configuration and may be left out.",
        "An unknown key or a value out of range stops the start, with the key, the value and",
        "what was expected. In the environment, `FREQTRADE__HYDRA__CHASE__ENTRY__DEADLINE_S=60`",
        "sets `hydra.chase.entry.deadline_s`; use that for a `db_url` that holds a password.",
        "",
        "| key | default | allowed | meaning |",
        "|---|---|---|---|",
    ]
    for leaf in leaves(Settings, SECTION):
        cells = (f"`{leaf.path}`", f"`{json.dumps(leaf.default)}`", leaf.allowed, leaf.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
