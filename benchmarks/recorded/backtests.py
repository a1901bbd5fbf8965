"""One recorded set through freqtrade's own commands, on an embedded exchange that replays it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.recorded.chase_report import ChaseReport, chase_report
from benchmarks.recorded.freqtrade_home import FreqtradeHome, configuration, newest_result
from benchmarks.recorded.funnel import (
    Funnel,
    funnel_of_ledger,
    funnel_of_stage_a,
    stops_of_ledger,
)
from benchmarks.recorded.holding import buy_and_hold, candles_of, extremes_of
from benchmarks.recorded.positions import Account, Position, account, exported
from benchmarks.recorded.risked import Risked, risked
from benchmarks.recorded.sets import (
    RecordedSet,
    complete_bases,
    minute,
    open_replay,
    progress,
    recorded_folder,
)
from benchmarks.recorded.stage_a import HEAD, LIGHT, decisions_on, most_asked, pair_of, rules
from hydra_ft.bars.candles import timeframe_ms
from loopback_exchange import Replay, Server
from loopback_exchange.matching.account import TAKER_FEE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from benchmarks.recorded.positions import Closes
    from benchmarks.recorded.risked import Extremes
    from hydra_ft.decisions.pipeline import Decisions

HOUR_MS = 3_600_000
SAMPLE = "SampleStrategy"
HOLD = "buy and hold"
STAKES = f"{HEAD}, stakes of plain freqtrade"
PLAIN = f"{HEAD}, orders of plain freqtrade"
OURS = ("hydra", "strategy", "strategy_path", "order_types", "unfilledtimeout")
"""What the example configuration says about the pack; the sample strategy has its own."""

REPORTED = ("profit_total", "max_drawdown_account", "profit_factor")


@dataclass(frozen=True, slots=True)
class Run:
    """What one way of trading did; ``chase`` is None where orders were not chased.

    ``ledger`` is what a head's backtest noted of both stages, None where it noted nothing.
    ``reported`` are freqtrade's own figures of a backtest, to compare ours with.
    """

    name: str
    account: Account
    positions: tuple[Position, ...]
    risked: Risked
    chase: ChaseReport | None = None
    ledger: Funnel | None = None
    reported: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """A set as it was replayed: spans by pair and the tested window, UTC ms."""

    about: RecordedSet
    spans: Mapping[str, tuple[int, int]]
    left_out: tuple[str, ...]
    window: tuple[int, int]
    bars: int


@dataclass(frozen=True, slots=True)
class SetResult:
    """All runs on one set, the head's first.

    ``stage_a`` is computed on the recording. ``stake`` is freqtrade's ``stake_amount``, and
    ``asked`` the most that the head's sizing lets a trade lose at its stop, of its equity.
    """

    recording: Recording
    wallet: float
    slots: int
    share: float
    stake: str
    asked: float
    fee: float
    stage_a: Funnel
    runs: tuple[Run, ...]

    @property
    def ledger(self) -> Funnel | None:
        """What the backtest of the head as it ships has noted."""
        return self.runs[0].ledger


def first_known(decisions: Decisions) -> int | None:
    """Return the open time of the first bar whose regime, bias and trend are known (UTC ms)."""
    known = np.isfinite(decisions.regime_confidence + decisions.bias_strength + decisions.trend)
    rows = np.flatnonzero(known)
    return int(decisions.time[rows[0]]) if rows.size else None


def tested_window(decisions: Mapping[str, Decisions]) -> tuple[int, int]:
    """From the first whole hour at which any pair is known to the last bar; UTC ms."""
    starts = [at for made in decisions.values() if (at := first_known(made)) is not None]
    if not starts:
        raise SystemExit("expected a pair with bars after the warm-up, was none; take more days")
    step = timeframe_ms(rules().base)
    end = max(int(made.time[-1]) for made in decisions.values()) + step
    return -(-min(starts) // HOUR_MS) * HOUR_MS, end


def measure(data: Path, recorded: RecordedSet, bases: Collection[str] = ()) -> SetResult:
    """Replay a set, or some coins of it, and run every way of trading over the same candles."""
    source = recorded_folder(data, recorded)
    with tempfile.TemporaryDirectory(prefix="hydra-recorded-") as made:
        folder = Path(made)
        progress(f"{recorded.name}: reading")
        market = open_replay(source, folder / "links", bases)
        decisions = {}
        for symbol in market.symbols:
            progress(f"{recorded.name}: stage A of {symbol}")
            decisions[symbol] = decisions_on(market, symbol)
        window = tested_window(decisions)
        usable = {s: d for s, d in decisions.items() if int(d.time[-1]) > window[0]}
        recording = Recording(
            about=recorded,
            spans={s: (int(d.time[0]), int(d.time[-1])) for s, d in usable.items()},
            left_out=tuple(sorted({*complete_bases(source)} - {s[:-4] for s in usable})),
            window=window,
            bars=sum(int(np.sum(d.time >= window[0])) for d in usable.values()),
        )
        return _all_runs(FreqtradeHome(folder), market, recording, usable)


def _all_runs(
    home: FreqtradeHome,
    market: Replay,
    recording: Recording,
    decisions: Mapping[str, Decisions],
) -> SetResult:
    """Download, then run all ways of trading one after the other."""
    symbols, window, head = tuple(recording.spans), recording.window, rules()
    with Server(market) as server:
        config = configuration(server.url, tuple(map(pair_of, symbols)))
        config["hydra"]["feeds"] = list(LIGHT)
        bench = _Bench(home, market, recording, config)
        bench.download(head.timeframes)
        runs = [
            bench.of_head(HEAD, config),
            bench.of_head(STAKES, _with(config, "risk", enabled=False)),
            bench.of_head(PLAIN, _with(config, "chase", backtest=False)),
        ]
        sample = bench.sample()
    pairs = [(symbol, pair_of(symbol)) for symbol in symbols]
    wallet, fee = float(config["dry_run_wallet"]), float(TAKER_FEE)
    holding = buy_and_hold(market, pairs, window, wallet, fee, timeframe_ms(head.base))
    return SetResult(
        recording=recording,
        wallet=wallet,
        slots=int(config["max_open_trades"]),
        share=float(config["tradable_balance_ratio"]),
        stake=str(config["stake_amount"]),
        asked=most_asked(),
        fee=fee,
        stage_a=funnel_of_stage_a(decisions.values(), window),
        runs=(*runs, bench.run(HOLD, holding, len(holding)), sample),
    )


def _with(config: dict[str, Any], section: str, **changed: Any) -> dict[str, Any]:
    """Return a configuration with some settings of a section of Hydra's changed."""
    hydra = config["hydra"]
    return config | {"hydra": hydra | {section: hydra.get(section, {}) | changed}}


def _undecided(_pair: str, _at: int) -> float:
    """No stop was decided: freqtrade's own stands."""
    return float("nan")


class _Bench:
    """The commands on one set: one download, and backtests over the same window."""

    def __init__(
        self, home: FreqtradeHome, market: Replay, recording: Recording, config: dict[str, Any]
    ) -> None:
        self._home, self._config, self._recording = home, config, recording
        self._step = step = timeframe_ms(rules().base)
        self._closes: dict[str, Closes] = {}
        self._extremes: dict[str, Extremes] = {}
        for symbol in recording.spans:
            _, closed, _, prices = candles_of(market, symbol, recording.window, step)
            self._closes[pair_of(symbol)] = (closed, prices)
            self._extremes[pair_of(symbol)] = extremes_of(market, symbol, recording.window, step)

    def _command(self, name: str, command: str, *words: str, config: dict[str, Any]) -> str:
        progress(f"{self._recording.about.name}: freqtrade {command}, {name}")
        begun = monotonic()
        output = self._home.run(command, *words, config=config)
        progress(f"  took {monotonic() - begun:.0f} s")
        return output

    def download(self, timeframes: tuple[str, ...]) -> None:
        """Download candles of the timeframes, funding and marks of all pairs."""
        begin = min(first for first, _ in self._recording.spans.values())
        span = f"{minute(begin):.10}".replace("-", "")
        until = f"{minute(self._recording.window[1] + 24 * HOUR_MS):.10}".replace("-", "")
        words = ("--timerange", f"{span}-{until}", "--timeframes", *timeframes)
        self._command("candles, funding, marks", "download-data", *words, config=self._config)

    def run(self, name: str, positions: Sequence[Position], slots: int, **more: Any) -> Run:
        """Work out all figures of some positions."""
        window, wallet = self._recording.window, float(self._config["dry_run_wallet"])
        figures = account(positions, self._closes, window, wallet, slots)
        stakes = risked(positions, self._closes, self._extremes, window, wallet)
        return Run(name, figures, tuple(positions), stakes, **more)

    def of_head(self, name: str, config: dict[str, Any]) -> Run:
        """Backtest the head, and read the ledger that it wrote."""
        output, result = self._tested(name, config)
        ledger = funnel_of_ledger(self._home.userdir, self._recording.window[0] + self._step)
        decided = stops_of_ledger(self._home.userdir, self._step) if ledger else _undecided
        return self._backtested(name, output, result, decided, ledger)

    def sample(self) -> Run:
        """Freqtrade's own sample strategy, made from its template, with its own settings."""
        self._home.run("new-strategy", "--strategy", SAMPLE, "--template", "full")
        config = {key: value for key, value in self._config.items() if key not in OURS}
        output, result = self._tested(SAMPLE, config, "--strategy", SAMPLE)
        return self._backtested(SAMPLE, output, result, _undecided)

    def _tested(self, name: str, config: dict[str, Any], *words: str) -> tuple[str, dict[str, Any]]:
        """Backtest over the window; return what it said and its result."""
        begin, end = (at // 1000 for at in self._recording.window)
        tested = ("--timerange", f"{begin}-{end}", "--cache", "none")
        output = self._command(name, "backtesting", *tested, *words, config=config)
        return output, newest_result(self._home.userdir)

    def _backtested(
        self,
        name: str,
        output: str,
        result: dict[str, Any],
        decided: Callable[[str, int], float],
        ledger: Funnel | None = None,
    ) -> Run:
        positions = [
            exported(trade, decided(trade["pair"], trade["open_timestamp"]))
            for trade in result["trades"]
        ]
        return self.run(
            name,
            positions,
            int(self._config["max_open_trades"]),
            chase=chase_report(output),
            ledger=ledger,
            reported={key: float(result[key]) for key in REPORTED},
        )
