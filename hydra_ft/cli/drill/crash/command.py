"""The command itself: each variant in a folder of its own, its figures, and the verdict."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hydra_ft.cli.drill.audit import audit
from hydra_ft.cli.drill.crash.report import explanation, figures, table
from hydra_ft.cli.drill.crash.rules import judge
from hydra_ft.cli.drill.crash.scene import Scene
from hydra_ft.cli.drill.crash.variants import VARIANTS, Variant
from hydra_ft.cli.drill.facts import Violation
from hydra_ft.cli.drill.folder import Folder, lines
from hydra_ft.cli.drill.report import show_violations
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    import argparse

SHORTEST_S, LONGEST_S = 10.0, 600.0


def run(args: argparse.Namespace) -> int:
    """Run the crashes; 0 only if every rule held in each."""
    if not SHORTEST_S <= args.fall <= LONGEST_S:
        raise HydraError(
            f"--fall: expected from {SHORTEST_S:g} to {LONGEST_S:g}, was {args.fall:g}"
        )
    console = Console(highlight=False, soft_wrap=True)
    root = args.folder or Path(tempfile.mkdtemp(prefix="hydra-crash-"))
    console.print(f"Crashes in {root}", markup=False)
    rows, broken = [], 0
    for name in args.variants:
        variant = VARIANTS[name]
        row, found = _crash(console, variant, root / name, args)
        rows.append(row)
        broken += found
    console.print(table(rows))
    console.print(explanation(), markup=False)
    if broken:
        console.print(f"[red]{broken} violations.[/red] Everything is kept in", end=" ")
        console.print(str(root), markup=False)
        return 1
    console.print("[green]Every rule held.")
    return 0


def _crash(
    console: Console, variant: Variant, root: Path, args: argparse.Namespace
) -> tuple[dict[str, str], int]:
    """Run one variant; return its row of the table, and how much was broken."""
    began = time.monotonic()

    def tell(doing: str) -> None:
        console.print(f"{variant.name}: {doing}, {time.monotonic() - began:.0f} s", markup=False)

    folder = Folder.create(root)
    scene = Scene(variant, folder, args.seed, args.fall, tell)
    crash = scene.run()
    failures = [
        Violation("callback_failed", "", line["at"], line["text"])
        for line in lines(folder.failures_file)
    ]
    violations = [
        *audit(crash.facts),
        *judge(crash),
        *scene.violations,
        *scene.keeper.deaths,
        *failures,
    ]
    show_violations(console, crash.facts, violations)
    return figures(variant, crash, violations, scene, time.monotonic() - began), len(violations)
