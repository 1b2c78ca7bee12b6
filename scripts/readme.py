"""Write the tables of README.md and docs from the measurements; `--check` only compares.

A table stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; no number there is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "lenet_edge" / "released"
BULK = ROOT / "results" / "bulk.json"
WORKERS = ROOT / "results" / "workers.json"
TEST_DIGITS = 10_000


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def models() -> str:
    """Return the table of the released .tflite files."""
    return _files(lambda entry: True)


def models_lenet5() -> str:
    """Return README's part of that table: the files of the net as printed."""
    return _files(lambda entry: entry["model"] == "lenet5")


def _files(wanted: Callable[[dict[str, Any]], bool]) -> str:
    rows = []
    for name, entry in _read(RELEASED / "manifest.json")["models"].items():
        if not wanted(entry):
            continue
        checked = entry["checked"]
        taken, count = checked["xnnpack_takes"]
        rows.append(
            [
                f"`{name}`",
                f"{entry['bytes']:,}",
                str(count),
                "all" if taken == count else f"{taken} of {count}",
                f"{checked['error']:.2f} %",
                f"{checked['agreement']:.2f} %",
            ]
        )
    return _table(
        ["file", "bytes", "operators", "XNNPACK takes", "test error", "agreement with the original"], rows
    )


def nets() -> str:
    """Return the table of the trained nets, the paper's own figures first."""
    rows = [
        ["the paper, as printed", "60,000", "", "0.95 %", "", "", ""],
        ["the paper, with distortions", "60,000", "", "0.8 %", "", "", ""],
    ]
    rows += _paper_recipe()
    sources = [
        ("`lenet5()`, released", "60,000", RELEASED / "lenet5.json"),
        ("`stock_lenet5()`, trained the same way", "61,706", RELEASED / "stock_lenet5.json"),
    ]
    for title, weights, path in sources:
        report = _read(path)
        title += f" ({report['recipe']['epochs']} epochs)"
        rows.append([title, weights, f"{report['held_out']['error']:.2f} %", *_on_test(report["test"])])
    head = ["net", "trainable weights", "held-out error", "test error", "calibration error"]
    return _table([*head, "rejected for 0.5 % error", "rejected for 0.1 % error"], rows)


def _on_test(test: dict[str, Any]) -> list[str]:
    rejected = [f"{test['rejected'][error]:.2f} %" for error in ("0.5", "0.1")]
    return [f"{test['error']:.2f} %", f"{test['expected_calibration_error']:.4f}", *rejected]


def _paper_recipe() -> list[list[str]]:
    """Return the rows of `train --paper`, without and with distortions: means over the seeds."""
    report = _read(ROOT / "results" / "paper_recipe.json")
    held_out = f"{report['held_out']['held_out']['error']:.2f} %"
    kinds = (("", "seeds", held_out), (" --distortions", "distorted", ""))
    return [
        [
            f"`lenet5()`, `train --paper{option}`, {_of_seeds(report[name])}",
            "60,000",
            on_held_out,
            *_on_test(_mean_test(report[name])),
        ]
        for option, name, on_held_out in kinds
        if report[name]
    ]


def _of_seeds(reports: list[dict[str, Any]]) -> str:
    return f"mean of {len(reports)} seeds" if len(reports) > 1 else f"seed {reports[0]['seed']}"


def _mean_test(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what was measured on the test digits, each figure the mean of the `reports`."""
    tests = [report["test"] for report in reports]
    return {
        "error": _mean([test["error"] for test in tests]),
        "expected_calibration_error": _mean([test["expected_calibration_error"] for test in tests]),
        "rejected": {error: _mean([test["rejected"][error] for test in tests]) for error in ("0.5", "0.1")},
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def paper_beside() -> str:
    """Return the paper's figures beside those of `train --paper`, the seeds' one by one."""
    report = _read(ROOT / "results" / "paper_recipe.json")
    seeds = report["seeds"]
    rejected = [seed["test"]["rejected"]["0.5"] for seed in seeds]
    rows = [
        ["trainable weights", "60,000", "60,000"],
        ["misread test digits", "0.95 %", _each([seed["test"]["error"] for seed in seeds])],
        *(
            ["misread test digits, distorted copies learnt", "0.8 %", f"{one['test']['error']:.2f} %"]
            for one in report["distorted"]
        ),
        [
            "misread training digits, after 19 passes",
            "0.35 %",
            _each([seed["history"][18]["training_error"] for seed in seeds]),
        ],
        [
            "the same, each before its step in pass 19",
            "",
            _each([seed["history"][18]["online_error"] for seed in seeds]),
        ],
        ["test digits to reject for 0.5 % error", "", _each(rejected)],
        [
            "misread held-out digits, 55,000 learnt",
            "",
            f"{report['held_out']['held_out']['error']:.2f} %",
        ],
    ]
    return _table(["", "the paper", f"ours, seeds {', '.join(str(seed['seed']) for seed in seeds)}"], rows)


def _each(values: list[float]) -> str:
    each = ", ".join(f"{value:.2f}" for value in values)
    return f"{each}; mean {_mean(values):.2f} %" if len(values) > 1 else f"{each} %"


def paper_sizes() -> str:
    """Return figure 6 as a table: errors by the number of training digits."""
    report = _read(ROOT / "results" / "paper_recipe.json")
    rows = [
        [
            f"{one['digits']:,}",
            f"{one['history'][-1]['training_error']:.2f} %",
            f"{one['test']['error']:.2f} %",
        ]
        for one in (*report["first"], report["seeds"][0])
    ]
    return _table(["training digits", "misread of them", "misread test digits"], rows)


_TAKEN_BACK = {
    "chosen": "none: `train --paper`",
    "whole_eq_7": "all of eq. 7, j = 20",
    "smaller_start": "initial weights within 1/√F, coefficients 0.5",
    "both": "both",
}
"""What the trainings of scripts/paper_departures.py take back, by their names."""


def paper_departures() -> str:
    """Return the table of the held-out errors with choices taken back."""
    found = _read(ROOT / "results" / "paper_recipe.json")["departures"]
    rows = [
        [text, _each([one["held_out"]["error"] for one in found[name]])]
        for name, text in _TAKEN_BACK.items()
        if name in found
    ]
    seeds = [str(one["seed"]) for one in found["chosen"]]
    word = "seeds" if len(seeds) > 1 else "seed"
    return _table(["taken back", f"held-out error, {word} {' and '.join(seeds)}"], rows)


def paper_commands() -> str:
    """Return the commands that trained the nets of `train --paper`."""
    report = _read(ROOT / "results" / "paper_recipe.json")
    named = (*report["seeds"], report["held_out"], *report["first"], *report["distorted"])
    measured = [one["command"] for reports in report["departures"].values() for one in reports]
    commands = dict.fromkeys([*(one["command"] for one in named), *measured])
    lines = [command.replace("python -m lenet_edge.train", "lenet-edge train") for command in commands]
    return "\n".join(["```sh", *lines, "```"])


_SHOWN_KINDS = {
    "ring": ("around the digit", "a ring"),
    "box": ("around the digit", "a box"),
    "table": ("around the digit", "its sheet on a table"),
    "28x28 on grey": ("saved", "28x28 on grey"),
    "a panel in its margin": ("saved", "a panel in a margin of the other polarity"),
    "ink in alpha alone": ("saved", "ink in transparency alone"),
    "ink as bright as paper": ("saved", "ink and paper of one brightness"),
}


def photographs() -> str:
    """Return the table of errors on drawn photographs, by condition."""
    report = _read(ROOT / "results" / "photographs.json")
    rows = [
        ["all", "", f"{report['digits']:,}", f"{report['error']:.2f} %"],
        ["the original MNIST digits", "", "", f"{report['error_of_the_digits_themselves']:.2f} %"],
    ]
    rows += [
        [condition, value, f"{facts['digits']:,}", f"{facts['error']:.2f} %"]
        for condition, values in report["by_condition"].items()
        for value, facts in values.items()
    ]
    rows += [
        [*_SHOWN_KINDS[kind], f"{facts['digits']:,}", f"{facts['error']:.2f} %"]
        for kind, facts in report.get("by_kind", {}).items()
    ]
    return _table(["condition", "", "pictures", "misread"], rows)


def parity() -> str:
    """Return the matrix: each file's error in each runtime, and the share of the ideal kernel's bytes.

    A row says how many digits it covers if not all.
    """
    report = _read(ROOT / "results" / "parity.json")
    cells = {(cell["row"], cell["column"]): cell for cell in report["cells"]}
    rows = []
    for column, facts in report["columns"].items():
        column_cells = [cells.get((name, column)) for name in report["files"]]
        # An app's title may have the character that ends a table cell; an imported column may lack files.
        title, none = facts["title"].replace("|", "/"), "absent" if facts["absent"] else "–"
        rows.append(
            [
                f"{title}{_fewer_digits(column_cells)}",
                *(_cell(cell) if cell else none for cell in column_cells),
            ]
        )
    kinds = [name.removeprefix("lenet5_").removesuffix(".tflite") for name in report["files"]]
    return _table(["runtime", *kinds], rows)


def parity_wide() -> str:
    """Return the matrix of the strings' net: a row for each file and width, a column for each runtime."""
    report = _read(ROOT / "results" / "parity_wide.json")
    cells = {(cell["row"], cell["column"]): cell for cell in report["cells"]}
    columns = {name: facts["title"] for name, facts in report["columns"].items() if not facts["absent"]}
    names = dict.fromkeys(row for row, column in cells if column in columns)
    rows = []
    for row in names:
        row_cells = [cells.get((row, column)) for column in columns]
        rows.append([row, *(_cell(cell) if cell else "–" for cell in row_cells)])
    return _table(["file and width", *columns.values()], rows)


def _fewer_digits(cells: list[dict[str, Any] | None]) -> str:
    """Return the pictures of a runtime's cells, "" if they are all of the test digits."""
    counts = {(cell["digits"], cell["facts"].get("pictures")) for cell in cells if cell and cell["digits"]}
    fewer = [
        f"{digits} pictures" if pictures == "golden" else f"first {digits:,} digits"
        for digits, pictures in sorted(counts, key=str)
        if digits < TEST_DIGITS
    ]
    return f"; {', '.join(fewer)}" if fewer else ""


def _cell(cell: dict[str, Any]) -> str:
    if cell["refused"]:
        return "refused"
    same = "" if cell["same"] is None else f" ({cell['same']:.2f} %)"
    without = f", {cell['facts']['asked']} did not run" if cell["facts"].get("reason") else ""
    return f"{cell['error']:.2f} %{same}{without}{'' if cell['within'] else ' OUT'}"


def quantisation() -> str:
    """Return the comparison of int8 after training with fine-tuning, the mean of the seeds."""
    rows = _read(ROOT / "results" / "quantisation.json")["rows"]
    settings: dict[tuple[int, bool, int], list[dict[str, Any]]] = {}
    for row in rows:
        settings.setdefault((row["bits"], row["per_channel"], row["calibration"]), []).append(row)
    lines = []
    for (bits, per_channel, calibration), seeds in settings.items():
        setting = [str(bits), "channel" if per_channel else "kernel", str(calibration)]
        for method, title in _METHODS.items():
            if method in seeds[0]:
                lines.append([*setting, title, *_method_cells([seed[method] for seed in seeds])])
                setting = ["", "", ""]
    head = ["bits", "one scale per", "calibration digits", "quantised by", "mean error", "range"]
    return _table([*head, "agreement", "mean score difference"], lines)


_METHODS = {
    "converter": "TensorFlow's converter",
    "calibrated": "`quantize_aware`, not trained",
    "fine_tuned": "fine-tuned",
}


def _method_cells(seeds: list[dict[str, float]]) -> list[str]:
    """Return mean error, its range, agreement and difference of one method over its seeds."""
    errors, agreements, differences = (
        [seed[key] for seed in seeds] for key in ("error", "agreement", "mean_difference")
    )
    return [
        f"{sum(errors) / len(errors):.2f} %",
        f"{min(errors):.2f} to {max(errors):.2f}",
        f"{sum(agreements) / len(agreements):.2f} %",
        f"{sum(differences) / len(differences):.1e}",
    ]


_LAYOUTS = {
    "stock": "`stock_lenet5`, as converted",
    "stock_lowered": "`stock_lenet5`, lowered",
    "plain": "lenet5, plain",
    "released": "lenet5, as released",
    "two_columns": "lenet5, C1 in two columns",
    "four_columns": "lenet5, C1 in four columns",
    "four_columns_and_s2": "lenet5, C1 in four columns, S2 over them",
    "blocks": "lenet5, C1 in 2x2, S2 over them, S4 dense",
    "dense_poolings": "lenet5, S2 and S4 dense",
}
_RUNTIMES = {"litert": "LiteRT", "tflite": "tflite-runtime"}


def speed() -> str:
    """Return the times of layouts as ratios to the stock net's, by runtime and precision."""
    measured = _read(ROOT / "results" / "speed.json")
    cells = {
        (precision, result["runtime"], result["model"]): result["invoke_ratio"]
        for precision, found in measured["precisions"].items()
        for result in found["results"]
    }
    columns = [(p, r) for r in _RUNTIMES for p in measured["precisions"] if (p, r, "stock") in cells]
    rows = [
        [title, *(_ratio(cells.get((*column, name))) for column in columns)]
        for name, title in _LAYOUTS.items()
    ]
    machine, versions = measured["machine"], measured["versions"]
    table = _table(["layout", *(f"{_RUNTIMES[r]}, {p}" for p, r in columns)], rows)
    return (
        f"{table}\n\n{machine['processor']}, {machine['processors']} processors, Python {versions['python']}."
    )


def _ratio(ratio: dict[str, float] | None) -> str:
    if ratio is None:
        return ""
    if ratio["low"] == ratio["high"] == 1:
        return "1"
    return f"{ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"


def operators() -> str:
    """Return the time of each operator of the stock net and of the released net, in LiteRT."""
    rows = []
    for precision, found in _read(ROOT / "results" / "speed.json")["precisions"].items():
        for profile in found["profiles"]:
            title = f"{_LAYOUTS[profile['model']]}, {precision}"
            for node in _joined(profile["nodes"]):
                rows.append([title, *node])
                title = ""
            peak = profile["peak_macs_per_ns"]
            rows.append(["", "NumPy's float32 product of 512x512, one core", "", "", f"{peak:.1f}"])
    return _table(["file", "operator", "microseconds", "multiply-accumulates", "per nanosecond"], rows)


def _joined(nodes: list[dict[str, Any]]) -> list[list[str]]:
    """Return a row for each node with multiply-accumulates, and one for all the others."""
    heavy = [node for node in nodes if node["macs"]]
    lines = [
        [
            f"{node['index']} {node['name']}",
            f"{node['us']['value']:.2f}",
            f"{node['macs']:,}",
            f"{node['macs'] / node['us']['value'] / 1000:.1f}" if node["us"]["low"] > 0 else "",
        ]
        for node in heavy
    ]
    others = sum(node["us"]["value"] for node in nodes if not node["macs"])
    return [*lines, ["others", f"{others:.2f}", "", ""]]


def micro() -> str:
    """Return the memory that the files for microcontrollers need, in bytes."""
    rows = []
    for name, entry in _read(ROOT / "results" / "micro.json")["files"].items():
        sizes = [f"{entry[key]:,}" for key in ("bytes", "arena_bytes", "tensor_bytes", "table_bytes")]
        rows.append([f"`{name}`", *sizes, str(sum(one["count"] for one in entry["operators"]))])
    return _table(["file", "bytes", "arena", "arena: tensors", "arena: tables", "operators"], rows)


def android_sizes() -> str:
    """Return the size of each .apk in bytes, by processor."""
    rows = []
    for name, entry in _read(ROOT / "results" / "android_sizes.json")["apks"].items():
        libraries = sum(entry["native"].values())
        parts = [entry["bytes"], libraries, entry["models"], entry["dex"], entry["resources"], entry["other"]]
        rows.append([name, *(f"{size:,}" for size in parts)])
    head = ["processor", "bytes", "native libraries", "models", "code", "resources", "padding, signature"]
    return _table(head, rows)


def _strings() -> Any:
    return _read(ROOT / "results" / "strings.json")


def strings() -> str:
    """Return the table of the strings of test digits: errors of strings, of digits, of the greedy decoder."""
    files = _strings()["files"]
    head = ["digits", "spacing", "length"]
    head += [f"{name}: strings" for name in files] + ["digits", "greedy", "unsure", "error of the rest"]
    rows = []
    for sets in zip(*(facts["strings"] for facts in files.values()), strict=True):
        first = sets[0]
        rows.append(
            [first["writing"], first["spacing"], str(first["length"])]
            + [f"{one['error']:.1f} %" for one in sets]
            + [f"{first[name]:.1f} %" for name in ("digit_error", "greedy_error", "unsure", "error_of_sure")]
        )
    return _table(head, rows)


def strings_empty() -> str:
    """Return the table of fields without a digit."""
    report = _strings()
    rows = []
    kinds = next(iter(report["files"].values()))["empty"]
    for kind in kinds:
        cells = [facts["empty"][kind] for facts in report["files"].values()]
        rows.append([kind] + [f"{c['made_up']:.1f} % ({c['below_threshold_too']:.1f} %)" for c in cells])
    head = ["fields", *(f"{name}: read as digits (without a threshold)" for name in report["files"])]
    thresholds = [f"{name} {facts['threshold']:g}" for name, facts in report["files"].items()]
    return f"Thresholds: {', '.join(thresholds)}.\n\n" + _table(head, rows)


def strings_alone() -> str:
    """Return the table of single test digits: the released lenet5 and the files of the strings' net."""
    released = _read(RELEASED / "lenet5.json")["test"]["error"]
    rows = [["`lenet5`, the window around the digit", f"{released:.2f} %"]]
    for name, facts in _strings()["files"].items():
        one = facts["alone"]
        rows.append([f"`lenet5_wide_{name}`, the window around the digit", f"{one['window_error']:.2f} %"])
        rows.append([f"`lenet5_wide_{name}`, read as a string of one", f"{one['error']:.2f} %"])
    return _table(["10,000 test digits", "error"], rows)


def strings_training() -> str:
    """Return the commands that trained the strings' net and its teacher, and their held-out errors."""
    net = _read(RELEASED / "lenet5_wide.json")
    trained = {"the teacher": net["teachers"][0], "the net": net}
    commands = [
        one["command"].replace("python -m lenet_edge.train", "lenet-edge train") for one in trained.values()
    ]
    errors = [
        [
            name,
            *(f"{one['held_out'][f'{kind}error']:.2f} %" for kind in ("", "normal_", "touching_", "cheque_")),
        ]
        for name, one in trained.items()
    ]
    head = ["held-out errors", "single digits", "strings of four", "touching ones", "scanned amounts"]
    return "```sh\n" + "\n".join(commands) + f"\n```\n\n{_table(head, errors)}"


def strings_fine_tuning() -> str:
    """Return the command that fine-tuned the strings' net, and the errors on held-out digits by kind."""
    report = _read(RELEASED / "lenet5_wide_qat.json")
    command = report["command"].replace("python -m lenet_edge.quantize", "lenet-edge quantize")
    titles = {"exact": "float32", "fine_tuned": "fine-tuned", "file": "`lenet5_wide_int8_qat.tflite`"}
    kinds = ("error", "normal_error", "touching_error", "cheque_error")
    rows = [
        [title, *(f"{report['held_out'][name][kind]:.2f} %" for kind in kinds)]
        for name, title in titles.items()
    ]
    head = ["held-out digits", "single", "strings of four", "touching", "scanned amounts"]
    return f"```sh\n{command}\n```\n\n{_table(head, rows)}"


def strings_cost() -> str:
    """Return the tables of the cost of an answer on a wide picture, compared with a single window."""
    report = _read(ROOT / "results" / "strings_cost.json")
    counted = [
        [
            width,
            str(one["answers"]),
            f"{one['an_answer']:,}",
            f"{one['times_fewer']['all']:.2f}",
            f"{one['times_fewer']['shared']:.2f}",
        ]
        for width, one in report["operations"]["widths"].items()
    ]
    head = ["width", "answers", "multiply-accumulates per answer", "times fewer", "times fewer, C1 to S4"]
    timed = [
        [
            variant,
            f"{one['runtime']} {one['version']}",
            one["model"].removeprefix("wide_"),
            f"{one['microseconds'] / one['answers']:.1f} µs",
            f"{one['times_quicker']:.2f}",
        ]
        for variant, rows in report["times"].items()
        for one in rows
        if one["model"].startswith("wide_")
    ]
    times = _table(
        ["file", "runtime", "width", "time per answer", "times faster than a single window"], timed
    )
    return f"{_table(head, counted)}\n\n{times}"


_ZOO_ROUTES = {
    "fold": "fold",
    "float32": "float32",
    "plain float32": "float32, plain",
    "int8": "int8",
    "int8, a scale for each dense output": "int8, `per_channel_dense`",
    "plain int8": "int8, plain",
    "quantize_aware": "int8, `quantize_aware`",
    "tensorflow-model-optimization": "int8, tensorflow-model-optimization",
    "ai-edge-quantizer": "int8, ai-edge-quantizer",
}


def zoo_errors() -> str:
    """Return the error of each route for each net of the zoo: root mean square, of that of the outputs."""
    rows = []
    for name, entry in _read(ROOT / "results" / "zoo.json")["nets"].items():
        cells = [_zoo_error(entry["routes"].get(route)) for route in _ZOO_ROUTES]
        rows.append([name, f"{entry['parameters']:,}" if entry["parameters"] else "–", *cells])
    return _table(["net", "parameters", *_ZOO_ROUTES.values()], rows)


def _zoo_error(facts: dict[str, Any] | None) -> str:
    if facts is None:
        return "not measured"
    if "refused" in facts or "failed" in facts:
        return "refused" if "refused" in facts else "failed"
    return f"{facts['rms']:.1e}{' (folded)' if facts.get('given') == 'the folded model' else ''}"


def zoo_files() -> str:
    """Return size and operators of each int8 file beside the plain converter's; our time and memory."""
    rows = []
    for name, entry in _read(ROOT / "results" / "zoo.json")["nets"].items():
        ours, plain = (entry["routes"].get(route, {}) for route in ("int8", "plain int8"))
        row = [name]
        for key in ("bytes", "operators", "float_operators"):
            row += [_zoo_count(ours.get(key)), _zoo_count(plain.get(key))]
        rows.append([*row, *(str(ours.get(key, "–")) for key in ("seconds", "peak_mebibytes"))])
    head = ["net", "bytes", "plain", "operators", "plain", "float ones", "plain", "seconds", "MiB at most"]
    return _table(head, rows)


def _zoo_count(value: int | dict[str, int] | None) -> str:
    if value is None:
        return "–"
    return f"{sum(value.values()) if isinstance(value, dict) else value:,}"


def zoo_refused() -> str:
    """Return what each route that gave no file said."""
    lines = []
    for name, entry in _read(ROOT / "results" / "zoo.json")["nets"].items():
        for route, facts in entry["routes"].items():
            words = facts.get("refused") or facts.get("failed")
            if words:
                kind = "refused" if "refused" in facts else "failed"
                lines.append([name, _ZOO_ROUTES[route], kind, words.replace("|", "/").replace("\n", " ")])
    return _table(["net", "route", "", "in its words"], lines)


def zoo_measured() -> str:
    """Return with which versions, where and within which time the nets were measured, a line for each."""
    nets: dict[str, list[str]] = {}
    entries = _read(ROOT / "results" / "zoo.json")["nets"]
    for name, entry in entries.items():
        versions = ", ".join(f"{package} {version}" for package, version in entry["versions"].items())
        machine = f"{entry['machine']['processors']} cores of an {entry['machine']['processor']}"
        line = f"{versions}; {machine}; a route was ended after {entry['limit_seconds']:g} s"
        nets.setdefault(line, []).append(name)
    lines = [f"- {', '.join(names)}: {line}." for line, names in nets.items()]
    found = (entry["routes"].get("ai-edge-quantizer", {}).get("version") for entry in entries.values())
    quantizers = set(filter(None, found))
    return "\n".join([*lines, f"- ai-edge-quantizer: {', '.join(sorted(quantizers)) or 'not measured'}."])


def bulk_cost() -> str:
    """Return what a million pictures of each kind cost."""
    rows = [
        [name, f"`{cost['command']}`", f"{cost['milliseconds']:.1f}", f"{cost['core_hours']:.2f}"]
        for name, cost in _read(BULK)["cost"].items()
    ]
    return _table(["pictures", "read by", "milliseconds of a core each", "core-hours a million"], rows)


def bulk_speed() -> str:
    """Return how fast two processes read, on Ray and by `classify`, and how long they take to start."""
    beside = _read(BULK)["beside_classify"]
    rows = [
        [title, f"{beside[name]['pictures_a_second']:.0f}", f"{beside[name]['start_seconds']:.0f}"]
        for title, name in (("`classify --jobs 2`", "classify"), ("`bulk --workers 2`", "bulk"))
    ]
    return _table(["", "photographs a second", "seconds to start"], rows)


def bulk_memory() -> str:
    """Return what two nodes take, the memory of a process, and where all this was measured."""
    report = _read(BULK)
    run, machine, versions = report["long_run"], report["machine"], report["versions"]
    nodes = report["two_nodes"]
    both, one_lost = nodes["both"], nodes["one_lost"]
    return (
        f"Two nodes of one core each, both on this machine, read {nodes['pictures']:,} photographs in "
        f"{both['seconds']:.0f} s. When one is lost halfway, it takes {one_lost['seconds']:.0f} s, and "
        f"{one_lost['pictures_answered']:,} pictures have {one_lost['answers']:,} answers."
        "\n\n"
        f"Over {run['pictures']:,} small pictures ({run['seconds']:,} s) the larger process took at most "
        f"{run['first_third_mib']:,} MiB in the first third and {run['last_third_mib']:,} MiB in the last."
        "\n\n"
        f"{machine['processor']}, {machine['processors']} processors; Ray {versions['ray']}, pyarrow "
        f"{versions['pyarrow']}."
    )


def card_training() -> str:
    """Return the command that trained each set of released weights."""
    nets = ("lenet5", "lenet5_qat", "lenet5_wide", "lenet5_wide_qat", "stock_lenet5")
    rows = [[f"`{net}`", f"`{_read(RELEASED / f'{net}.json')['command']}`"] for net in nets]
    return _table(["weights", "trained by"], rows)


def card_thresholds() -> str:
    """Return below which score an answer is unsure, and what that costs and brings on the test digits."""
    report = _read(RELEASED / "thresholds.json")
    rows = [
        [
            f"`{name}`",
            f"{entry['unsure_below']:.3f}",
            f"{entry['test']['rejected']:.2f} %",
            f"{entry['test']['error']:.2f} %",
        ]
        for name, entry in report["files"].items()
    ]
    table = _table(["file", "unsure below", "test digits that are unsure", "error of the rest"], rows)
    return f"Chosen on held-out digits, for {report['error']} % of error in the rest.\n\n{table}"


def card_runtimes() -> str:
    """Return in which runtimes the files of lenet5 were compared with the original, and what came out."""
    report = _read(ROOT / "results" / "parity.json")
    ran = [cell for cell in report["cells"] if cell["row"] in report["files"] and not cell["refused"]]
    out = [f"{cell['row']} in {cell['column']}" for cell in ran if not cell["within"]]
    titles = [one["title"].replace("|", "/") for one in report["columns"].values() if not one["absent"]]
    return (
        f"{len(ran) - len(out)} of {len(ran)} pairs of a file and a runtime gave scores within the rounding "
        f"of the file's own scales{''.join(f'; out: {one}' for one in out)}. Tried: {'; '.join(titles)}."
    )


def card_worst() -> str:
    """Return the three conditions of the drawn photographs under which most are misread."""
    conditions = _read(ROOT / "results" / "photographs.json")["by_condition"]
    found = [
        (facts["error"], f"{condition} {value}")
        for condition, values in conditions.items()
        for value, facts in values.items()
    ]
    worst = sorted(found, reverse=True)[:3]
    return f"Photographs: {'; '.join(f'{name} ({error:.2f} % misread)' for error, name in worst)}."


def card_marks() -> str:
    """Return how often a sign that is no digit was read as one, and not marked unsure."""
    marks = _read(ROOT / "results" / "marks.json")["marks"]
    rows = [
        [name, str(entry["fonts"]), str(entry["sure_alone"]), str(entry["sure_in_a_line"])]
        for name, entry in marks.items()
        if entry["sure_alone"] or entry["sure_in_a_line"]
    ]
    return _table(["sign", "fonts", "read as a digit, alone", "read as a digit, in a line"], rows)


_INSTALLED = (
    *("wheel[tflite]", "sdist[tflite]", "wheel[litert]", "wheel[train]"),
    *("wheel[heic]", "wheel[plot]", "wheel[ray]", "wheel[micro]"),
)


def install() -> str:
    """Return what became of the wheel and the sdist in an empty environment, by Python and extra."""
    trials = _read(ROOT / "results" / "install.json")["trials"]
    cells = {(one["python"], f"{one['file']}[{one['extra']}]"): one for one in trials}
    rows = [
        [python, *(_install_cell(cells.get((python, column))) for column in _INSTALLED)]
        for python in dict.fromkeys(one["python"] for one in trials)
    ]
    faults = [
        f"- {one['file']}[{one['extra']}] on Python {one['python']}: {one['said']}"
        for one in trials
        if not one["went"]
    ]
    table = _table(["Python", *(f"`{column}`" for column in _INSTALLED)], rows)
    return "\n".join([table, *(["", *faults] if faults else [])])


def _install_cell(trial: dict[str, Any] | None) -> str:
    if trial is None:
        return "not tried"
    if not trial["went"]:
        return "no"
    return f"{trial['said']}, {trial['mebibytes']:,} MiB" if trial["mebibytes"] else trial["said"]


def workers() -> str:
    """Return what a second process brings to a training, by net, and where it was measured."""
    report = _read(WORKERS)
    rows = [
        [
            f"`--model {options}`, {net['digits']:,} digits",
            *(f"{epoch['seconds']:.1f} s" for epoch in net["epoch"].values()),
            f"{net['times_as_fast']['two processes']:.2f} times as fast",
            f"{net['processor_time_of_two']:.2f} times the processor time",
        ]
        for options, net in report["nets"].items()
    ]
    machine = report["machine"]
    columns = ["an epoch of", *report["nets"]["lenet5"]["epoch"], "two processes are", "and take"]
    about = (
        f"{machine['processor']}, {machine['processors']} processors, one for each process; medians of "
        f"{report['repeats']} turns, load {report['load_of_15_minutes']:g}."
    )
    return f"{_table(columns, rows)}\n\n{about}"


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "MODEL_CARD.md": {
        "models": models,
        "card_training": card_training,
        "nets": nets,
        "card_thresholds": card_thresholds,
        "photographs": photographs,
        "strings": strings,
        "strings_empty": strings_empty,
        "card_runtimes": card_runtimes,
        "card_marks": card_marks,
        "card_worst": card_worst,
    },
    "README.md": {"models_lenet5": models_lenet5},
    "RELEASING.md": {"install": install},
    "docs/android.md": {"sizes": android_sizes},
    "docs/handwriting.md": {"photographs": photographs},
    "docs/lowering.md": {"speed": speed, "operators": operators},
    "docs/many-machines.md": {
        "bulk_cost": bulk_cost,
        "bulk_speed": bulk_speed,
        "bulk_memory": bulk_memory,
        "workers": workers,
    },
    "docs/microcontroller.md": {"micro": micro},
    "docs/models.md": {"models": models},
    "docs/paper.md": {
        "paper_beside": paper_beside,
        "paper_commands": paper_commands,
        "paper_departures": paper_departures,
        "paper_sizes": paper_sizes,
    },
    "docs/parity.md": {"parity": parity, "parity_wide": parity_wide},
    "docs/quantising.md": {"quantisation": quantisation},
    "docs/strings.md": {
        "alone": strings_alone,
        "strings_training": strings_training,
        "strings_fine_tuning": strings_fine_tuning,
        "strings": strings,
        "strings_empty": strings_empty,
        "strings_cost": strings_cost,
    },
    "docs/training.md": {"nets": nets},
    "docs/zoo.md": {
        "zoo_errors": zoo_errors,
        "zoo_files": zoo_files,
        "zoo_refused": zoo_refused,
        "zoo_measured": zoo_measured,
    },
}
"""The tables of each document, by name."""


def filled(text: str, tables: dict[str, Callable[[], str]]) -> str:
    """Return a document's `text` with every table replaced."""
    for name, table in tables.items():
        pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
        text, count = re.subn(
            pattern, lambda found, t=table: f"{found[1]}{t()}\n{found[2]}", text, flags=re.DOTALL
        )
        if count != 1:
            raise SystemExit(f"expected one table {name}, got {count}")
    return text


def main(argv: Sequence[str] | None = None) -> None:
    """Write every document's tables, or compare."""
    # No imports of the package: `make tables` runs with any Python, where nothing is installed.
    parser = argparse.ArgumentParser(
        prog="readme.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only compare the tables with the measurements")
    check = parser.parse_args(argv).check
    for document, tables in TABLES.items():
        path = ROOT / document
        wanted = filled(path.read_text(), tables)
        if wanted == path.read_text():
            continue
        if check:
            raise SystemExit(f"expected {document} to hold the measured numbers, got others: make tables")
        path.write_text(wanted)


if __name__ == "__main__":
    main()
