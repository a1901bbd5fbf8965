"""Times and lengths of time as people write them, in UTC."""

from __future__ import annotations

import argparse
import re
import time
from datetime import UTC, datetime

UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def moment(text: str) -> int:
    """Type of argparse: a time (UTC ms) from ``2026-03-01``, ``2026-03-01 12:05`` or ``now``."""
    if text.lower() == "now":
        return int(time.time() * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected a time in UTC, was {text!r}; for example 2026-03-01T12:05, or now"
        ) from error
    known = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(known.timestamp() * 1000)


def duration(text: str) -> int:
    """Type of argparse: a length of time in ms from ``30m``, ``24h``, ``7d``, ``2w``."""
    match = re.fullmatch(r"(\d+)([mhdw])", text.strip().lower())
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(
            f"expected a length of time, was {text!r}; for example 30m, 24h or 7d"
        )
    return int(match[1]) * UNITS_MS[match[2]]


def shown(at: int) -> str:
    """Return a time (UTC ms) for people, to the minute."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def shown_length(length_ms: int) -> str:
    """Return a length of time for people, in its largest unit: 40 min, 3 h, 12 d."""
    minutes = length_ms // 60_000
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
