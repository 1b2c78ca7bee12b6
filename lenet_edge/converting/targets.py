"""`convert --target`: make the file for a target, and audit which operators its delegate takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.files import write_atomically
from converters.base.targets import TARGETS, Target
from converters.delegates import API_LEVELS, Verdict, analyser_verdict, audit, taken
from converters.file.c_array import c_array
from converters.file.graph import read_graph
from converters.file.manifest import describe
from converters.file.resizing import resized
from converters.proof.exact_arithmetic import LIMITS
from converters.proof.tolerance import Tolerance
from converters.runtimes.columns import COLUMNS, absence, run_column
from converters.runtimes.tensorflow_interpreter import run_stored
from lenet_edge.converting.files import ModelFile, Original, check, convert_one
from lenet_edge.converting.layers_file import layers_file
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.layouts import PLAIN, layout_for, lowered
from lenet_edge.packaged.models import fine_tuned_model
from lenet_edge.packaged.names import WIDE
from lenet_edge.paper.answers import as_input, outputs_of

_TRIED_DIGITS = 100


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Which operators a delegate takes; for NNAPI, at each Android API level.

    `verdicts`: one per operator, by API level; other delegates have the one key None. `compatible`: the
    answer of TensorFlow Lite's analyser on the GPU; None for other delegates.
    """

    verdicts: Mapping[int | None, Sequence[Verdict]]
    compatible: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the audit as a manifest stores it."""
        if None in self.verdicts:
            return _counts(self.verdicts[None])
        return {str(level): _counts(verdicts) for level, verdicts in self.verdicts.items()}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The result of running a file on this machine's GPU accelerator, whose name is `title`.

    `absent`: why there is no accelerator, `failure`: why it did not run the file; both "" if it ran. It took
    `taken` of `nodes` operators; `largest_difference`: between a score and the original's, on `digits`
    digits.
    """

    title: str
    absent: str = ""
    failure: str = ""
    delegate: str = ""
    taken: int | None = None
    nodes: int | None = None
    digits: int = 0
    largest_difference: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the trial as a manifest stores it."""
        if self.absent:
            return {"absent": self.absent}
        if self.failure:
            return {"failure": self.failure}
        return {name: getattr(self, name) for name in ("delegate", "taken", "largest_difference")}


@dataclass(frozen=True, kw_only=True)
class MicroArray:
    """The C array of a file: the `texts` of header and source, by file name.

    `arena_bytes`: the arena that TensorFlow Lite Micro used, in the version that `runtime` names; None if it
    was not measured, for the reason in `failure`.
    """

    texts: Mapping[str, str]
    arena_bytes: int | None
    runtime: str
    failure: str


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetFile(ModelFile):
    """The file of a target: its `audits` by delegate; `tried` only for gpu, `micro` only for micro."""

    target: Target
    fine_tuned: bool
    audits: Mapping[str, Audit]
    tried: Tried | None
    micro: MicroArray | None

    def as_json(self) -> dict[str, Any]:
        """Return the file's manifest entry."""
        entry = super().as_json()
        check = {"checked": entry.pop("checked")} if self.checked else {}
        audits = {name: one.as_json() for name, one in self.audits.items()}
        tried = {"tried": self.tried.as_json()} if self.tried else {}
        arena = {"arena_bytes": self.micro.arena_bytes} if self.micro else {}
        return {**entry, "audits": audits, **tried, **arena, **check}

    def write(self, folder: Path) -> None:
        """Write the file to `folder`, with its C array if it has one."""
        super().write(folder)
        for name, text in (self.micro.texts if self.micro else {}).items():
            write_atomically(folder / name, text)


def target_files(original: Original, targets: Sequence[str]) -> Iterator[ModelFile]:
    """Convert `original` for each of `targets`, names of TARGETS; yield each file as it is done.

    int8 files get the fine-tuned weights where there are any. The web gets a second file, which gives each
    layer's output. The wide model has a file for the web alone, quantised after training: golden/strings.json
    is of these weights.
    """
    if original.name == WIDE:
        yield _wide_web_file(original)
        return
    fine_tuned = None
    if original.is_fine_tuned and any(TARGETS[name].precision == "int8" for name in targets):
        fine_tuned = fine_tuned_model(original.name)
    for name in targets:
        yield _target_file(original, name, int8_model=fine_tuned)
        if name == "web":
            yield layers_file(original.name, original.printed)


def _target_file(original: Original, target_name: str, *, int8_model: Any) -> TargetFile:
    """Return one target's file; `int8_model`: the fine-tuned Keras model, None if there is none."""
    target = TARGETS[target_name]
    fine_tuned = int8_model is not None and target.precision == "int8"
    model = int8_model if fine_tuned else original.folded
    plain = convert_one(model, precision=target.precision, ends=target.ends).content
    asked = None if target.laid_out else PLAIN
    content, facts = lowered(plain, layout=layout_for(original.name, target.precision, asked=asked))
    return TargetFile(
        name=f"{original.name}_{target_name}.tflite",
        content=content,
        facts={
            "model": original.name,
            "target": target_name,
            "precision": target.precision,
            "fine_tuned": fine_tuned,
            **facts,
        },
        checked=check(content, original.baseline),
        target=target,
        fine_tuned=fine_tuned,
        audits={delegate: _audit(content, delegate) for delegate in target.delegates},
        tried=_try_on_gpu(content, original.folded) if target_name == "gpu" else None,
        micro=_micro_array(original, content) if target_name == "micro" else None,
    )


def _wide_web_file(original: Original) -> ModelFile:
    """Return the wide model in int8 at its own width: LiteRT.js takes no open dimension."""
    plain = convert_one(original.folded, precision="int8").content
    content = resized(plain, shape=read_graph(plain).inputs[0].shape)
    return ModelFile(
        name=f"{WIDE}_web.tflite",
        content=content,
        facts={"model": WIDE, "target": "web", "precision": "int8", **describe(content)},
        checked=check(content, original.baseline),
    )


def _audit(content: bytes, delegate: str) -> Audit:
    if delegate == "nnapi":
        return Audit(
            verdicts={level: audit(content, delegate=delegate, api_level=level) for level in API_LEVELS}
        )
    compatible = analyser_verdict(content)[0] if delegate == "gpu" else None
    return Audit(verdicts={None: audit(content, delegate=delegate)}, compatible=compatible)


def _counts(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    taken_count, count = taken(verdicts)
    others = {
        answer: [
            {"operator": f"{v.index} {v.name}", "reason": v.reason} for v in verdicts if v.answer == answer
        ]
        for answer in ("not taken", "unknown")
    }
    return {
        "taken": taken_count,
        "operators": count,
        "not_taken": others["not taken"],
        "unknown": others["unknown"],
    }


def _try_on_gpu(content: bytes, exact: Any) -> Tried:
    """Run the file on a GPU accelerator if there is one; `exact`: the Keras model to compare with."""
    column = COLUMNS["litert-gpu"]
    reason = absence(column)
    if reason:
        return Tried(title=column.title, absent=reason)
    pictures = pad(calibration_digits().images[:_TRIED_DIGITS])
    inputs = as_input(exact, pictures)
    result = run_column(column, {"file": content}, {"file": inputs})["file"]
    if result.failure:
        return Tried(title=column.title, failure=result.failure)
    return Tried(
        title=column.title,
        delegate=result.delegate,
        taken=result.taken,
        nodes=result.nodes,
        digits=len(inputs),
        largest_difference=float(np.abs(result.values - outputs_of(exact, pictures)).max()),
    )


def _micro_array(original: Original, content: bytes) -> MicroArray:
    """Return the C array of the file, with a golden sample and the measured arena.

    The sample's output is TensorFlow Lite Micro's if that is installed, else TensorFlow's; its limits hold
    for every runtime (converters.proof.tolerance).
    """
    sample = as_input(original.folded, pad(calibration_digits().images[:1]))
    stored, answer = run_stored(content, sample)
    side = sample.shape[1]
    column = COLUMNS["micro"]
    failure, arena, runtime = absence(column), None, ""
    if not failure:
        result = run_column(column, {"file": content}, {"file": sample})["file"]
        failure, arena, runtime = result.failure, result.arena_bytes, result.runtime
        answer = answer if failure else result.outputs
    name, pixels = f"{original.name}_micro", f"{side}x{side} pixels, 0 for paper"
    texts = c_array(
        content,
        name=name,
        arena_bytes=arena or 2 * len(content),
        sample_input=stored[0],
        sample_output=answer[0],
        sample_limits=_limits(content, sample),
        description=f"{original.name}, a digit reader: {pixels}, in; ten scores out.",
    )
    named = {f"{name}{suffix}": text for suffix, text in zip((".h", ".cc"), texts, strict=True)}
    return MicroArray(texts=named, arena_bytes=arena, runtime=runtime, failure=failure)


def _limits(content: bytes, sample: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the lowest and highest stored scores that the int8 file may return for `sample` (1, ...)."""
    graph = read_graph(content)
    (sink,) = graph.outputs
    step, zero_point = float(sink.scales[0]), int(sink.zero_points[0])
    low, high = (end / step + zero_point for end in Tolerance(graph, sample).limits(np.arange(1)))
    # No runtime can leave the range of the type; 1e-9 allows for the rounding of the division.
    stored = np.clip([np.ceil(low - 1e-9), np.floor(high + 1e-9)], *LIMITS[sink.type]).astype(sink.type)
    return stored[0], stored[1]
