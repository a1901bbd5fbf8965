"""Features of closed bars; importing this package fills ``registry.FEATURES``."""

from __future__ import annotations

from hydra_ft.features import averages, funding, open_interest, structure, trend, volatility, vwap

__all__ = ["averages", "funding", "open_interest", "structure", "trend", "volatility", "vwap"]
