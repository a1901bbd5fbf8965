"""Whatever comes, in whatever chunks: the same bars, nothing lost, nothing made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bars.flow_reference import GRID, START, assert_bars, assert_footprint, picked, reference
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_ft.bars.flow import FlowFolder
from hydra_ft.bars.flow_tables import COUNTED, joined, same_flow
from hydra_ft.bars.flow_trades import trades_from
from hydra_ft.bars.flow_whole import flow_of

if TYPE_CHECKING:
    from hydra_ft.types.flow import Flow, Trades

STEP, SUB = 5_000, 1_000
END = START + 60_000
EXAMPLES = settings(max_examples=40, deadline=None)


@st.composite
def arrivals(draw: st.DrawFn, *, clean: bool = False) -> Trades:
    """Trades as they may arrive: with jumps in ids, jumps in time, repeats and disorder."""
    n = draw(st.integers(1, 60))
    gaps = draw(st.lists(st.integers(1, 1 if clean else 3), min_size=n, max_size=n))
    pauses = draw(st.lists(st.sampled_from([0, 0, 1, 90, 700, 2_600]), min_size=n, max_size=n))
    ticks = draw(st.lists(st.integers(990, 1_010), min_size=n, max_size=n))
    lots = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    sides = draw(st.lists(st.sampled_from([1, -1]), min_size=n, max_size=n))
    time = np.minimum(START + np.cumsum(pauses), END - 1)
    trades = trades_from(
        100 + np.cumsum(gaps), time, GRID.prices(np.array(ticks)),
        GRID.quantities(np.array(lots)), sides,
    )  # fmt: skip
    if clean:
        return trades
    jitter = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    order = np.argsort(np.arange(n) + np.array(jitter), kind="stable")
    repeats = draw(st.lists(st.integers(0, n - 1), max_size=5))
    return picked(trades, [*order, *repeats])


def told(trades: Trades, cuts: list[int], closings: list[int]) -> Flow:
    """Fold in chunks that end at ``cuts``; sub-bars close after the trades in ``closings``."""
    folder, parts, latest = FlowFolder(GRID, STEP, SUB, covered_from=START), [], 0
    ends = sorted({*cuts, *closings, len(trades)})
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        chunk = trades.part(start, stop)
        folder.fold(chunk)
        latest = max([latest, *chunk.time.tolist()])
        if stop in closings:
            parts.append(folder.advance(latest))
    return joined([*parts, folder.finish(END)])


def assert_same(left: Flow, right: Flow) -> None:
    assert same_flow(left.bars, right.bars)
    assert same_flow(left.sub_bars, right.sub_bars)
    for name in ("offsets", "bin", "buy", "sell"):
        assert np.array_equal(getattr(left.footprint, name), getattr(right.footprint, name))


@EXAMPLES
@given(
    arrivals(), st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(0, 60), max_size=4)
)
def test_where_a_stream_is_cut_makes_no_difference(
    trades: Trades, cuts: list[int], closings: list[int]
) -> None:
    cuts, closings = ([min(c, len(trades)) for c in each] for each in (cuts, closings))
    one_by_one = told(trades, list(range(len(trades))), closings)
    assert_same(told(trades, cuts, closings), one_by_one)
    assert_same(told(trades, [], closings), one_by_one)


@EXAMPLES
@given(arrivals(clean=True), st.lists(st.integers(0, 60), max_size=8))
def test_closing_early_makes_no_difference_to_trades_in_order(
    trades: Trades, closings: list[int]
) -> None:
    whole = flow_of(trades, GRID, STEP, SUB, covered=(START, END))
    assert_same(told(trades, [], [min(c, len(trades)) for c in closings]), whole)


@EXAMPLES
@given(arrivals())
def test_every_count_is_that_of_plain_python(trades: Trades) -> None:
    flow = told(trades, [], [])
    expected = reference(trades, GRID, STEP)
    first = int(trades.time.min() - START) // STEP
    rows = slice(first, first + len(expected))
    cut = {
        n: getattr(flow.bars, n)[rows] for n in flow.bars.__slots__ if n not in ("grid", "step_ms")
    }
    bars = type(flow.bars)(grid=GRID, step_ms=STEP, **cut)
    if int(flow.bars.disordered.sum()):  # the path within a bar goes sub-bar by sub-bar
        for bar in expected:
            bar.prints.sort(key=lambda p: p.time // SUB)
    assert_bars(bars, expected)
    if not first and len(expected) == len(flow.bars):
        assert_footprint(flow.footprint, expected)


@EXAMPLES
@given(arrivals())
def test_volume_is_conserved_from_trades_to_sub_bars_to_bars_to_footprints(trades: Trades) -> None:
    flow = told(trades, [], [])
    distinct = picked(trades, np.unique(trades.id, return_index=True)[1])
    lots = np.rint(distinct.quantity / GRID.lot_size).astype(int)
    for side, name in ((1, "buy"), (-1, "sell")):
        wanted = int(lots[distinct.side == side].sum())
        assert getattr(flow.bars, f"{name}_lots").sum() == wanted
        assert getattr(flow.sub_bars, f"{name}_lots").sum() == wanted
        assert getattr(flow.footprint, name).sum() == wanted
    subs = flow.sub_bars.count.reshape(-1, STEP // SUB)
    assert subs.sum(axis=1).tolist() == flow.bars.count.tolist()
    inside = flow.bars.count > 0
    assert np.all(
        flow.bars.max_delta_lots[inside] >= (flow.bars.buy_lots - flow.bars.sell_lots)[inside]
    )


@EXAMPLES
@given(arrivals(clean=True), st.integers(0, 60))
def test_what_has_closed_is_the_same_without_what_came_after(trades: Trades, cut: int) -> None:
    """Prefix invariance: the future changes nothing that has closed."""
    before = trades.part(0, min(cut, len(trades)))
    until = int(max([START, *before.time.tolist()]))
    folder = FlowFolder(GRID, STEP, SUB, covered_from=START)
    folder.fold(before)
    closed = folder.advance(until)
    whole = flow_of(trades, GRID, STEP, SUB, covered=(START, END))
    for name in COUNTED:
        for part, of in ((closed.bars, whole.bars), (closed.sub_bars, whole.sub_bars)):
            assert np.array_equal(getattr(part, name), getattr(of, name)[: len(part)]), name
    cells = int(whole.footprint.offsets[len(closed.bars)])
    assert np.array_equal(closed.footprint.buy, whole.footprint.buy[:cells])
    assert np.array_equal(closed.footprint.bin, whole.footprint.bin[:cells])
