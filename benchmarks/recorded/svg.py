"""Line charts as SVG text, one panel under another; nothing but numpy is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_ft.types import FloatArray, IntArray

WIDTH, LEFT, RIGHT, TOP = 880, 12, 78, 34
FIRST_HEIGHT, HEIGHT, GAP = 190, 86, 24
COLORS = (
    *("#1f4e9c", "#d9822b", "#2c8a4b", "#b5343a", "#7d4fa3", "#16808d", "#8a6d3b", "#5a6672"),
    *("#d0589f", "#7c9a1e"),
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its lines by name, each of shape (n,), with NaN where there is a gap."""

    name: str
    lines: Mapping[str, FloatArray]


def chart(title: str, time_ms: IntArray, panels: Sequence[Panel]) -> str:
    """Draw panels one under another over the same times; the first one is the tallest."""
    top, body = TOP, []
    for number, panel in enumerate(panels):
        height = FIRST_HEIGHT if number == 0 else HEIGHT
        body.append(_panel(panel, top, height))
        top += height + GAP
    ends = [_moment(int(time_ms[row])) for row in (0, -1)]
    body += [
        _text(LEFT, 15, title, "#222", size=13),
        _text(LEFT, top - 6, ends[0], "#666"),
        _text(WIDTH - RIGHT, top - 6, ends[1], "#666", anchor="end"),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 2}"'
    style = 'font-family="Helvetica, Arial, sans-serif"'
    page = f'<rect width="{WIDTH}" height="{top + 2}" fill="#ffffff"/>'
    return "\n".join([f'{head} width="{WIDTH}" {style}>', page, *body, "</svg>", ""])


def _panel(panel: Panel, top: float, height: float) -> str:
    low, high = _bounds(list(panel.lines.values()))
    wide = WIDTH - LEFT - RIGHT
    frame = f'<rect x="{LEFT}" y="{top}" width="{wide}" height="{height}" fill="#f7f8fa"/>'
    parts = [frame]
    if low < 0 < high:
        zero = top + height * high / (high - low)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}" '
            'stroke="#c4c9d1"/>'
        )
    at = float(LEFT)
    for (name, values), color in zip(panel.lines.items(), cycle(COLORS), strict=False):
        parts.append(_line(values, (low, high), top, height, color))
        parts.append(_text(at, top - 5, name, color))
        at += 7 + 6.1 * len(name)
    parts.append(_text(WIDTH - RIGHT + 5, top + 9, f"{high:.5g}", "#666"))
    parts.append(_text(WIDTH - RIGHT + 5, top + height, f"{low:.5g}", "#666"))
    return "\n".join(parts)


def _bounds(lines: list[FloatArray]) -> tuple[float, float]:
    values = np.concatenate(lines)
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _line(
    values: FloatArray, bounds: tuple[float, float], top: float, height: float, color: str
) -> str:
    """One path, which is interrupted where values are not known."""
    low, high = bounds
    across = np.linspace(LEFT, WIDTH - RIGHT, values.shape[0])
    down = top + height * (high - values) / (high - low)
    steps, pen = [], "M"
    for x, y in zip(across, down, strict=True):
        if np.isfinite(y):
            steps.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L" if np.isfinite(y) else "M"
    return f'<path d="{"".join(steps)}" fill="none" stroke="{color}" stroke-width="1.2"/>'


def _text(
    x: float, y: float, text: str, color: str, *, size: int = 11, anchor: str = "start"
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1e3, tz=UTC):%Y-%m-%d %H:%M} UTC"
