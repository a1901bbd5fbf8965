"""The recorded data sets: the earlier one to choose on, the later one to report on."""

from __future__ import annotations

import os
import sys
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.execution.recorded import VARIABLE
from loopback_exchange import Replay

if TYPE_CHECKING:
    from collections.abc import Collection

KINDS = ("5m-futures", "1h-funding_rate", "1h-mark")
"""Files that a pair needs; finer candles are left out, since they begin later than 5m ones."""


@dataclass(frozen=True, slots=True)
class RecordedSet:
    """A data set: its name under ``ohlcv``, its place in time, and what is done on it."""

    name: str
    place: str
    role: str


EARLIER = RecordedSet("binance_2023q3", "earlier", "thresholds were chosen here")
LATER = RecordedSet("binance_2025mar", "later", "out of sample: nothing was chosen here")
SETS = (EARLIER, LATER)


def data_folder() -> Path:
    """Return the folder that HYDRA_TEST_DATA names; end the program without one."""
    home = os.environ.get(VARIABLE, "")
    if not home or not (Path(home) / "ohlcv").is_dir():
        raise SystemExit(
            f"expected {VARIABLE} to name the folder of recorded market data (with ohlcv in it), "
            f"was {home!r}; set it and run this again"
        )
    return Path(home)


def recorded_folder(data: Path, recorded: RecordedSet) -> Path:
    """Return the folder of a set that freqtrade would call datadir."""
    return data / "ohlcv" / recorded.name / "binance"


STABLECOINS = frozenset({"BUSD", "DAI", "FDUSD", "TUSD", "USDC"})
"""Coins that are meant to be worth a dollar: against another one they have no direction."""


def complete_bases(folder: Path) -> list[str]:
    """Return the coins of which a set has all kinds of files, sorted by name; no dollar coins."""
    found = [
        {path.name.split("_", 1)[0] for path in (folder / "futures").glob(f"*_USDT_USDT-{kind}.*")}
        for kind in KINDS
    ]
    return sorted(set.intersection(*found) - STABLECOINS)


def open_replay(folder: Path, links: Path, bases: Collection[str] = ()) -> Replay:
    """Replay the complete pairs of a set, or only some of them.

    The files are linked into the folder ``links``, which is made, and stay where they are.
    """
    links.mkdir(parents=True)
    for base in complete_bases(folder):
        if not bases or base in bases:
            for kind in KINDS:
                name = f"{base}_USDT_USDT-{kind}.feather"
                (links / name).symlink_to((folder / "futures" / name).resolve())
    return Replay(links)


def minute(at: int) -> str:
    """Give a time (UTC ms) as it is written on a page."""
    return f"{datetime.fromtimestamp(at / 1e3, tz=UTC):%Y-%m-%d %H:%M}"


def publish(page: str, out: Path | None) -> None:
    """Write a page whole or not at all; to standard output without a file."""
    if out is None:
        sys.stdout.write(page)
        return
    fresh = out.with_name(out.name + ".new")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(out)


def progress(what: str) -> None:
    """Say what is done now."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def wrapped(sentences: str, indent: str = "") -> str:
    """Break made sentences as the lines of a page are broken; ``indent`` begins later lines."""
    return textwrap.fill(
        sentences,
        width=100,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
