"""Freqtrade's webhook as edges need it: what must be set, and the queue before the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freqtrade.data.dataprovider import DataProvider

LONGEST_S = 5.0
"""How long a receiver that does not answer may hold up the loop with one message."""
_USUAL_TIMEOUT_S = 10.0
_STRATEGY_MSG = {"data": "{msg}"}


def is_told(config: Mapping[str, Any]) -> bool:
    """Whether freqtrade's webhook takes the messages of a strategy."""
    webhook = config.get("webhook") or {}
    wanted = ("enabled", "allow_custom_messages", "strategy_msg")
    return all(webhook.get(key) for key in wanted)


def complaints(config: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about a webhook that would tell no edges, or tell them badly."""
    webhook = config.get("webhook") or {}
    if not webhook.get("enabled"):
        return
    if not is_told(config):
        yield (
            "webhook: expected allow_custom_messages true and strategy_msg for the edges of the "
            "scalper, was without; they are only logged; see docs/scalp.md"
        )
        return
    if webhook.get("format") != "raw" or webhook["strategy_msg"] != _STRATEGY_MSG:
        yield (
            'webhook: expected format "raw" and strategy_msg {"data": "{msg}"}, was '
            f"{webhook.get('format', 'form')!r} and {webhook['strategy_msg']}; the receiver "
            "gets another body; see docs/scalp.md"
        )
    timeout = float(webhook.get("timeout", _USUAL_TIMEOUT_S))
    retries = int(webhook.get("retries", 0))
    longest = (retries + 1) * timeout + retries * float(webhook.get("retry_delay", 0.1))
    if longest > LONGEST_S:
        yield (
            f"webhook: expected timeout and retries that end within {LONGEST_S:g} s, was "
            f"{longest:g} s; freqtrade waits for the receiver, message by message, with the "
            "whole loop; set timeout to 1 and retries to 1"
        )


def send_queued(dp: DataProvider) -> None:
    """Send what is queued now: a bot that stops has no loop left that would.

    Freqtrade has no public way; this one reads, and calls what its loop calls.
    """
    rpc = getattr(dp, "_DataProvider__rpc", None)
    if rpc is not None:
        rpc.process_msg_queue(dp._msg_queue)  # noqa: SLF001 - as freqtradebot.process does
