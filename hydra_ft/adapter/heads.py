"""A head, read from its strategy file as freqtrade would load it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from hydra_ft.adapter.strategy import HydraStrategy
from hydra_ft.decisions.pipeline import HeadRules
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from pathlib import Path


_BROKEN = (ImportError, AttributeError, NameError, SyntaxError, TypeError, ValueError)
"""What a file that is no working strategy raises on import; freqtrade skips it as well."""


def load_head(path: Path) -> type[HydraStrategy]:
    """Return the head that a strategy file declares; its class has the name of the file.

    Raises
    ------
    HydraError
        When the file is missing, cannot be loaded, or holds no head of that name.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise HydraError(f"expected a strategy file {path}, was none; run hydra install")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except _BROKEN as error:
        raise HydraError(f"expected a strategy that loads from {path}: {error}") from error
    head = getattr(module, path.stem, None)
    if not isinstance(head, type) or not issubclass(head, HydraStrategy):
        raise HydraError(f"expected a class {path.stem} of HydraStrategy in {path}, was none")
    return head


def load_rules(name: str, folder: Path) -> HeadRules:
    """Return the rules of the head ``name`` in a folder of strategies; raises as ``load_head``."""
    rules = getattr(load_head(folder / f"{name}.py"), "rules", None)
    if not isinstance(rules, HeadRules):
        raise HydraError(f"expected a class {name} with rules in {folder}, was none")
    return rules
