"""Signals; importing this package fills ``registry.SIGNALS``.

Every module of the package is imported, so a new signal is a file of its own and no line
here. A signal is reached by its name, as ``signals.trend_pullback``. Type checkers take that
name for the module of the same name; ``from hydra_ft.signals.trend_pullback import
trend_pullback`` is the same value with its type.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from hydra_ft.signals.registry import SIGNALS

if TYPE_CHECKING:
    from hydra_ft.signals.registry import SignalDeclaration

# It is also run by itself, which a second copy of it would spoil.
_SKIPPED = ("documentation",)


def __getattr__(name: str) -> SignalDeclaration:
    """Only called for a name that is neither a signal nor a module."""
    raise AttributeError(f"no signal is named {name!r}; known: {sorted(SIGNALS)}")


for _module in sorted(found.name for found in iter_modules(__path__)):
    if _module not in _SKIPPED:
        import_module(f"{__name__}.{_module}")
# Importing a module bound its name to the module; the name is to mean the signal.
globals().update(SIGNALS)
