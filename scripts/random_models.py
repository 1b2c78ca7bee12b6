"""Hold fold, every precision, quantize_aware and lower to random models: results/random_models.json.

The properties are those of tests/converters/test_random_models.py. Models are drawn in blocks, each in a
process of its own, by --seed and the number of the block: a run that was stopped goes on where it stopped,
and a model that ends the process is found too. Of each kind of fault the smallest model is kept.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.machine import machine
from converters.base.options import command_parser

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "random_models.json"
BLOCKS = {"fold": 250, "float": 25, "int8": 50, "quantize_aware": 50}
"""The properties, and how many models a block has: a minute's."""


@dataclass(kw_only=True)
class Found:
    """What came of models: how many `held`, which words `refused` how many, the `faults` by kind."""

    examples: int = 0
    held: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0

    def add_fault(self, text: str, model: str) -> None:
        """Count a fault; of those of a kind, the smallest model is kept."""
        kind = re.sub(r"[0-9][0-9.e+-]*", "N", text)[:120]
        fault = self.faults.setdefault(kind, {"count": 0, "text": text, "model": model})
        fault["count"] += 1
        if len(model) < len(fault["model"]):
            fault.update(text=text, model=model)

    def add(self, other: Found) -> None:
        """Add what came of other models."""
        self.examples += other.examples
        self.held += other.held
        self.refused.update(other.refused)
        for fault in other.faults.values():
            self.add_fault(fault["text"], fault["model"])
            kind = re.sub(r"[0-9][0-9.e+-]*", "N", fault["text"])[:120]
            self.faults[kind]["count"] += fault["count"] - 1
        self.seconds += other.seconds

    def as_json(self) -> dict[str, Any]:
        """Return the same for a file, the most frequent first."""
        return {**asdict(self), "refused": dict(self.refused.most_common()), "seconds": round(self.seconds)}


def block(name: str, seed: int, at_hand: Path) -> Found:
    """Draw a block's models by `seed` and hold the property; `at_hand` has the model of the moment."""
    sys.path.insert(0, str(ROOT / "tests" / "reference"))
    from converters.base.quiet import quieten_tensorflow

    quieten_tensorflow()
    import hypothesis  # these load TensorFlow
    from drawn_properties import models_for, outcome

    found, start = Found(), time.monotonic()

    @hypothesis.settings(
        max_examples=BLOCKS[name],
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.seed(seed)
    @hypothesis.given(models_for(name))
    def hold(drawn: Any) -> None:
        at_hand.write_text(repr(drawn))
        found.examples += 1
        try:
            answer = outcome(name, drawn)
        except Exception as error:  # whatever it is, it is what we look for
            found.add_fault(f"{type(error).__name__}: {str(error)[:500]}", repr(drawn))
            return
        if answer == "held":
            found.held += 1
        else:
            found.refused[answer.removeprefix("refused: ")] += 1

    hold()
    found.seconds = time.monotonic() - start
    return found


def block_apart(name: str, seed: int) -> Found:
    """Return what came of a block in a process of its own; one that ends is a fault of the model at hand."""
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        at_hand = Path(folder) / "model.txt"
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=1, mp_context=spawning) as pool:
            try:
                return pool.submit(block, name, seed, at_hand).result()
            except BrokenProcessPool:
                found = Found(examples=1)
                found.add_fault("the process ended", at_hand.read_text() if at_hand.exists() else "")
                return found


def earlier(path: Path, name: str, seed: int, versions: dict[str, str]) -> tuple[dict[str, Any], Found, int]:
    """Return the properties in the file, what came of `name` so far, and the blocks that were done.

    A run of another seed or of other versions is begun anew.
    """
    report = json.loads(path.read_text()) if path.exists() else {"properties": {}}
    entry = report["properties"].get(name)
    if report.get("versions") != versions or not entry or entry["seed"] != seed:
        return report["properties"] if report.get("versions") == versions else {}, Found(), 0
    known = {key: entry[key] for key in ("examples", "held", "faults", "seconds")}
    return report["properties"], Found(**known, refused=Counter(entry["refused"])), entry["blocks"]


def main(argv: Sequence[str] | None = None) -> int:
    """Draw and hold; status 1 when a fault was found."""
    parser = command_parser(name="random_models.py", description=__doc__)
    parser.add_argument("--property", choices=BLOCKS, default="fold", help="(default: %(default)s)")
    parser.add_argument("--examples", type=int, default=10_000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1998, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE", help="(default: results)")
    options = parser.parse_args(argv)
    expect(options.examples > 0, "--examples of 1 or more", options.examples)
    check_writable(options.out)
    from converters.base.environment import versions  # loads TensorFlow

    name, seed = options.property, options.seed
    properties, found, blocks = earlier(options.out, name, seed, versions())
    with tqdm(total=options.examples, initial=found.examples, desc=name, unit="model") as bar:
        while found.examples < options.examples:
            before = found.examples
            found.add(block_apart(name, seed * 100_000 + blocks))
            blocks += 1
            wanted = f"--property {name} --examples {options.examples} --seed {seed}"
            command = f"python scripts/random_models.py {wanted}"
            properties[name] = {"command": command, "seed": seed, "blocks": blocks, **found.as_json()}
            report = {"versions": versions(), "machine": machine(), "properties": properties}
            write_json(options.out, report)
            bar.update(found.examples - before)
            bar.set_postfix(held=found.held, faults=sum(one["count"] for one in found.faults.values()))
    for fault in found.faults.values():
        print(f"{fault['count']} times {fault['text']}{fault['model']}\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="random_models.py"))
