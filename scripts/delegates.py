"""Write the tables of docs/delegates.md from the audits' rules; `--check` only compares.

A table stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; no rule there is typed by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from converters.base.errors import InputError, exit_status, expect
from converters.base.files import check_writable, write_atomically
from converters.base.options import command_parser

if TYPE_CHECKING:
    from converters.delegates.operator_rules import Rules

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "delegates.md"
RELEASED = ROOT / "lenet_edge" / "released"
COLUMNS = (
    ("nnapi 27, 28", ("nnapi", 28)),
    ("nnapi 29", ("nnapi", 29)),
    ("nnapi 30 to 35", ("nnapi", 30)),
    ("gpu", ("gpu", None)),
    ("micro", ("micro", None)),
    ("tflite-runtime", ("tflite-runtime", None)),
    ("web", ("web", None)),
)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _conditions(rules: Rules, name: str) -> str:
    return "; ".join(check.words for check in rules.operators[name].checks)


def _unwritten(rules: Rules) -> str:
    return "Operators without a rule here: " + ", ".join(sorted(rules.unwritten)) + "."


def of_nnapi() -> str:
    """Return NNAPI's table."""
    from converters.delegates import nnapi

    rows = [
        [name, str(rule.newest), str(rule.since or 27), _conditions(nnapi.RULES, name)]
        for name, rule in nnapi.RULES.operators.items()
    ]
    head = ["operator", "newest version", "from API level", "conditions"]
    return f"{_table(head, rows)}\n\n{_unwritten(nnapi.RULES)}"


def of_gpu() -> str:
    """Return the GPU delegate's table."""
    from converters.delegates import gpu

    rows = [
        [name, str(rule.newest or "any"), _conditions(gpu.RULES, name)]
        for name, rule in gpu.RULES.operators.items()
    ]
    every = "; ".join(check.words for check in gpu.RULES.every)
    table = _table(["operator", "newest version", "conditions"], [*rows, ["every operator", "", every]])
    return f"{table}\n\n{_unwritten(gpu.RULES)}"


def of_micro() -> str:
    """Return TensorFlow Lite Micro's table."""
    from converters.delegates import micro

    rows = [[name, _conditions(micro.RULES, name)] for name in micro.RULES.operators]
    return f"{_table(['operator', 'types and conditions'], rows)}\n\n{_unwritten(micro.RULES)}"


def of_tflite_runtime() -> str:
    """Return tflite-runtime's table, one row for each newest version."""
    from converters.delegates import tflite_runtime

    operators = tflite_runtime.RULES.operators
    rows = [
        [str(newest), ", ".join(sorted(name for name, rule in operators.items() if rule.newest == newest))]
        for newest in sorted({rule.newest for rule in operators.values() if rule.newest})
    ]
    return _table(["newest version", "operators"], rows)


def of_web() -> str:
    """Return the known conditions of LiteRT.js."""
    from converters.delegates import web

    return _table(["condition", "source"], [list(condition) for condition in web.CONDITIONS])


def released() -> str:
    """Return how many operators of each released file each delegate takes."""
    rows = [[f"`{path.name}`", *_counts(path.read_bytes())] for path in sorted(RELEASED.glob("*.tflite"))]
    return _table(["file", *(title for title, _ in COLUMNS)], rows)


def _counts(content: bytes) -> list[str]:
    from converters.delegates import audit, taken  # loads TensorFlow

    counts = [taken(audit(content, delegate=name, api_level=level)) for _, (name, level) in COLUMNS]
    return ["all" if taken_count == count else f"{taken_count} of {count}" for taken_count, count in counts]


TABLES: dict[str, Callable[[], str]] = {
    "released": released,
    "nnapi": of_nnapi,
    "gpu": of_gpu,
    "micro": of_micro,
    "tflite-runtime": of_tflite_runtime,
    "web": of_web,
}


def filled(text: str) -> str:
    """Return the documentation's `text` with every table replaced."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
        text, count = re.subn(
            pattern, lambda found, t=table: f"{found[1]}{t()}\n{found[2]}", text, flags=re.DOTALL
        )
        expect(count == 1, f"one table {name} in docs/delegates.md", count)
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables, or compare."""
    parser = command_parser(name="delegates.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare the tables with the rules")
    check = parser.parse_args(argv).check
    check_writable(PAGE)
    page = PAGE.read_text()
    wanted = filled(page)
    if not check:
        write_atomically(PAGE, wanted)
    elif wanted != page:
        raise InputError("expected docs/delegates.md to hold the rules, got others: scripts/delegates.py")
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="delegates.py"))
