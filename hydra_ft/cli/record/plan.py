"""What is to be recorded, where to, and how: read from freqtrade's configuration.

Freqtrade is not loaded: a recorder runs for months beside the bot, and needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.data.pairs import named
from hydra_ft.cli.why.home import configuration, home_of
from hydra_ft.errors import SettingsError
from hydra_ft.feeds.recorder import MOST_PAIRS
from hydra_ft.feeds.recorder_setup import mapping, policy_of, public_options
from hydra_ft.feeds.venues import venue_of
from hydra_ft.settings import SECTION, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from hydra_ft.feeds.normal import Venue
    from hydra_ft.feeds.recorder_policy import RecorderPolicy
    from hydra_ft.recorder_settings import RecorderSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a recorder needs; ``ccxt_config`` is without keys, for what is public."""

    venue: Venue
    pairs: tuple[str, ...]
    url: str
    ccxt_config: Mapping[str, Any]
    settings: RecorderSettings
    policy: RecorderPolicy
    user_data: Path


def planned(args: argparse.Namespace) -> Plan:
    """Read the plan; raises HydraError where the configuration or a pair is of no use."""
    config = configuration(args)
    settings = load_settings(config.get(SECTION)).recorder
    mode = config.get("trading_mode", "spot")
    if mode != "futures":
        raise SettingsError(f'trading_mode: expected "futures", was {mode!r}; set it')
    exchange = mapping(config.get("exchange"), "exchange")
    venue = venue_of(str(exchange.get("name", "")))
    pairs = named(args.pairs, exchange.get("pair_whitelist") or [])
    if len(pairs) > MOST_PAIRS:
        raise SettingsError(
            f"--pairs: expected at most {MOST_PAIRS}, which one subscription holds, was "
            f"{len(pairs)}; name fewer"
        )
    home = home_of(args, config)
    policy = policy_of(settings)
    return Plan(
        venue, tuple(pairs), home.url, public_options(exchange), settings, policy, home.folder
    )
