"""Compiled kernels are loaded without what numba needs to compile others."""

from __future__ import annotations

from typing import Any

from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys


class KeptCode(FunctionCache):  # type: ignore[misc]  # numba is untyped
    """Numba's own cache of a function, but for one step of loading.

    Before it loads machine code numba imports all that it knows of Python and numpy, to compile
    with, which takes three times as long as every kernel of ours takes to load. Code that is
    whole needs none of it, only the few routines that numba hands arrays over with. Whatever
    compiles afterwards, here or in a strategy of the user's, does that step itself.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load the machine code of a signature; None where it is not there."""
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)
        return None
