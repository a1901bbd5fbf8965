"""The command itself: world, runner, audit, verdict."""

from __future__ import annotations

import shlex
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hydra_ft.cli.drill import ORDERS_PER_KILL
from hydra_ft.cli.drill.audit import audit
from hydra_ft.cli.drill.figures import figures
from hydra_ft.cli.drill.folder import Folder, now_ms
from hydra_ft.cli.drill.plan import Options
from hydra_ft.cli.drill.report import show_violations, table
from hydra_ft.cli.drill.runner import Progress, Runner
from hydra_ft.cli.drill.world import World
from hydra_ft.errors import HydraError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from hydra_ft.cli.drill.facts import Violation

LINE_EACH_S = 20.0
"""How often progress is printed where there is no terminal to redraw."""


def run(args: argparse.Namespace) -> int:
    """Run a drill; 0 only if every rule held."""
    options = _options(args)
    console = Console(highlight=False, soft_wrap=True)
    folder = Folder.create(options.folder)
    console.print(f"Drill in {folder.root}", markup=False)
    began = time.monotonic()
    with World(options, folder) as world, console.status("starting") as status:
        runner = Runner(world, folder, options, _teller(console, options, status.update))
        interrupted = False
        try:
            runner.run()
        except KeyboardInterrupt:
            interrupted = True
        facts = runner.facts()
        strikes = world.strikes
    violations = [
        *audit(facts, whole=not interrupted),
        *runner.progress.violations,
        *runner.keeper.deaths,
        *runner.failures(),
    ]
    show_violations(console, facts, violations)
    console.print(table(figures(facts, strikes), runner, violations, time.monotonic() - began))
    if interrupted:
        console.print("Interrupted: only what may never be was checked.")
        return 130
    return _verdict(console, options, violations)


def _options(args: argparse.Namespace) -> Options:
    """Check what was asked for."""
    bounds = {"orders": (1, 100_000), "faults": (0, 0.9), "pairs": (1, 50)}
    for name, (low, high) in bounds.items():
        value = getattr(args, name)
        if not low <= value <= high:
            raise HydraError(f"--{name}: expected from {low} to {high}, was {value}")
    kills = max(1, args.orders // ORDERS_PER_KILL) if args.kills is None else args.kills
    folder = args.folder or Path(tempfile.mkdtemp(prefix="hydra-drill-"))
    return Options(
        args.orders,
        args.faults,
        args.seed,
        args.pairs,
        kills,
        args.stops,
        args.minutes,
        folder,
        args.exits,
    )


def _teller(
    console: Console, options: Options, update: Callable[[str], None]
) -> Callable[[Progress], None]:
    """Return what shows progress: one line that is redrawn, or one now and then."""
    said_at = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal said_at
        seconds = (now_ms() - progress.began) / 1e3
        line = f"{progress.doing}: {progress.orders} of {options.orders} orders, {seconds:.0f} s"
        update(line)
        if not console.is_terminal and time.monotonic() - said_at >= LINE_EACH_S:
            said_at = time.monotonic()
            console.print(line, markup=False)

    return tell


def _verdict(console: Console, options: Options, violations: Sequence[Violation]) -> int:
    if not violations:
        console.print("[green]Every rule held.")
        return 0
    words = ["hydra", "dev", "drill", "--orders", str(options.orders)]
    words += ["--faults", str(options.faults), "--seed", str(options.seed)]
    words += ["--pairs", str(options.pairs), "--kills", str(options.kills)]
    words += ["--minutes", f"{options.minutes:g}", *(["--stops"] if options.stops else [])]
    words += ["--exits"] if options.exits else []
    console.print(f"[red]{len(violations)} violations.[/red] Everything is kept in", end=" ")
    console.print(str(options.folder), markup=False)
    console.print(f"The same market, signals, faults and kills again: {shlex.join(words)}")
    return 1
