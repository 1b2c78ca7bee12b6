"""The report's section on layers: a chart of all files, and a card for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from converters.proof.charts import bar, line_chart
from converters.proof.markup import Markup, element, heads, joined, row, table
from converters.proof.report_parts import Report, short_names


def profiles(report: Report) -> Markup:
    """Return the layer profiles: a chart of all files, then a card with bars and measures for each file."""
    layers = report.get("layers")
    if layers is None:
        return element("p", "Not measured: add ", element("code", "--layers"), " to the command.")
    names = short_names(report)
    longest: Sequence[Mapping[str, Any]] = max(layers.values(), key=len, default=())
    series = {
        names[name]: [_decibels(layer) for layer in layers_of_file]
        for name, layers_of_file in layers.items()
        if layers_of_file
    }
    top = max((value for values in series.values() for value in values if value), default=1.0)
    chart = line_chart(series, places=[_layer_name(layer) for layer in longest], unit="dB")
    cards = [_profile(names[name], layers_of_file, top) for name, layers_of_file in layers.items()]
    return joined(
        element("div", chart, class_="wide") if series else None,
        element("div", *cards, class_="cards filled"),
    )


def _profile(name: str, layers: Sequence[Mapping[str, Any]], top: float) -> Markup:
    if not layers:
        reason = "No profile: its operators differ from those of the exact model."
        return element("section", element("h3", name), element("p", reason), class_="card")
    quantised = any(layer["step"] for layer in layers)
    more = ("step", "clipped", "off exact") if quantised else ()
    body = [
        row(_layer_name(layer), bar(max(0.0, (_decibels(layer) or 0.0) / top)), *_measures(layer, quantised))
        for layer in layers
    ]
    departing = [
        element("li", element("strong", _layer_name(layer)), f": {layer['departs']}")
        for layer in layers
        if layer.get("departs")
    ]
    return element(
        "section",
        element("h3", name),
        element("p", "✗ The file departs from the model in", class_="wrong") if departing else None,
        element("ul", *departing) if departing else None,
        table(heads("operator", "signal to noise", "dB", *more), *body, class_="bars"),
        class_="card broad" if quantised else "card",
    )


def _measures(layer: Mapping[str, Any], quantised: bool) -> list[str]:
    decibels = _decibels(layer)
    cells = ["no noise" if decibels is None else f"{decibels:.1f}"]
    if quantised:
        cells.append(f"{layer['step']:.3g}" if layer["step"] else "")
        cells.append("" if layer["clipped"] is None else f"{layer['clipped']:.2f} %")
        cells.append("" if layer["local"] is None else f"{layer['local']:.3f}")
    return cells


def _decibels(layer: Mapping[str, Any]) -> float | None:
    value = layer["snr"]
    return value if value is not None and math.isfinite(value) else None


def _layer_name(layer: Mapping[str, Any]) -> str:
    """Return the layer's name, if a tensor has it, and its operator, unless the name says that."""
    operator = layer["operator"].split(" ", 1)[-1]
    words = {"CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "dense"}
    word = words.get(operator, operator.lower())
    name = layer["layer"]
    return name if word in name else f"{name} {word}".strip()  # "block_2_add", not "block_2_add add"
