"""`hydra why`: what was decided on a pair, and why nothing was traded, in plain words."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_ft.cli.why import document, text
from hydra_ft.cli.why.funnel import signals, stages
from hydra_ft.cli.why.home import found
from hydra_ft.cli.why.ledgers import named, of_bot
from hydra_ft.cli.why.moments import duration, moment, shown, shown_length
from hydra_ft.cli.why.sizes import explain_sizes
from hydra_ft.errors import HydraError
from hydra_ft.store.address import shown as shown_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from hydra_ft.cli.why.ledgers import Ledger
    from hydra_ft.store.decisions import DecisionRow

USUAL_BAR_MS = 300_000


@dataclass(frozen=True, slots=True)
class Source:
    """What is read: the ledger, where it is, when it ends (UTC ms), and whether a bot writes it."""

    ledger: Ledger
    place: str
    now: int
    is_live: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    hint = "the pair that is asked about; BTC stands for the one BTC market"
    parser.add_argument("pair", nargs="?", default="", metavar="PAIR", help=hint)
    when = parser.add_mutually_exclusive_group()
    hint = "the decision in force at a time (UTC): 2026-03-01T12:05, or now"
    when.add_argument("--at", type=moment, metavar="TIME", help=hint)
    hint = "all decisions of the last 30m, 24h, 7d; a backtest's last ones with --backtest"
    when.add_argument("--last", type=duration, metavar="LENGTH", help=hint)
    hint = "the funnel from evaluated bars to fills, of one pair or of all"
    parser.add_argument("--summary", action="store_true", help=hint)
    hint = "how the last entries of the pair were sized, factor by factor"
    parser.add_argument("--size", action="store_true", help=hint)
    hint = "what was decided in the last backtest, instead of by the bot"
    parser.add_argument("--backtest", action="store_true", help=hint)
    hint = "configuration file; may be given more than once, later ones win"
    parser.add_argument("-c", "--config", action="append", metavar="FILE", help=hint)
    hint = "freqtrade's user_data directory"
    parser.add_argument("--userdir", "--user-data-dir", type=Path, metavar="DIR", help=hint)
    hint = "address of Hydra's database, instead of the configuration's"
    parser.add_argument("--db-url", default="", metavar="URL", help=hint)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Say why; 0 also where nothing has been decided yet.

    Raises
    ------
    HydraError
        When the configuration or the ledger cannot be read, or no such pair was decided on.
    """
    if not args.pair and not args.summary:
        raise HydraError(
            "expected a pair, was none; for example: hydra why BTC/USDT:USDT --last 24h, or add "
            "--summary for all pairs"
        )
    if args.summary and args.at is not None:
        raise HydraError("--at: expected --last beside --summary, was --at; use --last 7d")
    if args.size and (args.summary or args.backtest or not args.pair):
        raise HydraError(
            "--size: expected a pair of a bot beside it, was no pair, --summary or --backtest; "
            "for example: hydra why --size BTC"
        )
    home = found(args)
    if args.size:
        explain_sizes(home, args.pair, as_json=args.json)
        return 0
    if args.backtest:
        from hydra_ft.store.tested import FOLDER, TestedLedger  # noqa: PLC0415  (takes a while)

        folder = home.folder.joinpath(*FOLDER)
        ledger = TestedLedger(folder)
        _answer(args, Source(ledger, f"the backtest in {folder}", ledger.ended_at(), is_live=False))
        return 0
    place = str(home.file or shown_url(home.url))
    with of_bot(home) as store:
        if store is None:
            _say_nothing(args, f"{place} is not there yet; the bot makes it when it first starts")
        else:
            now = int(time.time() * 1000)
            _answer(args, Source(store, f"bot {home.bot!r} in {place}", now, is_live=True))
    return 0


def _answer(args: argparse.Namespace, source: Source) -> None:
    pairs = source.ledger.pairs()
    if not pairs:
        hint = "a bot writes when the first bar closes after its warm-up"
        _say_nothing(args, f"{source.place} has decided nothing; {hint}")
        return
    pair = named(args.pair, pairs) if args.pair else None
    if args.summary:
        _summarise(args, source, pair)
    elif args.last is not None:
        rows = source.ledger.since(source.now - args.last, pair)
        _list(args, source, rows)
    else:
        _explain(args, source, str(pair))


def _say_nothing(args: argparse.Namespace, what: str) -> None:
    if not args.json:
        print(f"Nothing to explain: {what}.")
    elif args.summary:
        print(document.summary("", 0, (), ()))
    else:
        print(document.decisions("", (), lambda _row: {}))


def _summarise(args: argparse.Namespace, source: Source, pair: str | None) -> None:
    since = source.now - args.last if args.last is not None else 0
    tallies = source.ledger.tallies(since, pair)
    funnel, candidates = stages(tallies), signals(tallies)
    if args.json:
        print(document.summary(source.place, since, funnel, candidates))
        return
    console = text.console()
    period = f" since {shown(since)} UTC" if since else ""
    console.print(f"{pair or 'All pairs'}{period}, {source.place}\n", markup=False)
    console.print(text.summary(funnel, candidates))


def _list(args: argparse.Namespace, source: Source, rows: list[DecisionRow]) -> None:
    if args.json:
        print(document.decisions(source.place, rows, _rules_of(source.ledger)))
    elif rows:
        text.console().print(text.spans(rows, _rules_of(source.ledger)))
    else:
        print(
            f"Nothing was decided since {shown(source.now - args.last)} UTC; use a longer --last."
        )


def _explain(args: argparse.Namespace, source: Source, pair: str) -> None:
    ledger = source.ledger
    row = ledger.last(pair) if args.at is None else ledger.covering(pair, args.at)
    if args.json:
        print(document.decisions(source.place, [row] if row else [], _rules_of(ledger)))
        return
    if row is None:
        first = ledger.since(0, pair)[0]
        print(
            f"Nothing was decided on {pair} until then; the first bar closed {shown(first.at)} UTC."
        )
        return
    asked = source.now if args.at is None else args.at
    if args.at is not None or source.is_live:
        _say_age(row, asked, source)
    text.console().print(text.decision(row, _rules_of(ledger)(row)))


def _say_age(row: DecisionRow, asked: int, source: Source) -> None:
    """Tell when the decision is older than its next bar allows."""
    step = (row.until - row.at) // (row.bars - 1) if row.bars > 1 else USUAL_BAR_MS
    age = asked - row.until
    if age >= 2 * step:
        hint = "; is the bot running?" if source.is_live else ""
        print(f"No bar was decided on for {shown_length(age)} before {shown(asked)} UTC{hint}")


def _rules_of(ledger: Ledger) -> Callable[[DecisionRow], Mapping[str, float]]:
    """Thresholds in force when a row was decided; the same ones are parsed once."""
    parsed = lru_cache(maxsize=8)(_numbers)
    return lambda row: parsed(ledger.rules_at(row.at))


def _numbers(rules: str) -> Mapping[str, float]:
    found: dict[str, float] = json.loads(rules) if rules else {}
    return found
