"""Draw the bars and line charts of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from converters.proof.markup import Markup, element

_WIDTH, _HEIGHT = 860, 330  # of a line chart, in SVG units
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 130, 26, 92
_LABEL_HEIGHT = 15
_COLOURS = 6
"""The number of line colours in the style sheet."""


def bar(share: float) -> Markup:
    """Return a bar that fills `share` (0..1) of its width."""
    return element("span", element("i", style=f"width:{100 * share:.1f}%"), class_="bar", aria_hidden="true")


def line_chart(series: Mapping[str, Sequence[float | None]], *, places: Sequence[str], unit: str) -> Markup:
    """Return a chart with a line for each of `series` over `places`; None is a gap.

    Values are 0 or more, in `unit`; each line has its name at its end.
    """
    top = 20.0 * np.ceil(max([20.0, *(v for values in series.values() for v in values if v)]) / 20)
    parts = [_grid(top, unit), _places(places)]
    ends = {}
    for number, (name, values) in enumerate(series.items()):
        points = [(_x(i, len(places)), _y(v, top)) for i, v in enumerate(values) if v is not None]
        if points:
            parts.append(_line(points, number))
            ends[name, number] = points[-1][1]
    parts += [_end(name, number, y) for (name, number), y in _apart(ends).items()]
    return element(
        "svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="lines", role="img", aria_label=unit
    )


def _x(place: int, count: int) -> float:
    return _LEFT + 14 + place * (_WIDTH - _LEFT - _RIGHT - 28) / max(1, count - 1)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - max(0.0, value) / top * (_HEIGHT - _BOTTOM - _TOP)


def _grid(top: float, unit: str) -> Markup:
    """Return a horizontal line with its value for every 20."""
    parts: list[Markup] = [element("text", unit, x=4, y=_TOP - 12)]
    for value in np.arange(0, top + 1, 20):
        y = f"{_y(value, top):.1f}"
        parts.append(element("path", d=f"M{_LEFT} {y}H{_WIDTH - _RIGHT}", class_="grid"))
        parts.append(element("text", f"{value:g}", x=_LEFT - 8, y=y, dy="0.35em", text_anchor="end"))
    return element("g", *parts)


def _places(names: Sequence[str]) -> Markup:
    y = _HEIGHT - _BOTTOM + 16
    return element(
        "g",
        *(
            element("text", name, text_anchor="end", transform=f"translate({x:.1f} {y}) rotate(-40)")
            for name, x in ((name, _x(place, len(names)) + 4) for place, name in enumerate(names))
        ),
    )


def _line(points: Sequence[tuple[float, float]], number: int) -> Markup:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = (element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3) for x, y in points)
    return element("g", element("path", d=path), *dots, class_=f"line line{number % _COLOURS}")


def _end(name: str, number: int, y: float) -> Markup:
    return element(
        "text", name, x=_WIDTH - _RIGHT + 8, y=f"{y:.1f}", dy="0.35em", class_=f"name line{number % _COLOURS}"
    )


def _apart(ends: Mapping[tuple[str, int], float]) -> dict[tuple[str, int], float]:
    """Move labels down until none overlaps another."""
    moved: dict[tuple[str, int], float] = {}
    lowest = 0.0
    for key, y in sorted(ends.items(), key=lambda item: item[1]):
        moved[key] = lowest = max(y, lowest)
        lowest += _LABEL_HEIGHT
    return moved
