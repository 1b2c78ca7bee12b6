"""Write a .tflite file as C++ source for TensorFlow Lite Micro: NAME.h and NAME.cc.

The two need C++11 and none of TensorFlow's headers. The same file gives the same text.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections import Counter
from typing import NamedTuple

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import expect
from converters.file.graph import Graph, Tensor, read_graph

_C_TYPES = {"float32": "float", "uint8": "std::uint8_t", "int8": "std::int8_t", "int16": "std::int16_t"}
_COLUMNS = 12

# MicroMutableOpResolver's methods are the schema's names in camel case, but for these.
_METHODS = {
    "BATCH_MATMUL": "AddBatchMatMul",
    "CUMSUM": "AddCumSum",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}

_HEADER = """\
// {description}
// Made by lenet-edge's converters.file.c_array: do not edit.
//
// Model: {bytes} bytes of TensorFlow Lite, sha256
// {sha256}
// Operators:
{operators}
//
// With TensorFlow Lite Micro:
//   tflite::MicroMutableOpResolver<{name}::kOperatorCount> resolver;
//   {name}::AddOperators(resolver);  // true when all were added
//   alignas(16) static unsigned char arena[{name}::kArenaBytes];
//   tflite::MicroInterpreter interpreter(tflite::GetModel({name}::kModel), resolver, arena,
//                                        {name}::kArenaBytes);
// Then, to see that the board computes what the desktop did: run kSampleInput, compare with kSampleOutput.
// The whole program is examples/micro/main.cc in lenet-edge.

#ifndef {guard}
#define {guard}

#include <cstddef>
#include <cstdint>

namespace {name} {{

// The .tflite file, aligned to 16 bytes.
extern const unsigned char kModel[];
constexpr std::size_t kModelLength = {bytes};

// Memory for the interpreter's tensors and tables, as measured on a 64-bit machine.
constexpr std::size_t kArenaBytes = {arena_bytes};

// real = scale * (stored - zero point); a scale of 0: the stored values are the real ones.
{input}

{output}

// One input and the output for it, as stored. The reference kernels give exactly this output in int8; others
// may round otherwise, and so may any in float32, but no value may be below kSampleLow or above kSampleHigh.
extern const InputType kSampleInput[kInputLength];
extern const OutputType kSampleOutput[kOutputLength];
extern const OutputType kSampleLow[kOutputLength];
extern const OutputType kSampleHigh[kOutputLength];

// Adds the model's operators to a tflite::MicroMutableOpResolver<kOperatorCount>; false when it refuses one.
// (0 is kTfLiteOk.)
constexpr unsigned int kOperatorCount = {count};
template <typename Resolver>
bool AddOperators(Resolver& resolver) {{
  return {calls};
}}

}}  // namespace {name}

#endif  // {guard}
"""

_END = """\
using {end}Type = {type};
constexpr int k{end}Dimensions[] = {{{dimensions}}};
constexpr std::size_t k{end}Length = {length};
constexpr float k{end}Scale = {scale};
constexpr int k{end}ZeroPoint = {zero_point};"""

_SOURCE = """\
// {description}
// Made by lenet-edge's converters.file.c_array: do not edit.

#include "{name}.h"

namespace {name} {{

alignas(16) const unsigned char kModel[] = {{
{model}
}};
static_assert(sizeof(kModel) == kModelLength, "the model's length");

const InputType kSampleInput[kInputLength] = {{
{sample_input}
}};

const OutputType kSampleOutput[kOutputLength] = {{
{sample_output}
}};

const OutputType kSampleLow[kOutputLength] = {{
{sample_low}
}};

const OutputType kSampleHigh[kOutputLength] = {{
{sample_high}
}};

}}  // namespace {name}
"""


class Sources(NamedTuple):
    """The text of NAME.h and of NAME.cc."""

    header: str
    source: str


def c_array(
    content: bytes,
    *,
    name: str,
    arena_bytes: int,
    sample_input: Numbers,
    sample_output: Numbers,
    sample_limits: tuple[Numbers, Numbers],
    description: str,
) -> Sources:
    """Return NAME.h and NAME.cc for the .tflite file `content`.

    `name` is the C++ namespace and the stem of the two files. `arena_bytes` is what
    `converters.runtimes.micro.arena_bytes` measured. `sample_input` and `sample_output`, one of each in the
    shape and type that the file stores, are what a board checks itself by; `sample_limits` are the least and
    the most that it may give, stored like the output. `description` opens both files, in a line.

    Raises InputError: no .tflite file or one of several inputs or outputs, custom operators (they are
    registered by hand), a type without a C++ name here, a name that is no C++ one in small letters, samples
    of another shape or type, an output outside its limits.
    """
    expect(_is_name(name), "a name of small letters, digits and single underscores", repr(name))
    expect(description.isprintable(), "a description in one line", repr(description))
    # A line that ends in a backslash would draw the next one into the comment.
    expect(not description.endswith("\\"), "a description that ends in no backslash", repr(description))
    expect(arena_bytes > 0, "an arena of one byte or more", arena_bytes)
    graph = read_graph(content)
    counts = f"{len(graph.inputs)} and {len(graph.outputs)}"
    expect(len(graph.inputs) == len(graph.outputs) == 1, "a file with one input and one output", counts)
    (source,), (sink,) = graph.inputs, graph.outputs
    calls = [f"resolver.{_method(operator)}() == 0" for operator in sorted(_operators(graph))]
    header = _HEADER.format(
        description=description,
        name=name,
        guard=f"{name.upper()}_H_",
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        operators="\n".join(f"//   {operator}: {count}" for operator, count in _operators(graph).items()),
        arena_bytes=arena_bytes,
        input=_end("Input", source),
        output=_end("Output", sink),
        count=len(calls),
        calls=" &&\n         ".join(calls),
    )
    low, high = sample_limits
    values = {
        "sample_input": _rows(_values(sample_input, source)),
        "sample_output": _rows(_values(sample_output, sink)),
        "sample_low": _rows(_values(low, sink)),
        "sample_high": _rows(_values(high, sink)),
    }
    within = bool(((low <= sample_output) & (sample_output <= high)).all())
    expect(within, "a sample output within its limits", f"{sample_output.ravel().tolist()}")
    body = _SOURCE.format(
        description=description,
        name=name,
        model=_rows([f"0x{byte:02x}" for byte in content]),
        **values,
    )
    return Sources(header, body)


def _is_name(name: str) -> bool:
    # A double underscore is reserved to the compiler; the compiler refuses keywords.
    return bool(re.fullmatch(r"[a-z](_?[a-z0-9])*", name))


def _operators(graph: Graph) -> dict[str, int]:
    """Return how often each operator occurs, by name."""
    counts = Counter(node.name for node in graph.nodes)
    return dict(sorted(counts.items()))


def _method(operator: str) -> str:
    """Return the method of MicroMutableOpResolver that adds `operator`, a name of the schema."""
    builtin = not operator.startswith(("CUSTOM", "UNKNOWN"))
    expect(builtin, "built-in operators; custom ones are registered by hand", operator)
    words = operator.split("_")
    camel = "".join(word if word[0].isdigit() else word.capitalize() for word in words)
    return _METHODS.get(operator, f"Add{camel}")


def _end(end: str, tensor: Tensor) -> str:
    expect(tensor.type in _C_TYPES, f"an {end.lower()} of {', '.join(_C_TYPES)}", tensor.type)
    scale = float(np.float32(tensor.scales[0])) if tensor.scales.size else 0.0
    return _END.format(
        end=end,
        type=_C_TYPES[tensor.type],
        dimensions=", ".join(map(str, tensor.shape)),
        length=int(np.prod(tensor.shape)),
        scale=_float(scale),
        zero_point=int(tensor.zero_points[0]) if tensor.zero_points.size else 0,
    )


def _values(sample: Numbers, tensor: Tensor) -> list[str]:
    wanted = f"a sample of {tensor.type} {tensor.shape}"
    expect(sample.dtype == tensor.type, wanted, f"{sample.dtype} {sample.shape}")
    expect(sample.shape in (tensor.shape, tensor.shape[1:]), wanted, f"{sample.dtype} {sample.shape}")
    if tensor.type != "float32":
        return [str(int(value)) for value in sample.ravel()]
    expect(np.isfinite(sample).all(), "a sample of finite values", "NaN or infinity")
    return [_float(float(value)) for value in sample.ravel()]


def _float(value: float) -> str:
    """Return `value`, a float32, as a C++ literal that is read as the same one."""
    digits = f"{value:.9g}"
    return f"{digits if '.' in digits or 'e' in digits else f'{digits}.0'}f"


def _rows(words: list[str]) -> str:
    rows = [words[start : start + _COLUMNS] for start in range(0, len(words), _COLUMNS)]
    return textwrap.indent("\n".join(", ".join(row) + "," for row in rows), "    ")
