"""Kernels stand in one list, each with its one signature, and no call compiles another."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bars.flow_reference import GRID, made_trades
from numba import types

from hydra_ft.bars.compiled import INT, KERNELS, READ_INTS, Kernel, kernel, warm_up
from hydra_ft.bars.flow_text import ids_from_text, sides_from_text
from hydra_ft.bars.flow_whole import flow_of
from hydra_ft.bars.footprint import imbalances, rebinned
from hydra_ft.bars.profile import bar_profiles, rolling_profiles
from hydra_ft.warmup.compiling import declared


def without_planted() -> dict[str, Kernel]:
    return {name: each for name, each in declared().items() if name != "_planted"}


LOADED = """
import sys
import numba
from hydra_ft.warmup import keep_compiled
from hydra_ft.bars.flow_kernels import flush
keep_compiled(None)
flush.compile()
print(flush.was_compiled, "numba.cpython.unicode" in sys.modules)
print(numba.njit(lambda word: len(word + "s"))("kernel"))
"""

WITH_TRADES = {
    "fold_trades", "flush", "close_rows", "build_profiles", "roll_profiles", "imbalanced_levels",
    "parse_ids", "parse_sides",
}  # fmt: skip


def nothing_of(kind: types.Type) -> object:
    """An array without rows, or a number, of a type that a kernel takes."""
    if isinstance(kind, types.Array):
        return np.zeros((0,) * kind.ndim, dtype=str(kind.dtype))
    if isinstance(kind, types.UniTuple):
        return tuple(nothing_of(kind.dtype) for _ in range(kind.count))
    return 1 if isinstance(kind, types.Integer) else 1.0


def call_every_kernel() -> None:
    """Call what calls the kernels of flow bars and profiles, and all others with nothing."""
    flow = flow_of(made_trades(300), GRID, 60_000)
    imbalances(rebinned(flow.footprint, 5))
    bar_profiles(flow.footprint)
    rolling_profiles(flow.footprint, 3, 2, flow.bars.close_ticks)
    text = np.array([0, 3]), np.frombuffer(b"buy", dtype=np.uint8)
    assert sides_from_text(*text).tolist() == [1]
    assert ids_from_text(text[0], np.frombuffer(b"123", dtype=np.uint8)).tolist() == [123]
    for name, each in without_planted().items():
        if name not in WITH_TRADES:
            each(*(nothing_of(kind) for kind in each.signature))


def test_a_warm_up_compiles_every_kernel_and_no_call_compiles_again() -> None:
    """P11: no call of a strategy ever compiles."""
    assert set(without_planted()) <= set(warm_up())
    before = {name: list(each.dispatcher.signatures) for name, each in without_planted().items()}
    for name, each in without_planted().items():
        assert before[name] == [each.signature], name
    call_every_kernel()
    after = {name: list(each.dispatcher.signatures) for name, each in without_planted().items()}
    assert after == before


def test_a_kernel_is_loaded_without_what_numba_needs_to_compile_others() -> None:
    """P11: three quarters of a load. What a strategy of the user's compiles still does."""
    done = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True)
    assert done.stdout.decode().split() == ["False", "False", "7"]


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_is_collected_after_a_load_as_it_was_before(
    was_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = without_planted()["flush"]
    flush.compile()
    during: list[bool] = []
    monkeypatch.setattr(flush, "_ready", False)
    monkeypatch.setattr(flush.dispatcher, "compile", lambda _: during.append(gc.isenabled()))
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        flush.compile()
        assert gc.isenabled() is was_on
        assert during == [False]
    finally:
        (gc.enable if before else gc.disable)()


def test_a_kernel_takes_arrays_that_may_not_be_written_and_compiles_for_no_other_types() -> None:
    def _planted(values: object, n: int) -> object:
        return values[0] + n

    made = kernel(READ_INTS, INT)(_planted)
    try:
        fixed = np.arange(3, 6)
        fixed.setflags(write=False)
        assert made(fixed, 2) == 5
        assert made(np.arange(3, 6), 2) == 5
        with pytest.raises(TypeError, match="No matching definition"):
            made(np.zeros(3, dtype=np.float32), 2)
        assert len(made.dispatcher.signatures) == 1
        with pytest.raises(ValueError, match="'_planted' is taken"):
            kernel(READ_INTS, INT)(_planted)
    finally:
        del KERNELS["_planted"]


def test_threads_that_need_a_kernel_at_once_load_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot's loop and its recorder's thread; the second found compilation disabled before."""
    flush = without_planted()["flush"]
    flush.compile()
    loads: list[str] = []

    def slow(_: object) -> None:
        loads.append(threading.current_thread().name)
        time.sleep(0.05)

    monkeypatch.setattr(flush, "_ready", False)
    monkeypatch.setattr(flush.dispatcher, "compile", slow)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(flush.compile) for _ in range(4)]:
            done.result()
    assert len(loads) == 1
