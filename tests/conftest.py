"""Kernels are compiled once for all tests, and for the bots that tests start."""

from __future__ import annotations

from hydra_ft.warmup import keep_compiled


def pytest_configure() -> None:
    """Compile what the sources or this machine have made new; processes inherit where that is."""
    keep_compiled(None, print)
