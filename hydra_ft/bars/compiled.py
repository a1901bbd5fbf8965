"""Every kernel that numba compiles, in one list, each with the one signature it is called with.

A kernel is loaded from the cache, or compiled, by ``warm_up`` or by its first call, and never
again for other types: a call with other types is an error. So no call of a strategy compiles
anything once ``hydra dev warmup`` has run. The cache is where numba's configuration says at that
moment, and ``hydra_ft.warmup`` says it. Arrays that are only read may be read-only.
"""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

import numba
from numba import config, types

from hydra_ft.bars.loading import KeptCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
R = TypeVar("R")

INT: Final = types.int64
FLOAT: Final = types.float64
FLOATS: Final = types.Array(types.float64, 1, "C")
INTS: Final = types.Array(types.int64, 1, "C")
INTS_2D: Final = types.Array(types.int64, 2, "C")
READ_INTS: Final = types.Array(types.int64, 1, "C", readonly=True)
READ_INTS_2D: Final = types.Array(types.int64, 2, "C", readonly=True)
READ_FLOATS: Final = types.Array(types.float64, 1, "C", readonly=True)
READ_SIDES: Final = types.Array(types.int8, 1, "C", readonly=True)

OPTIONS: Final = {"nogil": True, "_nrt": False}
"""Kernels allocate nothing: numba then leaves out the counting of references, two atomic
operations for every array that a call hands on, which cost more than the sums did."""

KERNELS: Final[dict[str, Kernel]] = {}
"""Name of each kernel -> the kernel; complete once ``hydra_ft.bars`` is imported file by file."""


_loading: Final = threading.RLock()
"""Numba compiles in one thread at a time, and a kernel that is locked must be whole."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the search for cyclic garbage, which takes half of the time of the first load.

    Numba makes thousands of classes then, and each few of them cause another search through all
    that freqtrade has loaded.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Kernel:
    """A function that is compiled once, for one signature, before its first use."""

    def __init__(self, function: Callable[..., Any], signature: tuple[Any, ...]) -> None:
        self.name = function.__name__
        self.signature = signature
        self._function = function
        self._ready = bool(config.DISABLE_JIT)

    @cached_property
    def dispatcher(self) -> Any:
        """The function as numba keeps it; where its cache is, is settled here."""
        made = numba.njit(**OPTIONS)(self._function)
        made._cache = KeptCode(self._function)  # noqa: SLF001 - where ``cache=True`` puts its own
        return made

    @property
    def was_compiled(self) -> bool:
        """Whether this process compiled the kernel, and did not find it in the cache."""
        return "dispatcher" in vars(self) and bool(self.dispatcher.stats.cache_misses)

    def compile(self) -> None:
        """Compile, or load from the cache; at no time again after that."""
        with _loading:
            if self._ready:
                return
            with _uncollected():
                self.dispatcher.compile(self.signature)
            self.dispatcher.disable_compile()
            self._ready = True

    def __call__(self, *arguments: Any) -> Any:
        """Run the compiled function."""
        if not self._ready:
            self.compile()
        return self.dispatcher(*arguments)


def kernel(*signature: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a kernel with the numba types of its arguments."""

    def declared(function: Callable[P, R]) -> Callable[P, R]:
        made = Kernel(function, signature)
        if KERNELS.setdefault(made.name, made) is not made:
            raise ValueError(f"kernel: expected a name of its own, {made.name!r} is taken")
        return cast("Callable[P, R]", made)

    return declared


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Declare a part of kernels that calls no other; it is compiled as part of each."""
    return cast("Callable[P, R]", numba.njit(forceinline=True, **OPTIONS)(function))


def spliced(function: Callable[P, R]) -> Callable[P, R]:
    """Declare a part of kernels that calls other parts.

    Its lines become lines of what calls it before anything is compiled: else what it calls would
    be compiled once for every level on the way to the kernel.
    """
    return cast("Callable[P, R]", numba.njit(inline="always", **OPTIONS)(function))


def warm_up(done: Callable[[Kernel], None] = lambda _: None) -> tuple[str, ...]:
    """Compile every kernel, or load it from the cache, and call ``done`` after each; their names.

    Those of the modules that have been imported: see ``hydra_ft.warmup``.
    """
    for each in KERNELS.values():
        each.compile()
        done(each)
    return tuple(KERNELS)
