"""What a recorder is made of: its policy from the settings, its client from the exchange's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hydra_ft.feeds.recorder_policy import RecorderPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Options of ccxt as freqtrade gives them to its own asynchronous client, without keys."""
    given: dict[str, Any] = {"enableRateLimit": True}
    options: dict[str, Any] = {"defaultType": "swap"}
    for key in ("ccxt_config", "ccxt_async_config"):
        part = exchange.get(key) or {}
        given |= part
        options |= part.get("options") or {}
    public = {key: value for key, value in given.items() if key not in SECRETS}
    return public | {"options": options}
