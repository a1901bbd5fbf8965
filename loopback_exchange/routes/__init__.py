"""What each method and path answers."""

from __future__ import annotations

from loopback_exchange.routes.table import ROUTES, Route

__all__ = ["ROUTES", "Route"]
