"""What a backtest logs of its modelled chase, read back from the log."""

from __future__ import annotations

import re
from dataclasses import dataclass

CLAUSE = re.compile(
    r"(\d+) begun, (\d+) filled at their quote, (\d+) at the open, (\d+) abandoned, (\d+) requotes"
)
HAIRCUT = re.compile(
    r"Haircut of the chase: ([\d.-]+) bps a fill, ([\d.-]+) bps and ([\d.-]+) USDT"
)


@dataclass(frozen=True, slots=True)
class Parents:
    """What became of the parents of one kind."""

    begun: int
    at_quote: int
    at_open: int
    abandoned: int
    requotes: int

    @property
    def filled(self) -> int:
        """Parents that filled."""
        return self.at_quote + self.at_open


@dataclass(frozen=True, slots=True)
class ChaseReport:
    """Entries and exits by signal, and what their fills gained over the open of their candle."""

    entries: Parents
    exits: Parents
    haircut_bps: float
    haircut_all_bps: float
    haircut_quote: float


def chase_report(output: str) -> ChaseReport | None:
    """Return the report in what a backtest said; None where orders were not chased."""
    clauses, found = CLAUSE.findall(output), HAIRCUT.search(output)
    if len(clauses) != 2 or found is None:
        return None
    entries, exits = (Parents(*map(int, clause)) for clause in clauses)
    return ChaseReport(entries, exits, *map(float, found.groups()))
