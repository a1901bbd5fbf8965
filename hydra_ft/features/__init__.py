"""Features of closed bars; importing this package fills ``registry.FEATURES``.

Every module of the package is imported, so a new family is a file and no line here.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

# It is also run by itself, which a second copy of it would spoil.
_SKIPPED = ("documentation",)

for _module in sorted(found.name for found in iter_modules(__path__)):
    if _module not in _SKIPPED:
        import_module(f"{__name__}.{_module}")
