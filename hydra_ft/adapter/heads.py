"""The rules of a head, read from its strategy file as freqtrade would load it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from hydra_ft.decisions.pipeline import HeadRules
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    from pathlib import Path


def load_rules(name: str, folder: Path) -> HeadRules:
    """Return the declaration of the head ``name`` in a folder of strategies.

    Raises
    ------
    HydraError
        When the file is missing or holds no head of that name.
    """
    path = folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise HydraError(f"expected a strategy file {path}, was none; run hydra install")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rules = getattr(getattr(module, name, None), "rules", None)
    if not isinstance(rules, HeadRules):
        raise HydraError(f"expected a class {name} with rules in {path}, was none")
    return rules
