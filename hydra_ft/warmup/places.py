"""Folders that compiled kernels are kept in, and whether one of them is whole.

Each folder belongs to one state of the sources, one numba, one Python and one CPU, whose digest
is its name: what does not fit is never looked at. A mark lists its files with their digests, and
is written last; a folder without one, or with a file that differs, is not used.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shutil
import sys
import time
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import llvmlite.binding
import numba

import hydra_ft

logger = logging.getLogger(__name__)

UNDER: Final = ("hydra", "compiled")
"""Where in a user_data directory compiled kernels are."""
MARK: Final = "whole.json"
VARIABLE: Final = "NUMBA_CACHE_DIR"
PACKAGE: Final = Path(hydra_ft.__file__).parent
KEPT_DAYS: Final = 30
"""Folders of other versions or CPUs go when they were not used for so long."""


def under_user_data(user_data: Path) -> Path:
    """Return the folder within a user_data directory."""
    return user_data.joinpath(*UNDER, fingerprint())


def beside_package() -> Path:
    """Return the folder of this environment, which `make venv` and the image fill."""
    return PACKAGE / "__pycache__" / "compiled" / fingerprint()


def given() -> Path | None:
    """Return the folder that the environment names; None where it names none.

    Processes that were started by one that keeps kernels inherit its own folder.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    return Path(folder) if Path(folder).name == fingerprint() else Path(folder, fingerprint())


def sources() -> list[Path]:
    """Files with kernels, or with parts or constants of them, in them."""
    return [
        path
        for folder in ("bars", "features")
        for path in sorted((PACKAGE / folder).glob("*.py"))
        if folder == "bars" or "hydra_ft.bars.compiled" in path.read_text(encoding="utf-8")
    ]


@cache
def fingerprint() -> str:
    """Digest of all that compiled code depends on: sources, where they are, versions, CPU."""
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sources()]
    cpu = (
        llvmlite.binding.get_host_cpu_name(),
        llvmlite.binding.get_host_cpu_features().flatten(),
        numba.config.CPU_NAME,
        numba.config.CPU_FEATURES,
    )
    compiler = (numba.__version__, llvmlite.__version__, numba.config.DISABLE_JIT)
    python = (platform.python_version(), sys.platform)
    return sha256(repr((files, cpu, compiler, python)).encode()).hexdigest()[:16]


def is_whole(folder: Path) -> bool:
    """Whether everything that was compiled into a folder is there as it was written."""
    if not (folder / MARK).exists():
        return False
    try:
        listed = json.loads((folder / MARK).read_text(encoding="utf-8"))["files"].items()
        found = all(_digest(folder / name) == digest for name, digest in listed)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("Compiled kernels in %s cannot be read: %r.", folder, error)
        return False
    if not found:
        logger.warning("Compiled kernels in %s are damaged.", folder)
    return found


def mark(folder: Path, kernels: int) -> None:
    """Write the digests of all files of a folder down: it is whole."""
    files = {
        str(path.relative_to(folder)): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARK
    }
    text = json.dumps({"kernels": kernels, "files": files}, indent=1)
    (folder / MARK).write_text(text, encoding="utf-8")


def is_writable(folder: Path) -> bool:
    """Whether files can be written to a folder, or it can be made; numba reads no others."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def put(draft: Path, folder: Path) -> None:
    """Put a whole draft in the place of what is there; another's that is whole stays.

    Raises OSError where the place cannot be written.
    """
    if folder.exists() and not is_whole(folder):
        broken = folder.with_name(f".{folder.name}.{os.getpid()}.broken")
        folder.rename(broken)
        shutil.rmtree(broken, ignore_errors=True)
    try:
        draft.rename(folder)
    except OSError:
        if not is_whole(folder):
            raise
        shutil.rmtree(draft, ignore_errors=True)


def note_use(folder: Path) -> None:
    """Note that a folder is in use, and remove those beside it that have not been for long."""
    oldest = time.time() - KEPT_DAYS * 86_400
    try:
        os.utime(folder / MARK)
        for other in folder.parent.iterdir():
            dated = other / MARK if (other / MARK).exists() else other
            if other != folder and dated.stat().st_mtime < oldest:
                shutil.rmtree(other, ignore_errors=True)
    except OSError as error:
        logger.debug("%s: %s", folder, error)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
