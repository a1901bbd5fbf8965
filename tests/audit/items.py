"""The audited items that concern regime, bias, trend, signals and the pipeline.

Each id is named by the test that shows it. What is left out on purpose, or stands with the
part that it belongs to, is listed with its reason.
"""

from __future__ import annotations

TABLES = ("T1", "T2", "T3")
CHECKS = ("P1", "P2", "P3", "P4", "P6", "F5", "F6")
NUMBERS = (
    *("X14", "X15", "X18", "X20", "X21", "X22", "X23", "X25", "X27", "X29", "X30"),
    *("X31", "X32", "X34", "X35", "X37", "X38", "X41", "X42", "X43"),
)
FAULTS = (
    *("F-A11", "F-A12", "F-A13", "F-A14", "F-A15", "F-A16", "F-A17", "F-A18"),
    *("F-A19", "F-A20", "F-A21", "F-A22", "F-A23"),
)
ITEMS = (*TABLES, *CHECKS, *NUMBERS, *FAULTS)

ELSEWHERE = {
    "X40": "size factors come with the risk layer",
    "F-A24": "the size multiplier comes with the risk layer",
    "F-A25": "correlated exposure comes with the risk layer",
}

ABSENT = {
    "engine sizing multiplier": "comes with the risk layer; until then freqtrade's stake stands",
    "drawdown stop": "comes with the risk layer",
    "acceptance of 3 minutes": "comes with the features of traded flow",
    "volume_ratio": "no gate reads it: a thin market is seen by its stale candles and its spread",
    "time filter by volume": "see volume_ratio; settlements are the clock's",
}
"""F6: behaviours of system A that are not here, and why."""
