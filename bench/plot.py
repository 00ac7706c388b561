"""A line plot as SVG, written by hand: x on a logarithmic axis, y from zero."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 62, 200, 18, 48
COLOURS = ("#222222", "#c8102e", "#1f6fb2", "#2e8b57", "#b8860b", "#7b4fa3", "#5f6b76", "#d2691e")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}"
    ".line{fill:none;stroke-width:2}"
)


@dataclass(frozen=True, slots=True)
class Axes:
    x: str
    y: str


def lines(series: Mapping[str, Sequence[tuple[float, float]]], axes: Axes) -> str:
    """An SVG document with one line for each system; all x must be above zero."""
    points = [point for line in series.values() for point in line]
    low, high = (pick(math.log10(x) for x, _ in points) for pick in (min, max))
    step = _step(max(y for _, y in points))
    top = step * math.ceil(max(y for _, y in points) / step)

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(x) - low) / ((high - low) or 1)

    def down(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    parts = [f"<style>{STYLE}</style>", '<rect width="100%" height="100%" fill="#fff"/>']
    for i in range(round(top / step) + 1):
        y = down(i * step)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{i * step:g}", "end"))
    for x in sorted({x for x, _ in points}):
        parts.append(_text(across(x), HEIGHT - BOTTOM + 18, f"{x:,.0f}", "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axes.x, "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text(16, middle, axes.y, "middle", f' transform="rotate(-90 16 {middle})"'))
    names = _apart({name: down(line[-1][1]) for name, line in series.items()})
    for (name, line), colour in zip(series.items(), COLOURS * len(series), strict=False):
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in line)
        parts.append(f'<path class="line" stroke="{colour}" d="M{path}"/>')
        for x, y in line:
            parts.append(f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 10, names[name] + 4, name, "start"))
        parts.append(
            f'<circle cx="{WIDTH - RIGHT + 5}" cy="{names[name]:.1f}" r="4" fill="{colour}"/>'
        )
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    title = f"<title>{escape(axes.y)} over {escape(axes.x)}</title>"
    body = "\n".join((title, *parts))
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n{body}\n</svg>\n'


def _step(most: float) -> float:
    """A round distance between grid lines, four to ten of them."""
    power: float = 10.0 ** math.floor(math.log10(most))
    return power / 5 if most / power < 2 else power / 2 if most / power < 5 else power


def _apart(places: Mapping[str, float], gap: float = 16) -> dict[str, float]:
    """Move labels down until none lies over another."""
    free, last = {}, -math.inf
    for name, place in sorted(places.items(), key=lambda pair: pair[1]):
        last = free[name] = max(place, last + gap)
    return free


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {where}{more}>{escape(text)}</text>"
