"""Signals; importing this package fills ``registry.SIGNALS``."""

from __future__ import annotations

from hydra_ft.signals.adx_expansion import adx_expansion
from hydra_ft.signals.funding_pressure import funding_pressure
from hydra_ft.signals.trend_pullback import trend_pullback

__all__ = ["adx_expansion", "funding_pressure", "trend_pullback"]
