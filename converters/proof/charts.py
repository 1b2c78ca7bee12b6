"""Draw the bars and line charts of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from converters.proof.markup import Markup, element

# Of a line chart, in SVG units.
_WIDTH, _HEIGHT = 682, 212
"""Of the area that the lines are drawn in; wider where there are many places."""

_LEFT, _RIGHT, _TOP = 48, 130, 26
"""The least margins; names that are longer get more."""

_INSET = 14
"""From the left and right edge of the area to the first and the last place."""

_CHARACTER, _CHARACTER_BOLD = 7.5, 8.5
"""How wide a character of a place's and of a line's name is on average, rounded up."""

_LINE = 15
"""The least distance of two lines of text."""

_SLOPE = 60
"""By how many degrees the names of places are turned."""

_MOST_CHARACTERS = 40
"""Of a name; a longer one loses its middle and is shown whole beneath the pointer."""

_COLOURS = 6
"""The number of line colours in the style sheet."""


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """A chart with values up to `top`: its places lie `step` apart over `area`; the margins; in SVG units."""

    top: float
    step: float
    area: float
    left: float
    right: float
    below: float

    @property
    def width(self) -> float:
        """The width of the chart."""
        return self.left + self.area + self.right

    @property
    def height(self) -> float:
        """The height of the chart."""
        return _TOP + _HEIGHT + self.below

    def x(self, place: int) -> float:
        """Return where a place lies."""
        return self.left + _INSET + place * self.step

    def y(self, value: float) -> float:
        """Return where a value lies; one below 0 lies at 0."""
        return _TOP + _HEIGHT - max(0.0, value) / self.top * _HEIGHT


def bar(share: float) -> Markup:
    """Return a bar that fills `share` (0..1) of its width."""
    return element("span", element("i", style=f"width:{100 * share:.1f}%"), class_="bar", aria_hidden="true")


def line_chart(series: Mapping[str, Sequence[float | None]], *, places: Sequence[str], unit: str) -> Markup:
    """Return a chart with a line for each of `series` over `places`; None is a gap.

    Values are 0 or more, in `unit`; each line has its name at its end. The chart is as large as its names
    need.
    """
    frame = _frame(series, places)
    parts = [_grid(frame, unit), _places(frame, places)]
    ends = {}
    for number, (name, values) in enumerate(series.items()):
        points = [(frame.x(i), frame.y(v)) for i, v in enumerate(values) if v is not None]
        if points:
            parts.append(_line(points, number))
            ends[name, number] = points[-1][1]
    parts += [_end(frame, name, number, y) for (name, number), y in _apart(ends).items()]
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {frame.width:.0f} {frame.height:.0f}",
        class_="lines",
        style=f"--units:{frame.width:.0f}",
        role="img",
        aria_label=unit,
    )


def _frame(series: Mapping[str, Sequence[float | None]], places: Sequence[str]) -> _Frame:
    """Return a frame with room for every name, in which neighbours do not touch."""
    sine, cosine = math.sin(math.radians(_SLOPE)), math.cos(math.radians(_SLOPE))
    gaps = max(1, len(places) - 1)
    step = max(_LINE / sine, (_WIDTH - 2 * _INSET) / gaps)
    lengths = [_CHARACTER * len(_shortened(name)) for name in places]
    beyond = [cosine * length - step * place for place, length in enumerate(lengths)]
    ends = [_CHARACTER_BOLD * len(_shortened(name)) for name in series]
    values = [value for line in series.values() for value in line if value]
    return _Frame(
        top=20.0 * math.ceil(max([20.0, *values]) / 20),
        step=step,
        area=step * gaps + 2 * _INSET,
        left=max([_LEFT, *(reach - _INSET for reach in beyond)]),
        right=max([_RIGHT, *(length + _LINE for length in ends)]),
        below=max(sine * max(lengths, default=0.0) + 2 * _LINE, _LINE * len(series)),
    )


def _shortened(name: str) -> str:
    """Return `name`, without its middle if it is too long."""
    if len(name) <= _MOST_CHARACTERS:
        return name
    half = _MOST_CHARACTERS // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def _text(name: str, **attributes: object) -> Markup:
    """Return the text of a `name`, shown whole beneath the pointer where it is shortened."""
    short = _shortened(name)
    return element("text", short, None if short == name else element("title", name), **attributes)


def _grid(frame: _Frame, unit: str) -> Markup:
    """Return a horizontal line with its value for every 20."""
    parts: list[Markup] = [element("text", unit, x=4, y=_TOP - 12)]
    for value in np.arange(0, frame.top + 1, 20):
        y = f"{frame.y(value):.1f}"
        line = f"M{frame.left:.1f} {y}H{frame.left + frame.area:.1f}"
        parts.append(element("path", d=line, class_="grid"))
        x = f"{frame.left - 8:.1f}"
        parts.append(element("text", f"{value:g}", x=x, y=y, dy="0.35em", text_anchor="end"))
    return element("g", *parts)


def _places(frame: _Frame, names: Sequence[str]) -> Markup:
    y = _TOP + _HEIGHT + _LINE
    return element(
        "g",
        *(
            _text(
                name,
                text_anchor="end",
                transform=f"translate({frame.x(place) + 4:.1f} {y}) rotate(-{_SLOPE})",
            )
            for place, name in enumerate(names)
        ),
    )


def _line(points: Sequence[tuple[float, float]], number: int) -> Markup:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = (element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3) for x, y in points)
    return element("g", element("path", d=path), *dots, class_=f"line line{number % _COLOURS}")


def _end(frame: _Frame, name: str, number: int, y: float) -> Markup:
    x = f"{frame.left + frame.area + 8:.1f}"
    return _text(name, x=x, y=f"{y:.1f}", dy="0.35em", class_=f"name line{number % _COLOURS}")


def _apart(ends: Mapping[tuple[str, int], float]) -> dict[tuple[str, int], float]:
    """Move labels down until none overlaps another."""
    moved: dict[tuple[str, int], float] = {}
    lowest = 0.0
    for key, y in sorted(ends.items(), key=lambda item: item[1]):
        moved[key] = lowest = max(y, lowest)
        lowest += _LINE
    return moved
