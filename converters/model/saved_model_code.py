"""Find what in a SavedModel's graph runs Python, touches files or is huge, without loading it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from converters.base.environment import op_definitions, saved_model_pb2, tf
from converters.base.errors import InputError, expect
from converters.base.keras_hdf5 import MOST_BYTES
from converters.base.model_files import GRAPH

_STATEFUL_AND_PLAIN = frozenset(
    [
        "Assert",
        "AssignAddVariableOp",
        "AssignSubVariableOp",
        "AssignVariableOp",
        "Case",
        "CheckNumerics",
        "CheckNumericsV2",
        "DestroyResourceOp",
        "DisableCopyOnRead",
        "Empty",
        "GuaranteeConst",
        "HashTable",
        "HashTableV2",
        "If",
        "InitializeTableV2",
        "IsResourceHandleRefCounting",
        "LookupTableExportV2",
        "LookupTableFindV2",
        "LookupTableImportV2",
        "LookupTableInsertV2",
        "LookupTableRemoveV2",
        "LookupTableSizeV2",
        "Multinomial",
        "NonDeterministicInts",
        "ParameterizedTruncatedNormal",
        "ReadVariableOp",
        "RngReadAndSkip",
        "RngSkip",
        "StatefulPartitionedCall",
        "StatelessRandomGetAlg",
        "TemporaryVariable",
        "TruncatedNormal",
        "VarHandleOp",
        "VarIsInitializedOp",
        "Variable",
        "VariableShape",
        "VariableV2",
        "While",
    ]
)
"""Operations with a state that do no more than compute and keep variables and tables."""

_STATEFUL_AND_PLAIN_KINDS = (
    "AnonymousHashTable",
    "AnonymousMutable",
    "Cudnn",
    "MutableDenseHashTable",
    "MutableHashTable",
    "Random",
    "Resource",
    "Stack",
    "StatefulRandom",
    "StatefulStandardNormal",
    "StatefulTruncatedNormal",
    "StatefulUniform",
    "TensorArray",
)
_STATELESS_WITH_EFFECTS = frozenset(
    [
        "DebugIdentity",
        "DebugNanCount",
        "DebugNumericSummary",
        "DebugNumericSummaryV2",
        "DecodeProtoV2",
        "EncodeProtoV2",
        "GenerateVocabRemapping",
        "ImmutableConst",
        "InitializeTableFromTextFile",
        "MatchingFiles",
        "PyFuncStateless",
        "ReadFile",
        "RemoteFusedGraphExecute",
        "XlaCustomCall",
        "XlaCustomCallV2",
    ]
)
_SAVING = frozenset(["MergeV2Checkpoints", "RestoreV2", "SaveV2"])
"""What a SavedModel saves and restores its variables with; only the saver may."""


def check_saved_model_code(path: Path, *, trust_code: bool = False) -> None:
    """Raise InputError unless the SavedModel in the folder `path` only computes, and its constants are small.

    Refused are operations that run Python, touch files or devices, those that TensorFlow does not have, and
    saving or restoring anywhere but in the saver. `trust_code`: only the constants are checked.
    """
    for graph in _graphs(path):
        nodes = [*graph.graph_def.node, *_of_functions(graph)]
        size = sum(_constant_size(node) for node in nodes)
        expect(size <= MOST_BYTES, f"constants of {path} of {MOST_BYTES:,} bytes or less", f"{size:,}")
        if not trust_code:
            operation = next(_operations_with_effects(graph, nodes), "")
            expect(
                not operation,
                f"{path} to be a model without code (--trust-code runs what is in it)",
                f"the operation {operation}, which does more than compute",
            )


def _graphs(path: Path) -> list[Any]:
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((path / GRAPH).read_bytes())
    except Exception as error:  # protobuf's DecodeError, which has no stable home
        raise InputError(f"{path}: expected a SavedModel, got another or a damaged one") from error
    expect(len(model.meta_graphs), f"{path} to be a SavedModel", "another or a damaged one")
    return list(model.meta_graphs)


def _operations_with_effects(graph: Any, nodes: Iterable[Any]) -> Iterator[str]:
    """Yield the operations of `nodes` that do more than compute; of the saver's, those that others run."""
    functions = {function.signature.name for function in graph.graph_def.library.function}
    for node in nodes:
        if node.op not in functions and node.op not in _SAVING and _has_effects(node.op):
            yield node.op
    for node in _run_by(graph, _model_roots(graph)):
        if node.op in _SAVING:
            yield node.op
    for node in _run_by(graph, {graph.saver_def.restore_op_name}):
        if node.op in _SAVING - {"RestoreV2"}:
            yield node.op


def _has_effects(operation: str) -> bool:
    """Return whether the operation does more than compute, or is not TensorFlow's own."""
    definition = op_definitions.get(operation)
    if definition is None or operation in _STATELESS_WITH_EFFECTS:
        return True
    if "Dataset" in operation or "Iterator" in operation:
        return True
    plain = operation in _STATEFUL_AND_PLAIN or operation.startswith(_STATEFUL_AND_PLAIN_KINDS)
    return definition.is_stateful and not plain


def _model_roots(graph: Any) -> set[str]:
    """Return the names of what is run of the graph: outputs of signatures, initialisers, its functions."""
    infos = (info for signature in graph.signature_def.values() for info in signature.outputs.values())
    mains = (name for one in graph.collection_def.values() for name in one.node_list.value)
    names = {name.partition(":")[0] for name in (*(info.name for info in infos), *mains)}
    return names | set(graph.object_graph_def.concrete_functions)


def _run_by(graph: Any, roots: set[str]) -> Iterator[Any]:
    """Yield the nodes that the nodes and functions named `roots` need, and those of functions they call."""
    nodes = {node.name: node for node in graph.graph_def.node}
    functions = {one.signature.name: one for one in graph.graph_def.library.function}
    waiting, seen = list(roots), set(roots)

    def needed(names: Iterable[str]) -> None:
        waiting.extend(new := set(names) - seen)
        seen.update(new)

    while waiting:
        name = waiting.pop()
        node, function = nodes.get(name), functions.get(name)
        if node is not None:
            yield node
            needed([_source(one) for one in node.input])
            needed(_called_by(node, functions))
        if function is not None:
            for inner in function.node_def:
                yield inner
                needed(_called_by(inner, functions))


def _source(name: str) -> str:
    """Return the node of an input: "^name" after it, "name:1" its second output."""
    return name.removeprefix("^").partition(":")[0]


def _called_by(node: Any, functions: Iterable[str]) -> set[str]:
    """Return the names of the functions that `node` calls."""
    named = {node.op}
    for value in node.attr.values():
        named |= {value.func.name, *(one.name for one in value.list.func)}
    return named & set(functions)


def _of_functions(graph: Any) -> Iterator[Any]:
    for function in graph.graph_def.library.function:
        yield from function.node_def


def _constant_size(node: Any) -> int:
    """Return the bytes of the constants in `node`: a protobuf may state one value for all entries."""
    tensors = [value.tensor for value in node.attr.values() if value.HasField("tensor")]
    return sum(_size(tensor) for tensor in tensors)


def _size(tensor: Any) -> int:
    kind = tf.dtypes.as_dtype(tensor.dtype)
    return math.prod(max(side.size, 0) for side in tensor.tensor_shape.dim) * max(kind.size or 1, 1)
