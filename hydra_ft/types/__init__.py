"""The words that all layers share: frozen values without behaviour of their own.

Times are UTC milliseconds since the epoch (``int``), prices are in quote currency,
quantities in base currency, ratios are 0..1. Arrays have one row per closed bar,
oldest first.
"""

from __future__ import annotations

from hydra_ft.types.flow_columns import (
    BookColumns,
    FlowColumns,
    FootprintColumns,
    ForcedColumns,
    ValueColumns,
)
from hydra_ft.types.market import (
    Bars,
    Bias,
    BoolArray,
    CodeArray,
    Context,
    EntryState,
    Feed,
    FloatArray,
    IntArray,
    Quote,
    Regime,
    Side,
    Signal,
    Verdict,
)
from hydra_ft.types.orders import (
    Abandon,
    Attempt,
    ChaseAction,
    ChildState,
    Cross,
    ExecutionCost,
    Fill,
    Keep,
    Kind,
    ParentOrder,
    Requote,
    WorkingOrder,
)
from hydra_ft.types.samples import BookSamples, ForcedClosures

__all__ = [
    "Abandon",
    "Attempt",
    "Bars",
    "Bias",
    "BookColumns",
    "BookSamples",
    "BoolArray",
    "ChaseAction",
    "ChildState",
    "CodeArray",
    "Context",
    "Cross",
    "EntryState",
    "ExecutionCost",
    "Feed",
    "Fill",
    "FloatArray",
    "FlowColumns",
    "FootprintColumns",
    "ForcedClosures",
    "ForcedColumns",
    "IntArray",
    "Keep",
    "Kind",
    "ParentOrder",
    "Quote",
    "Regime",
    "Requote",
    "Side",
    "Signal",
    "ValueColumns",
    "Verdict",
    "WorkingOrder",
]
