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
from hydra_ft.feeds.recorder_policy import RecorderPolicy
from hydra_ft.feeds.venues import venue_of
from hydra_ft.settings import SECTION, load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from hydra_ft.feeds.normal import Venue
    from hydra_ft.recorder_settings import RecorderSettings

SECRETS = ("apiKey", "secret", "password", "uid", "walletAddress", "privateKey")


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
    exchange = config.get("exchange") or {}
    venue = venue_of(str(exchange.get("name", "")))
    pairs = named(args.pairs, exchange.get("pair_whitelist") or [])
    if len(pairs) > MOST_PAIRS:
        raise SettingsError(
            f"--pairs: expected at most {MOST_PAIRS}, which one subscription holds, was "
            f"{len(pairs)}; name fewer"
        )
    home = home_of(args, config)
    policy = policy_of(settings)
    return Plan(venue, tuple(pairs), home.url, _ccxt(exchange), settings, policy, home.folder)


def policy_of(settings: RecorderSettings) -> RecorderPolicy:
    """Policy of a recorder with the numbers that are set."""
    return RecorderPolicy(
        grace_ms=round(1000 * settings.grace_s),
        quiet_s=settings.quiet_s,
        silence_s=settings.silence_s,
        refresh_every_s=settings.refresh_s,
        refetch_per_minute=settings.refetch_per_minute,
        write_every_s=settings.flush_s,
        stop_s=settings.stop_s,
        book_every_s=settings.book_every_s,
        book_levels=settings.book_levels,
    )


def _ccxt(exchange: Mapping[str, Any]) -> dict[str, Any]:
    """Options of ccxt as freqtrade gives them to its own asynchronous client."""
    given: dict[str, Any] = {"enableRateLimit": True}
    options: dict[str, Any] = {"defaultType": "swap"}
    for key in ("ccxt_config", "ccxt_async_config"):
        part = exchange.get(key) or {}
        given |= part
        options |= part.get("options") or {}
    public = {key: value for key, value in given.items() if key not in SECRETS}
    return public | {"options": options}
