"""Check what a .tflite file holds beside its graph: buffers, metadata, signatures."""

from __future__ import annotations

from converters.base.words import counted
from converters.file.flatbuffer import Record, require
from converters.file.soundness.beyond import require_within

_VERSION = 3
_CONTROL_DEPENDENCIES = "model_control_dependencies"


def check_model(model: Record) -> None:
    """Raise Damaged unless the schema's `model` has one graph, and its constants in the file."""
    require(model.version == _VERSION, f"version {model.version} of the schema, not {_VERSION}")
    require(model.subgraphs, "no graph")
    require_within(len(model.subgraphs) == 1, f"{counted(len(model.subgraphs), 'graph')}, not 1")
    require(not model.external_buffers and not model.external_buffer_groups, "constants outside of the file")
    require(model.subgraphs[0].operators, "a graph without operators")
    for index, buffer in enumerate(model.buffers):
        require(not buffer.offset and not buffer.size, f"buffer {index}: data behind the tables")
    require(not model.buffers or not len(model.buffers[0].data), "buffer 0: data where the format has none")


def check_names(model: Record) -> None:
    """Raise Damaged unless what metadata and signatures give a name to is in the schema's `model`."""
    _check_metadata(model)
    names = [signature.signature_key for signature in model.signature_defs]
    require(len(set(names)) == len(names), "two signatures of one name")
    for index, signature in enumerate(model.signature_defs):
        _check_signature(signature, model.subgraphs[0], f"signature {index}")


def _check_metadata(model: Record) -> None:
    for index in model.metadata_buffer:
        _check_metadata_buffer(model, index, "metadata in")
    for index, entry in enumerate(model.metadata):
        require(entry.name is not None, f"metadata {index}: no name")
        _check_metadata_buffer(model, entry.buffer, f"metadata {index}:")
        known = entry.name != _CONTROL_DEPENDENCIES
        require_within(known, f"metadata {index}: control dependencies, which lenet-edge has no check for")


def _check_metadata_buffer(model: Record, index: int, place: str) -> None:
    """Check that a metadata's buffer exists and is not a tensor's, as an outdated number may be."""
    count = len(model.buffers)
    require(0 <= index < count, f"{place} buffer {index} of {count}")
    owners = [number for number, one in enumerate(model.subgraphs[0].tensors) if one.buffer == index]
    shared = owners and len(model.buffers[index].data)
    require(not shared, f"{place} buffer {index}, which holds tensor {str(owners[:1])[1:-1]}")


def _check_signature(signature: Record, graph: Record, place: str) -> None:
    require(signature.signature_key is not None, f"{place}: no name")
    require(signature.subgraph_index == 0, f"{place}: graph {signature.subgraph_index} of 1")
    for what, entries, ends in (
        ("input", signature.inputs, graph.inputs),
        ("output", signature.outputs, graph.outputs),
    ):
        for entry in entries:
            require(entry.name is not None, f"{place}: an {what} without a name")
            right = entry.tensor_index in ends
            require(right, f"{place}: tensor {entry.tensor_index}, which is no {what} of the graph")
