"""What a recorder is made of: its policy from the settings, its client from the exchange's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from hydra_ft.errors import SettingsError
from hydra_ft.feeds.recorder_policy import RecorderPolicy

if TYPE_CHECKING:
    from hydra_ft.recorder_settings import RecorderSettings

SECRETS: Final = ("apiKey", "secret", "password", "uid", "walletAddress", "privateKey")


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


def public_options(exchange: Mapping[str, Any]) -> dict[str, Any]:
    """Options of ccxt as freqtrade gives them to its own asynchronous client, without keys.

    Raises SettingsError for a part that is no object.
    """
    given: dict[str, Any] = {"enableRateLimit": True}
    options: dict[str, Any] = {"defaultType": "swap"}
    for key in ("ccxt_config", "ccxt_async_config"):
        part = mapping(exchange.get(key), f"exchange.{key}")
        given |= part
        options |= mapping(part.get("options"), f"exchange.{key}.options")
    public = {key: value for key, value in given.items() if key not in SECRETS}
    return public | {"options": options}


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object of the configuration, empty where it is not set; else SettingsError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name}: expected an object, was {value!r:.60}; correct it")
    return value
