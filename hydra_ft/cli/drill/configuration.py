"""Freqtrade's configuration for one boot of the drill's bot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_ft.cli.drill.plan import BOT, STAKE_QUOTE, chase
from hydra_ft.cli.symbols import pair_of
from hydra_ft.settings import Settings
from loopback_exchange import freqtrade_exchange_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_ft.cli.drill.folder import Folder
    from hydra_ft.cli.drill.plan import Options

TIMEOUT_MS = 2_000
"""How long ccxt waits for an answer: each time-out costs the bot that much."""


def write_configuration(
    folder: Folder, options: Options, url: str, symbols: Sequence[str], boot: int
) -> None:
    """Write the file that the next boot reads."""
    config = _configuration(options, url, [pair_of(symbol) for symbol in symbols], boot)
    folder.config_file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _configuration(options: Options, url: str, pairs: list[str], boot: int) -> dict[str, Any]:
    touch = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
    return {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "stake_currency": "USDT",
        "stake_amount": STAKE_QUOTE,
        "max_open_trades": len(pairs),
        "dry_run": False,
        "entry_pricing": touch,
        "exit_pricing": touch,
        "unfilledtimeout": {"entry": 30, "exit": 30, "unit": "minutes"},
        "order_types": order_types(stops=options.stops),
        "pairlists": [{"method": "StaticPairList"}],
        "exchange": exchange_section(url, pairs),
        "internals": {"process_throttle_secs": 1},
        "hydra": _hydra(options.seed, boot),
    }


def order_types(*, stops: bool) -> dict[str, Any]:
    """Stops that rest on the exchange take what there is; the bot's own are chased."""
    limit = dict.fromkeys(("entry", "exit", "force_entry", "force_exit"), "limit")
    return {
        **limit,
        "emergency_exit": "market",
        "stoploss": "market" if stops else "limit",
        "stoploss_on_exchange": stops,
        "stoploss_on_exchange_interval": 5,
    }


def exchange_section(url: str, pairs: list[str]) -> dict[str, Any]:
    """The embedded exchange, with the prefix of the drill's bot on every order."""
    exchange = freqtrade_exchange_config(url)
    exchange["pair_whitelist"] = pairs
    ccxt = exchange["ccxt_config"]
    ccxt["timeout"] = TIMEOUT_MS
    prefix = Settings(bot_name=BOT).order_prefix
    ccxt["options"]["broker"] = dict.fromkeys(("swap", "future", "spot"), prefix)
    return exchange


def _hydra(seed: int, boot: int) -> dict[str, Any]:
    return {
        "bot_name": BOT,
        "chase": chase(seed, boot),
        # Both would do here what they are for, and stop the drill.
        "requotes_per_minute": 10_000,
        "breaker": {"enabled": False},
    }
