"""Market streams over WebSocket: trades, book, touch and forced orders, beside the HTTP routes."""

from __future__ import annotations

from loopback_exchange.streams.faults import StreamFaults
from loopback_exchange.streams.hub import Hub
from loopback_exchange.streams.load import Load

__all__ = ["Hub", "Load", "StreamFaults"]
