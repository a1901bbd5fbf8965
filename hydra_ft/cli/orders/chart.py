"""The cost of orders as a page with two drawings: one file that needs nothing else."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from hydra_ft.cli.orders.totals import PARTS, totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_ft.cli.orders.story import Story
    from hydra_ft.cli.orders.totals import Total

WIDTH = 900
LEFT, RIGHT = 210, 30
PLOT_HEIGHT = 220
ROW = 30
BINS = 24

# Okabe & Ito 2008: told apart with any colour vision, on light and on dark.
COLOURS = {
    "delay": "#0072b2",
    "trading": "#e69f00",
    "fee": "#009e73",
    "opportunity": "#cc79a7",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Execution cost</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 14px/1.5 system-ui, sans-serif; max-width: {width}px; margin: 2em auto; }}
svg {{ width: 100%; height: auto; }}
text {{ fill: currentColor; font-size: 12px; }}
line {{ stroke: currentColor; stroke-opacity: .2; }}
line.zero {{ stroke-opacity: .8; }}
</style></head><body>
<h1>Execution cost</h1>
<p>{intro}</p>
<h2>Cost per order</h2>
<p>Number of orders by their cost; the outermost bars hold the few that lie beyond them.</p>
{histogram}
<h2>Cost by pair, in parts</h2>
<p>Means weighted by notional. To the right of zero was paid, to the left was gained; the
diamond is the sum.</p>
{bars}
</body></html>
"""


def page(stories: Sequence[Story]) -> str:
    """Return an HTML page about parents that have ended with a known cost; at least one."""
    found = totals(stories)
    whole = found[0]
    return _PAGE.format(
        width=WIDTH,
        intro=(
            f"Implementation shortfall of {whole.n} orders in bps of their target: "
            f"mean {whole.mean_bps:.1f}, median {whole.median_bps:.1f}, weighted by notional "
            f"{whole.weighted_bps:.1f}."
        ),
        histogram=_histogram([story.cost.total_bps for story in stories]),
        bars=_bars([total for total in found if total.by == "pair"]),
    )


class Scale:
    """Places values (bps) between two margins; its ends are whole steps."""

    def __init__(self, low: float, high: float, parts: int) -> None:
        self.step = _round_step((high - low) / parts)
        self.low = floor(low / self.step) * self.step
        self.high = max(ceil(high / self.step) * self.step, self.low + self.step)

    def x(self, value: float) -> float:
        """Distance from the left edge."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> Iterator[float]:
        """Values with a line of their own, about eight of them."""
        stride = _round_step((self.high - self.low) / 8)
        value = ceil(self.low / stride - 1e-9) * stride
        while value <= self.high + 1e-9:
            yield 0.0 if abs(value) < 1e-9 else value
            value += stride


def _round_step(least: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below ``least``."""
    if least <= 0:
        return 1.0
    power = 10.0 ** floor(log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least * (1 - 1e-9))


def _histogram(values: Sequence[float]) -> str:
    """Count of orders by their cost; the outermost bars hold what lies beyond."""
    scale = Scale(*_middle(values), BINS)
    count = round((scale.high - scale.low) / scale.step)
    counts = [0] * count
    for value in values:
        place = floor((value - scale.low) / scale.step + 1e-9)
        counts[max(0, min(count - 1, place))] += 1
    parts = list(_grid(scale, PLOT_HEIGHT))
    for index, n in enumerate(counts):
        start = scale.low + index * scale.step
        height = (PLOT_HEIGHT - 20) * n / max(counts)
        title = f"{start:g} to {start + scale.step:g} bps: {n}"
        corner = (scale.x(start), PLOT_HEIGHT - height)
        width = scale.x(start + scale.step) - scale.x(start) - 1
        parts.append(_box(corner, (width, height), COLOURS["delay"], title))
    parts.append(f'<text x="{LEFT - 8}" y="20" text-anchor="end">{max(counts)} orders</text>')
    return _svg(PLOT_HEIGHT + 30, parts)


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """Ends between which all but a few outliers lie, which would press the rest together."""
    ordered = sorted(values)
    beyond = len(ordered) // 50
    return ordered[beyond], ordered[-1 - beyond]


def _bars(rows: Sequence[Total]) -> str:
    """One bar for each pair, its costs to the right of zero and its gains to the left."""
    ends = [end for total in rows for end in _ends(total)]
    scale = Scale(min(0.0, *ends), max(0.0, *ends), BINS)
    bottom = ROW * (len(rows) + 1)
    parts = [*_legend(), *_grid(scale, bottom, top=ROW)]
    for index, total in enumerate(rows):
        y = ROW * (index + 1) + 6
        name = escape(f"{total.name} ({total.n})")
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{name}</text>')
        parts.extend(_stack(total, scale, y))
        x, middle = scale.x(total.weighted_bps), y + 9
        points = f"{x:.1f},{y} {x + 6:.1f},{middle} {x:.1f},{y + 18} {x - 6:.1f},{middle}"
        title = f"{total.name}: {total.weighted_bps:.1f} bps"
        parts.append(
            f'<polygon points="{points}" fill="currentColor"><title>{escape(title)}</title>'
            "</polygon>"
        )
    return _svg(bottom + 30, parts)


def _ends(total: Total) -> tuple[float, float]:
    """How far the parts of a bar reach to both sides."""
    values = [total.part(name) for name in PARTS]
    return sum(v for v in values if v < 0), sum(v for v in values if v > 0)


def _stack(total: Total, scale: Scale, y: float) -> Iterator[str]:
    gained, paid = 0.0, 0.0
    for name in PARTS:
        value = total.part(name)
        if value < 0:
            start, gained = gained + value, gained + value
        else:
            start, paid = paid, paid + value
        width = scale.x(start + abs(value)) - scale.x(start)
        title = f"{total.name}, {name}: {value:.1f} bps"
        yield _box((scale.x(start), y), (width, 18), COLOURS[name], title)


def _legend() -> Iterator[str]:
    for index, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + 120 * index
        yield _box((x, 4), (12, 12), colour, name)
        yield f'<text x="{x + 18}" y="14">{name}</text>'


def _grid(scale: Scale, bottom: float, top: float = 0) -> Iterator[str]:
    for value in scale.ticks():
        x = scale.x(value)
        kind = ' class="zero"' if value == 0 else ""
        yield f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"{kind}/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>'
    yield f'<text x="{LEFT - 8}" y="{bottom + 16}" text-anchor="end">bps</text>'


def _box(corner: tuple[float, float], size: tuple[float, float], colour: str, title: str) -> str:
    return (
        f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" '
        f'height="{size[1]:.1f}" fill="{colour}"><title>{escape(title)}</title></rect>'
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">\n{body}\n</svg>'
