"""`hydra install`: puts the thin strategy and model files into a freqtrade home."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hydra_ft
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    import argparse

EXAMPLE = "config.hydra.example.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    text = "freqtrade's user_data directory"
    parser.add_argument("--userdir", type=Path, required=True, metavar="DIR", help=text)
    text = "replace files that differ from this version's"
    parser.add_argument("--force", action="store_true", help=text)
    text = "do not compile kernels now; the first start of the bot will"
    parser.add_argument("--no-warmup", action="store_true", help=text)


def run(args: argparse.Namespace) -> int:
    """Copy what is missing, refuse what differs, compile kernels, and say what to do next.

    Raises
    ------
    HydraError
        When the directory is not there, or a file differs and ``--force`` is not given.
    """
    home: Path = args.userdir
    if not home.is_dir():
        raise HydraError(
            f"expected {home} to be freqtrade's user_data directory; it is not there; "
            f"make it with: freqtrade create-userdir --userdir {home}"
        )
    files = thin_files()
    outdated = [name for name, text in files.items() if _content(home / name) != text]
    differing = [name for name in outdated if (home / name).exists()]
    if differing and not args.force:
        raise HydraError(
            f"{', '.join(differing)} in {home} differ from this version's; nothing was written; "
            "keep your changes elsewhere and run again with --force"
        )
    for name in outdated:
        write_atomically(home / name, files[name])
        print(f"wrote {home / name}")
    if not args.no_warmup:
        from hydra_ft.warmup import fill_first  # noqa: PLC0415 - numba takes a moment

        fill_first(home, print)
    print(_next_steps(home) if outdated else f"{home} is already up to date")
    return 0


def thin_files() -> dict[str, str]:
    """Files for a freqtrade home: their path in it, and their text.

    A wheel carries them as package data; in a checkout they stand in the repository.

    Raises
    ------
    HydraError
        When neither is there.
    """
    package = Path(hydra_ft.__file__).parent
    root = package / "_thin" if (package / "_thin").is_dir() else package.parent
    if not (root / "strategies").is_dir():
        raise HydraError(f"no strategies in {root}; install the package hydra-ft again")
    sources = sorted((*root.glob("strategies/*.py"), *root.glob("freqaimodels/*.py")))
    files = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sources}
    return {**files, EXAMPLE: (root / "config.json.example").read_text(encoding="utf-8")}


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as draft:
        draft.write(text)
    draft_path = Path(draft.name)
    # A temporary file is private; freqtrade may run as another user.
    draft_path.chmod(0o666 & ~_umask())
    draft_path.replace(path)


def _content(path: Path) -> str | None:
    """Text of a file; None when it is not there."""
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _umask() -> int:
    """The permissions that new files do not get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _next_steps(home: Path) -> str:
    """The commands that follow."""
    return (
        "next:\n"
        f"  cp {home / EXAMPLE} {home / 'config.json'}\n"
        f"  hydra doctor --userdir {home} --config {home / 'config.json'}\n"
        f"  freqtrade trade --userdir {home} --config {home / 'config.json'} --strategy HydraFlow\n"
        "or, for the 10-second scalper (docs/scalp.md), --strategy HydraScalp"
    )
