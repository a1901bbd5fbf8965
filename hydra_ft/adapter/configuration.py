"""What in freqtrade's configuration stops Hydra, or fights the chase.

``check_configuration`` is pure on the configuration dictionary: `hydra doctor` prints its
findings, and a strategy refuses to start on those that fail.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from freqtrade.configuration import Configuration, validate_config_consistency
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException

from hydra_ft.errors import SettingsError
from hydra_ft.settings import SECTION, Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_ft.execution.policy import ChasePolicies

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One setting that does not fit: what it was, what was expected and what to change."""

    level: Literal["fail", "warn"]
    key: str
    was: str
    expected: str
    change: str

    def __str__(self) -> str:
        """One line, as it stands in an error message."""
        return f"{self.key}: expected {self.expected}; it was {self.was}; {self.change}"


def load_configuration(files: list[str], userdir: Path | None) -> dict[str, Any]:
    """Read configuration files the way freqtrade does, and check them against its schema.

    Raises
    ------
    SettingsError
        When a file cannot be read, or freqtrade refuses what it says.
    """
    arguments = {"config": files, "user_data_dir": str(userdir) if userdir else None}
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the reason comes with the exception
    try:
        config: dict[str, Any] = Configuration(arguments, RunMode.UTIL_EXCHANGE).get_config()
        validate_config_consistency(config, preliminary=True)
    except FreqtradeException as error:
        message = f"freqtrade refuses the configuration ({', '.join(files)}): {error}"
        raise SettingsError(message) from error
    finally:
        logging.disable(before)
    return config


def check_configuration(
    config: Config,
    *,
    with_credentials: bool = True,
    chase: ChasePolicies | None = None,
    sets_stops: bool = False,
) -> list[Finding]:
    """All findings about a configuration, failures first; empty when there are none.

    A running bot has taken key and secret out of its configuration before it loads the
    strategy (and has refused to start without them): it asks without credentials. ``chase``
    is what its head declares. What fights the chase is no finding where nothing is chased, and
    what fights stops and targets none where the head has no risk policy (``sets_stops``).
    """
    try:
        settings = load_settings(config.get(SECTION), chase)
    except SettingsError as error:
        settings = Settings()
        expected = "the keys and values of docs/settings.md"
        found = [Finding("fail", SECTION, f"refused: {error}", expected, "correct these keys")]
    else:
        found = []
    checks = CHECKS if settings.chase.enabled else CHECKS_WITHOUT_CHASE
    checks = tuple(check for check in checks if with_credentials or check is not _credentials)
    checks += (_barriers,) if sets_stops else ()
    found += [finding for check in checks for finding in check(config, settings)]
    return sorted(found, key=lambda finding: finding.level)


def _markets(config: Config, _settings: Settings) -> Iterator[Finding]:
    """Futures with isolated margin: the only mode that Hydra trades."""
    mode, margin = config.get("trading_mode", "spot"), config.get("margin_mode", "")
    if str(mode) != "futures":
        yield Finding("fail", "trading_mode", _quoted(mode), "futures only", 'set "futures"')
    elif str(margin) != "isolated":
        yield Finding("fail", "margin_mode", _quoted(margin), "isolated", 'set "isolated"')
    name = str(_section(config, "exchange").get("name", ""))
    if name != "binance":
        expected = "binance, the exchange that Hydra is tried on"
        yield Finding("warn", "exchange.name", _quoted(name), expected, "expect differences")


def _credentials(config: Config, _settings: Settings) -> Iterator[Finding]:
    """A key and a secret when real orders are to be sent."""
    if config.get("dry_run", True):
        return
    exchange = _section(config, "exchange")
    # freqtrade takes the first of the three names that is there, even when it is empty.
    key = exchange.get("api_key", exchange.get("apiKey", exchange.get("key")))
    for name, value in (("api_key", key), ("secret", exchange.get("secret"))):
        if not value:
            change = (
                f"set FREQTRADE__EXCHANGE__{name.upper()} in the environment, or dry_run to true"
            )
            expected = "a value, since dry_run is false"
            yield Finding("fail", f"exchange.{name}", "empty", expected, change)


def _prefix(config: Config, settings: Settings) -> Iterator[Finding]:
    """The prefix by which an order on the exchange is known to be this bot's."""
    exchange = _section(config, "exchange")
    if str(exchange.get("name", "")) != "binance":
        return
    options = {
        **_section(_section(exchange, "ccxt_config"), "options"),
        **_section(_section(exchange, "ccxt_sync_config"), "options"),
    }
    expected = settings.order_prefix
    for market in ("swap", "future", "spot"):
        was = _section(options, "broker").get(market)
        if was != expected:
            # freqtrade sends futures orders as swaps; the others are for completeness.
            hard = market == "swap" and not config.get("dry_run", True)
            key = f"exchange.ccxt_config.options.broker.{market}"
            change = f'set "{expected}", or Hydra cannot tell its own orders from others'
            yield Finding("fail" if hard else "warn", key, _quoted(was), _quoted(expected), change)


def _timeouts(config: Config, settings: Settings) -> Iterator[Finding]:
    """Freqtrade's own timeout must not end an order before the chase does."""
    timeouts = _section(config, "unfilledtimeout")
    unit = str(timeouts.get("unit", "minutes"))
    for side, policy in (("entry", settings.chase.entry), ("exit", settings.chase.exit)):
        if side not in timeouts:
            continue
        timeout_s = timedelta(**{unit: float(timeouts[side])}).total_seconds()
        if timeout_s <= policy.deadline_s:
            expected = f"more than hydra.chase.{side}.deadline_s ({policy.deadline_s:g} s)"
            change = "raise it, or lower the deadline"
            yield Finding("fail", f"unfilledtimeout.{side}", f"{timeout_s:g} s", expected, change)
    count = timeouts.get("exit_timeout_count", 0)
    if count:
        expected = "0: every requote counts, so freqtrade would exit at market in mid-chase"
        yield Finding("fail", "unfilledtimeout.exit_timeout_count", str(count), expected, "set 0")


def _signals(config: Config, settings: Settings) -> Iterator[Finding]:
    """What keeps a chased entry from coming back after a cancel."""
    key = "ignore_buying_expired_candle_after"
    deadline_s, after_s = settings.chase.entry.deadline_s, config.get(key, 0)
    if 0 < after_s < deadline_s:
        expected = f"0, or at least hydra.chase.entry.deadline_s ({deadline_s:g})"
        yield Finding("fail", key, str(after_s), expected, "remove it")
    key, most = "max_entry_position_adjustment", config.get("max_entry_position_adjustment", -1)
    if most != -1:
        expected = "-1: the rest of a partly filled entry is an adjustment"
        yield Finding("fail", key, str(most), expected, "remove it")
    key = "position_adjustment_enable"
    if config.get(key) is False:
        expected = "true: the rest of a partly filled entry is an adjustment"
        yield Finding("fail", key, "false", expected, "remove it")


def _exits(config: Config, _settings: Settings) -> Iterator[Finding]:
    """What keeps a chased exit from coming back."""
    if config.get("use_exit_signal") is False:
        expected = "true: an exit that has begun is kept alive as an exit signal"
        yield Finding("fail", "use_exit_signal", "false", expected, "remove it")
    if config.get("exit_profit_only"):
        expected = "false: at a loss an exit signal would hold up exits that have begun"
        yield Finding("fail", "exit_profit_only", "true", expected, "remove it")


def _barriers(config: Config, _settings: Settings) -> Iterator[Finding]:
    """What puts the stops and targets of a risk policy out of force."""
    if config.get("use_custom_stoploss") is False:
        expected = "true: every stop of the head's risk policy is a custom one"
        yield Finding("fail", "use_custom_stoploss", "false", expected, "remove it")
    if config.get("ignore_roi_if_entry_signal"):
        expected = "false: while a signal fires no target is taken"
        yield Finding("warn", "ignore_roi_if_entry_signal", "true", expected, "remove it")


def _stops(config: Config, _settings: Settings) -> Iterator[Finding]:
    """A stop on the exchange that becomes a limit order can be jumped over."""
    kinds = _section(config, "order_types")
    if kinds.get("stoploss_on_exchange") and kinds.get("stoploss", "limit") != "market":
        expected = '"market": the limit order that a stop becomes is not chased, and may never fill'
        was = _quoted(kinds.get("stoploss"))
        yield Finding("warn", "order_types.stoploss", was, expected, 'set "market"')


def _prices(config: Config, settings: Settings) -> Iterator[Finding]:
    """What moves the price of a quote, or sends no quote at all."""
    furthest = max(settings.chase.entry.max_chase_bps, settings.chase.exit.max_chase_bps) / 1e4
    key = "custom_price_max_distance_ratio"
    ratio = config.get(key, 0.02)
    if ratio < furthest:
        expected = f"at least max_chase_bps ({furthest:g}), or quotes are moved past their cap"
        yield Finding("fail", key, str(ratio), expected, "raise it, or lower max_chase_bps")
    for side in ("entry", "exit"):
        kind = _section(config, "order_types").get(side, "limit")
        if kind != "limit":
            expected = "limit: a market order cannot be chased"
            yield Finding("fail", f"order_types.{side}", _quoted(kind), expected, 'set "limit"')


def _interface(config: Config, _settings: Settings) -> Iterator[Finding]:
    """An API server that is switched on needs a password, and stays on this machine."""
    server = _section(config, "api_server")
    if not server.get("enabled"):
        return
    if not server.get("password"):
        change = "set FREQTRADE__API_SERVER__PASSWORD in the environment"
        yield Finding("fail", "api_server.password", "empty", "a password", change)
    if str(server.get("jwt_secret_key", "something")).startswith("something"):
        change = "set FREQTRADE__API_SERVER__JWT_SECRET_KEY to 32 random characters"
        expected = "a key of your own, not freqtrade's published default"
        yield Finding("warn", "api_server.jwt_secret_key", "the default", expected, change)


Check = Callable[[Config, Settings], Iterator[Finding]]


def _silence(config: Config, _settings: Settings) -> Iterator[Finding]:
    """Freqtrade's own messages, which nothing replaces where nothing is chased."""
    telegram = _section(config, "telegram")
    told = _section(telegram, "notification_settings")
    off = [name for name in ("entry", "entry_fill", "exit_fill") if told.get(name) == "off"]
    if telegram.get("enabled") and off:
        expected = '"on": with the chase off Hydra sends no messages of its own'
        key = f"telegram.notification_settings.{off[0]}"
        yield Finding("warn", key, '"off"', expected, f'set {", ".join(off)} to "on"')


CHECKS_WITHOUT_CHASE: tuple[Check, ...] = (_markets, _credentials, _interface, _silence)
"""What is checked whether orders are chased or not; each yields what does not fit."""

CHECKS: tuple[Check, ...] = (
    _markets,
    _credentials,
    _prefix,
    _timeouts,
    _signals,
    _exits,
    _stops,
    _prices,
    _interface,
)
"""What is checked where orders are chased, in this order."""


def _section(config: Config, key: str) -> Config:
    """A part of the configuration; empty when it is missing."""
    part = config.get(key)
    return part if isinstance(part, Mapping) else {}


def _quoted(value: object) -> str:
    """A text in quotes; ``missing`` for None."""
    return "missing" if value is None else f'"{value}"'
