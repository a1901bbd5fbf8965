"""Faults on request and by a seeded schedule: what can go wrong, and how it does."""

from __future__ import annotations

from loopback_exchange.faults.kinds import FITS, Fault, FaultKind
from loopback_exchange.faults.plan import Faults, Strike
from loopback_exchange.faults.schedule import ORDER_REQUESTS, FaultSchedule

__all__ = [
    "FITS",
    "ORDER_REQUESTS",
    "Fault",
    "FaultKind",
    "FaultSchedule",
    "Faults",
    "Strike",
]
