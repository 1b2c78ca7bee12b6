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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from converters.base.errors import exit_status, expect
from converters.base.files import check_writable, write_json
from converters.base.machine import machine
from converters.base.options import command_parser
from converters.base.untyped import Json

if TYPE_CHECKING:
    from drawn_models import DrawnModel

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "results" / "random_models.json"
BLOCKS = {"fold": 250, "float": 25, "int8": 50, "int16": 50, "quantize_aware": 50, "lower": 50}
"""The properties, and how many models a block has: a minute's."""


@dataclass(kw_only=True)
class Fault:
    """A kind of fault: how often it was seen, and the words and lines of the smallest model that shows it."""

    count: int
    text: str
    model: str


@dataclass(kw_only=True)
class Found:
    """What came of models: how many `held`, which words `refused` how many, the `faults` by kind."""

    examples: int = 0
    held: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: dict[str, Fault] = field(default_factory=dict)
    seconds: float = 0.0

    def add_fault(self, text: str, model: str, count: int = 1) -> None:
        """Count a fault; of those of a kind, the smallest model is kept."""
        kind = re.sub(r"[0-9][0-9.e+-]*", "N", text)[:120]
        fault = self.faults.setdefault(kind, Fault(count=0, text=text, model=model))
        fault.count += count
        if len(model) < len(fault.model):
            fault.text, fault.model = text, model

    def add(self, other: Found) -> None:
        """Add what came of other models."""
        self.examples += other.examples
        self.held += other.held
        self.refused.update(other.refused)
        for fault in other.faults.values():
            self.add_fault(fault.text, fault.model, fault.count)
        self.seconds += other.seconds

    def as_json(self) -> dict[str, Json]:
        """Return the same for a file, the most frequent first."""
        return {**asdict(self), "refused": dict(self.refused.most_common()), "seconds": round(self.seconds)}

    @classmethod
    def of_json(cls, entry: Mapping[str, Json]) -> Found:
        """Return what `as_json` gave; other keys of `entry` do not matter."""
        return cls(
            examples=entry["examples"],
            held=entry["held"],
            refused=Counter(entry["refused"]),
            faults={kind: Fault(**fault) for kind, fault in entry["faults"].items()},
            seconds=entry["seconds"],
        )


def block(name: str, seed: int, notes: Path) -> None:
    """Draw a block's models by `seed` and hold the property.

    `notes` has what was found so far, and the model at hand, before each model and after the last.
    """
    sys.path.insert(0, str(ROOT / "tests" / "reference"))
    from converters.base.quiet import quieten_tensorflow

    quieten_tensorflow()
    import hypothesis  # these load TensorFlow
    from drawn_properties import models_for, outcome

    found, start = Found(), time.monotonic()

    def note(model: str) -> None:
        found.seconds = time.monotonic() - start
        notes.write_text(json.dumps({"found": found.as_json(), "model": model}))

    @hypothesis.settings(
        max_examples=BLOCKS[name],
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.seed(seed)
    @hypothesis.given(models_for(name))
    def hold(drawn: DrawnModel) -> None:
        found.examples += 1
        note(repr(drawn))
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
    note("")


def block_apart(name: str, seed: int) -> Found:
    """Return what came of a block in a process of its own; one that dies is a fault of the model at hand."""
    with tempfile.TemporaryDirectory(prefix="lenet-edge-") as folder:
        notes = Path(folder) / "notes.json"
        process = multiprocessing.get_context("spawn").Process(target=block, args=(name, seed, notes))
        process.start()
        process.join()
        if process.exitcode and (process.exitcode > 0 or not notes.exists()):
            raise RuntimeError(f"the block {seed} of {name} ended with status {process.exitcode}")
        return what_came_of(json.loads(notes.read_text()), status=process.exitcode or 0)


def what_came_of(notes: Mapping[str, Json], *, status: int) -> Found:
    """Return what a block found by its last `notes`; `status`: that of its process, not 0 if it died."""
    found = Found.of_json(notes["found"])
    if status:
        found.add_fault(f"the process ended with status {status}", notes["model"])
    return found


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run so far: what its `blocks` found, and the entries of `others`, by property, in the same file."""

    found: Found
    blocks: int
    others: Mapping[str, Json]


def earlier(path: Path, name: str, seed: int, versions: Mapping[str, str]) -> Run:
    """Return the run of `name` in the file as far as it came.

    A run of another seed is begun anew, and of other versions everything is.
    """
    report = json.loads(path.read_text()) if path.exists() else {}
    others = report["properties"] if report.get("versions") == versions else {}
    entry = others.get(name)
    if entry is None or entry["seed"] != seed:
        return Run(found=Found(), blocks=0, others=others)
    return Run(found=Found.of_json(entry), blocks=entry["blocks"], others=others)


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
    run = earlier(options.out, name, seed, versions())
    found, blocks, properties = run.found, run.blocks, dict(run.others)
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
            bar.set_postfix(held=found.held, faults=sum(one.count for one in found.faults.values()))
    for fault in found.faults.values():
        print(f"{fault.count} times {fault.text}{fault.model}\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="random_models.py"))
