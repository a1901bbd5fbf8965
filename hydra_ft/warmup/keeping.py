"""Which folder of compiled kernels a process uses, and how one comes into being.

The first that is whole: the one that ``NUMBA_CACHE_DIR`` names, the one under user_data, the one
beside the package. Where none is, kernels are compiled by a process of their own into the first
of these that can be written, or for this process alone.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Final, NamedTuple

from numba import config

from hydra_ft.warmup import places

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

WORKER: Final = "hydra_ft.warmup.compiling"
PATIENCE_S: Final = 600.0
"""A compilation that takes longer than this is given up; on a slow machine it takes a minute."""


class Kept(NamedTuple):
    """A folder of compiled kernels; ``lasting`` is false where the next start compiles again."""

    folder: Path
    was_warm: bool
    lasting: bool = True


def keep_compiled(user_data: Path | None, said: Callable[[str], None] = logger.info) -> Kept:
    """Have every kernel of this process, and of those it starts, read from compiled ones.

    Compiles them where that has not been done for this version and CPU. Never raises: where
    nothing can be written, a folder is made that is gone with this machine's next start.
    """
    warm = warm_folder(user_data)
    kept = Kept(warm, was_warm=True) if warm is not None else _made(user_data, said)
    os.environ[places.VARIABLE] = config.CACHE_DIR = str(kept.folder)
    places.note_use(kept.folder)
    return kept


def fill_first(user_data: Path | None, said: Callable[[str], None]) -> Kept:
    """Compile into the folder that ``keep_compiled`` looks at first; it is what commands do."""
    first = _candidates(user_data)[0]
    if places.is_writable(first) and places.is_whole(first):
        return Kept(first, was_warm=True)
    return _made(user_data, said)


def warm_folder(user_data: Path | None) -> Path | None:
    """Return the folder of whole kernels that ``keep_compiled`` will use; None where none is."""
    for folder in _candidates(user_data):
        # numba reads no cache that it could not write.
        if places.is_writable(folder) and places.is_whole(folder):
            return folder
    return None


def _candidates(user_data: Path | None) -> list[Path]:
    given = places.given()
    if given is not None:
        return [given]
    own = [] if user_data is None else [places.under_user_data(user_data)]
    return [*own, places.beside_package()]


def _made(user_data: Path | None, said: Callable[[str], None]) -> Kept:
    """Fill the first folder that can be written, from one that cannot or by compiling."""
    there = user_data is None or user_data.is_dir()
    for folder in _candidates(user_data if there else None):
        if places.is_writable(folder):
            if places.is_whole(folder):
                return Kept(folder, was_warm=True)
            try:
                fill(folder, said)
                return Kept(folder, was_warm=False, lasting=places.is_whole(folder))
            except OSError as error:
                logger.warning("Compiled kernels cannot be kept in %s: %s.", folder, error)
    folder = Path(tempfile.mkdtemp(prefix="hydra-compiled-"), places.fingerprint())
    tried = ", ".join(str(each) for each in _candidates(user_data))
    logger.warning(
        "Compiled kernels: expected a folder that can be written, was none of %s; they are kept "
        "in %s, and the next start may compile again; name a folder in NUMBA_CACHE_DIR",
        tried,
        folder,
    )
    fill(folder, said)
    return Kept(folder, was_warm=False, lasting=False)


def fill(folder: Path, said: Callable[[str], None]) -> None:
    """Fill a folder: with the kernels of this environment if they are whole, or by compiling.

    If the compilation fails the folder is there without a mark, and numba compiles into it what
    is called. Raises OSError when it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        source = places.beside_package()
        if source != folder and places.is_whole(source):
            said(f"compiled kernels are taken over from {source}")
            shutil.copytree(source, draft, dirs_exist_ok=True)
        elif not _compiled(draft, said):
            folder.mkdir(exist_ok=True)
            return
        places.put(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _compiled(draft: Path, said: Callable[[str], None]) -> bool:
    """Compile every kernel into a folder, in a process of its own; whether that went well."""
    said(f"compiling kernels for this version and CPU, once, into {draft.parent}")
    command = [sys.executable, "-m", WORKER, str(draft)]
    paths = (str(places.PACKAGE.parent), os.environ.get("PYTHONPATH", ""))
    environment = {
        **os.environ,
        places.VARIABLE: str(draft),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    line = ""
    with subprocess.Popen(  # noqa: S603 - this very package
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as worker:
        clock = Timer(PATIENCE_S, worker.kill)
        clock.start()
        try:
            for line in worker.stdout or ():
                said(line.rstrip())
            worker.wait()
        finally:
            clock.cancel()
            worker.kill()  # where it still runs: Ctrl-C, nobody waits for it any more
    if worker.returncode == 0:
        return True
    logger.warning("Kernels could not be compiled beforehand (%s): calls will.", line.strip())
    return False
