"""Draws measurements as an SVG: one line a row, one panel a quantity, one marker a series.

The same numbers always give the same file. Its colours follow the reader's light or dark scheme, and it brings its own
background, so it can be read on any page.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# All in pixels.
ROW, PANEL, GAP, LETTER, MARGIN = 15, 210, 34, 6.2, 12
HEADER = 62  # legend, panel titles and the labels of the axes

STYLE = """\
text{font:11px system-ui,sans-serif;fill:#1f2328}.middle{text-anchor:middle}.end{text-anchor:end}.bold{font-weight:600}
.page{fill:#fff}.stripe{fill:#f2f4f7}.grid{stroke:#d0d7de}
.s0{fill:#0b62c4;stroke:#0b62c4}.s1{fill:none;stroke:#c4400b}.s2{fill:none;stroke:#2a7d46}.s3{fill:none;stroke:#8250df}
.s4{fill:none;stroke:#767676}.s0,.s1,.s2,.s3,.s4{stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.stripe{fill:#161b22}.grid{stroke:#3d444d}
.s0{fill:#58a6ff;stroke:#58a6ff}.s1{stroke:#ff9b70}.s2{stroke:#56d364}.s3{stroke:#d2a8ff}.s4{stroke:#b0b0b0}}"""


class Panel(NamedTuple):
    """A quantity: its title, and for each series a value a row; None where there is none.

    A logarithmic axis needs values above 0.
    """

    title: str
    series: Mapping[str, Sequence[float | None]]
    logarithmic: bool = False


def drawn(rows: Sequence[str], panels: Sequence[Panel]) -> str:
    """The SVG of these rows, from top to bottom, and panels, from left to right; at most five series."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    labels = MARGIN + ceil(max(map(len, rows)) * LETTER)
    width = labels + len(panels) * (GAP + PANEL) + MARGIN + GAP // 2
    bottom = HEADER + len(rows) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + MARGIN}" role="img">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{bottom + MARGIN}"/>',
    ]
    for number, row in enumerate(rows):
        top = HEADER + number * ROW
        if number % 2 == 0:
            parts.append(f'<rect class="stripe" x="0" y="{top}" width="{width}" height="{ROW}"/>')
        parts.append(text(labels, top + ROW - 4, row, "end"))
    left = MARGIN
    for number, name in enumerate(names if len(names) > 1 else ()):
        parts += [marker(number, left + 5, MARGIN + 4), text(left + 14, MARGIN + 8, name)]
        left += ceil(len(name) * LETTER) + 34
    for number, panel in enumerate(panels):
        parts += panel_parts(panel, names, labels + GAP + number * (PANEL + GAP), bottom)
    return "\n".join([*parts, "</svg>\n"])


def panel_parts(panel: Panel, names: Sequence[str], left: float, bottom: float) -> list[str]:
    """One panel: its title, its axis and its markers."""
    values = [value for series in panel.series.values() for value in series if value is not None]
    ticks = log_ticks(values) if panel.logarithmic else linear_ticks(max(values))
    place = scale(ticks, left, logarithmic=panel.logarithmic)
    parts = [text(left + PANEL / 2, HEADER - 24, panel.title, "middle bold")]
    for tick in ticks:
        x = place(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{HEADER - 4}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(text(x, HEADER - 8, f"{tick:g}", "middle"))
    for name in reversed(panel.series):  # so that the first series lies on top
        for row, value in enumerate(panel.series[name]):
            if value is not None:
                parts.append(marker(names.index(name), place(value), HEADER + row * ROW + ROW / 2))
    return parts


def scale(ticks: Sequence[float], left: float, *, logarithmic: bool) -> Callable[[float], float]:
    """From a value to its x; the axis goes from the first tick to the last."""
    of: Callable[[float], float] = log10 if logarithmic else float
    first, last = of(ticks[0]), of(ticks[-1])
    return lambda value: left + (of(value) - first) / (last - first) * PANEL


def linear_ticks(most: float) -> list[float]:
    """From 0 to at least the largest value, in at most five steps of 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** floor(log10(most / 5))
    step = next(step * power for step in (1, 2, 5, 10) if step * power * 5 >= most)
    return [round(number * step, 10) for number in range(ceil(round(most / step, 6)) + 1)]


def log_ticks(values: Sequence[float]) -> list[float]:
    """From below the least value to above the largest, in steps of 1, 2, 5 or, over more than two decades, of 10."""
    first, last = floor(log10(min(values))), ceil(log10(max(values)))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [round(factor * 10.0**power, 10) for power in range(first, last + 1) for factor in factors]
    least = max((tick for tick in ticks if tick <= min(values)), default=ticks[0])
    most = min((tick for tick in ticks if tick >= max(values) and tick > least), default=ticks[-1])
    return [tick for tick in ticks if least <= tick <= most]


def marker(series: int, x: float, y: float) -> str:
    """The marker of a series: a dot, a square, a cross, a diamond, a triangle."""
    if series == 0:
        return f'<circle class="s0" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    path = ("M-4-4H4V4H-4Z", "M-4-4L4 4M-4 4L4-4", "M0-5L5 0L0 5L-5 0Z", "M0-5L5 4H-5Z")[series - 1]
    return f'<path class="s{series}" transform="translate({x:.1f} {y:.1f})" d="{path}"/>'


def text(x: float, y: float, content: str, kind: str = "") -> str:
    """A line of text at this place."""
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(content)}</text>'
