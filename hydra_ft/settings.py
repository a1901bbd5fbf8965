"""Hydra's own settings: one validated, frozen tree built from ``config["hydra"]``.

What may be set, within which bounds and what it means is declared once, on the fields of
frozen dataclasses; the checks, the error messages, ``defaults()`` and docs/settings.md all
follow from there (``declared.py``). Policies live with their layer
(``hydra_ft/execution/policy.py``), not here.

A chase policy has four sources: a key of the configuration wins over a freqtrade parameter,
that over the head's declaration, and that over the preset it started from. A ``preset`` in
the configuration sets every key of its side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Le
from pydantic import StringConstraints
from typing_extensions import Doc

from hydra_ft.declared import leaves, read_tree
from hydra_ft.execution.breaker import BreakerPolicy
from hydra_ft.execution.policy import PRESETS, ChasePolicies, ChasePolicy
from hydra_ft.recorder_settings import RecorderSettings

# pydantic reads the annotations at run time.
from hydra_ft.types import Feed  # noqa: TC001

if TYPE_CHECKING:
    from pathlib import Path

SECTION = "hydra"


@dataclass(frozen=True, slots=True)
class ChaseSettings(ChasePolicies):
    """The policies of a head as the configuration changed them, and where they apply."""

    backtest: Annotated[
        bool,
        Doc(
            "backtests and hyperopt chase too, on quotes modelled from the candles; "
            "false: their orders are plain freqtrade's"
        ),
    ] = True


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """Whether the risk policy of a head sizes its entries, and what other bots count."""

    enabled: Annotated[
        bool,
        Doc(
            "the head's risk policy sizes and limits entries; false: freqtrade's own stake and "
            "no limits of the open book, while the policy's stops, targets and time stops stay"
        ),
    ] = True
    account: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9_-]{0,32}$"),
        Doc(
            "name of the account that limits are counted on: bots of the Hydra database with the "
            "same name and stake currency share it, dry-run apart from live"
        ),
    ] = ""
    bot_silent_s: Annotated[
        int,
        Ge(120),
        Le(86_400),
        Doc(
            "time after which a bot counts as silent: its positions and what it lost today go on "
            "counting, its equity does not"
        ),
    ] = 600
    holdings_kept_s: Annotated[
        int,
        Ge(0),
        Le(30 * 86_400),
        Doc(
            "time after which the positions of a silent bot count no more, though nobody knows "
            "what became of them; 0: they count until it tells otherwise or is forgotten"
        ),
    ] = 0
    forgotten_bots: Annotated[
        tuple[str, ...],
        Doc("bots that are gone for good: what they told counts no more"),
    ] = ()


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
        tuple[Feed, ...] | None,
        Doc(
            "feeds that the head uses, of those it can use; null: the ones of them that freqtrade "
            "itself brings (candles, funding, open_interest)"
        ),
    ] = None
    requotes_per_minute: Annotated[
        int,
        Ge(1),
        Le(10_000),
        Doc(
            "orders that requotes may send per minute, all bots of the Hydra database together; "
            "first children, crossing and urgent orders always go"
        ),
    ] = 120
    reconcile_interval_s: Annotated[
        float,
        Ge(5),
        Le(3600),
        Doc("time between two comparisons of orders and positions with the exchange"),
    ] = 60.0
    chase: Annotated[ChaseSettings, Doc("how limit orders are chased")] = field(
        default_factory=ChaseSettings
    )
    risk: Annotated[RiskSettings, Doc("how the head's risk policy applies")] = field(
        default_factory=RiskSettings
    )
    breaker: Annotated[BreakerPolicy, Doc("when entries of a pair or an exchange pause")] = field(
        default_factory=BreakerPolicy
    )

    recorder: Annotated[RecorderSettings, Doc("what is recorded, how, and by whom")] = field(
        default_factory=RecorderSettings
    )

    @property
    def order_prefix(self) -> str:
        """First characters of every client order id of this bot."""
        return f"hydra-{self.bot_name}-"


def load_settings(
    section: Mapping[str, object] | None, chase: ChasePolicies | None = None
) -> Settings:
    """Build the settings from ``config.get("hydra")``; None means all defaults.

    ``chase`` is what the head declares; the configuration changes single keys of it, or
    replaces one side by a preset.

    Raises
    ------
    SettingsError
        Naming every key that is unknown, out of range or of the wrong type, and every
        section whose values contradict each other.
    """
    head = ChasePolicies() if chase is None else chase
    start = ChaseSettings(
        enabled=head.enabled,
        entry=_start(section, "entry", head.entry),
        exit=_start(section, "exit", head.exit),
    )
    return read_tree(section, Settings, name=SECTION, default=Settings(chase=start))


def configured_keys(section: object, side: str) -> frozenset[str]:
    """Keys of the chase policy of a side that the configuration sets; a preset sets all."""
    given = _part(_part(section, "chase"), side)
    if "preset" in given:
        return frozenset(item.name for item in fields(ChasePolicy))
    return frozenset(map(str, given))


def _start(section: object, side: str, head: ChasePolicy) -> ChasePolicy:
    """Policy that the keys of a side are laid over: a preset if one is named, or the head's.

    A preset that does not exist is left to the checks of the tree.
    """
    named = _part(_part(section, "chase"), side).get("preset")
    preset = PRESETS.get(named) if isinstance(named, str) else None
    if preset is None:
        return head
    return preset.entry if side == "entry" else preset.exit


def _part(section: object, key: str) -> Mapping[str, object]:
    """A section within a section; empty where there is none."""
    part = section.get(key) if isinstance(section, Mapping) else None
    return part if isinstance(part, Mapping) else {}


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


_PAGE = """# Settings

Every key stands under `hydra` in freqtrade's configuration and may be left out.
An unknown key or a value out of range stops the start, with the key, the value and
what was expected. In the environment, `FREQTRADE__HYDRA__CHASE__ENTRY__DEADLINE_S=60`
sets `hydra.chase.entry.deadline_s`; use that for a `db_url` that holds a password.

## Which value of the chase wins

1. A key under `hydra.chase.entry` or `hydra.chase.exit` in the configuration. `preset` there
   sets every key of its side; keys beside it change single values of the preset.
2. A freqtrade parameter, `chase_entry_<key>` or `chase_exit_<key>`: from the head's parameter
   file (`HydraFlow.json` beside `HydraFlow.py`), or from the epoch of a hyperopt run.
3. What the head declares in its strategy file.
4. The preset that the head started from.

So leave a key out of the configuration if hyperopt or a parameter file is to set it: the
configuration stands over both, and Hydra says so in the log. The defaults below are those of a
head that declares nothing, which is the preset `balanced`; [chase.md](chase.md) has all presets,
what they do, and how to let hyperopt search a value.

## All keys"""


def reference_page() -> str:
    """docs/settings.md, rendered from the tree."""
    lines = [*_PAGE.splitlines(), "", "| key | default | allowed | meaning |", "|---|---|---|---|"]
    for leaf in leaves(Settings, SECTION):
        cells = (f"`{leaf.path}`", f"`{json.dumps(leaf.default)}`", leaf.allowed, leaf.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
