"""The one place where the exchange reads the clock.

Only ``time.time`` is read, so a test that moves it (time-machine) moves the whole exchange.
"""

from __future__ import annotations

import time

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def now_ms() -> int:
    """Read the present moment, in milliseconds since 1970 (UTC)."""
    return int(time.time() * 1000)
