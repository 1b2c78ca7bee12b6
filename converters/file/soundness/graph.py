"""Check the operators of a .tflite file in the order in which they run: their inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from converters.base.arrays import shape_text
from converters.base.words import counted
from converters.file.flatbuffer import Damaged, Record, require
from converters.file.soundness.beyond import require_within
from converters.file.soundness.nodes import Node, Output
from converters.file.soundness.operator_checks import RULES, Rule
from converters.file.soundness.tables import OPERATORS, TABLES
from converters.file.soundness.tensors import MAX_BYTES, Tensor, checked_tensor

MAX_WORK = 1 << 31
"""Multiplications for one picture: some seconds on a Pi. LeNet-5 takes 0.3 million, MobileNet 600 million."""

_CUSTOM = "CUSTOM"


def check_graph(model: Record) -> None:
    """Raise Damaged unless the operators of the schema's `model` can run one after the other."""
    graph = model.subgraphs[0]
    tensors = [checked_tensor(index, one, model.buffers) for index, one in enumerate(graph.tensors)]
    _check_ends(graph, tensors)
    ready = {index for index, tensor in enumerate(tensors) if tensor.data is not None} | set(graph.inputs)
    memory = sum(tensors[index].bytes for index in ready)
    work = 0
    for index, operator in enumerate(graph.operators):
        name = _name(operator, model.operator_codes, index)
        try:
            computed = _checked_output(Node(index, name, *_operands(operator, name, tensors, ready)))
        except Damaged as error:
            raise type(error)(f"operator {index} {name}: {error}") from None
        for number, output in enumerate(operator.outputs):
            # A side that the file leaves open is now known.
            shape = computed.shape_at(number)
            tensors[output] = replace(tensors[output], shape=shape, values=computed.values)
        ready |= set(operator.outputs)
        work += computed.work
        memory += computed.scratch + sum(tensors[output].bytes for output in operator.outputs)
        require_within(
            work <= MAX_WORK, f"operator {index} {name}: {work} multiplications, more than {MAX_WORK}"
        )
        require_within(
            memory <= MAX_BYTES, f"operator {index} {name}: {memory} bytes in all, more than {MAX_BYTES}"
        )
    require(set(graph.outputs) <= ready - set(graph.inputs), "an output that no operator writes")


def _check_ends(graph: Record, tensors: list[Tensor]) -> None:
    """Check the inputs and outputs of the graph by their indices."""
    for what, ends in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        require(ends, f"a graph without {what}")
        require(len(set(ends)) == len(ends), f"a graph with the same {what} twice")
        _check_indices(ends, tensors, f"the graph's {what}")
        require(all(tensors[end].data is None for end in ends), f"the graph's {what} with a constant")


def _check_indices(indices: Iterable[int], tensors: list[Tensor], place: str) -> None:
    for index in indices:
        require(0 <= index < len(tensors), f"{place} with tensor {index} of {len(tensors)}")


def _name(operator: Record, codes: tuple[Record, ...], index: int) -> str:
    """Return the operator's name in the schema; raises Damaged for one that there is no rule for."""
    number = operator.opcode_index
    require(number < len(codes), f"operator {index}: code {number} of {len(codes)}")
    # Older writers fill in the first field only, which ends at 127.
    code = max(codes[number].builtin_code, codes[number].deprecated_builtin_code)
    name = OPERATORS[code] if 0 <= code < len(OPERATORS) else f"of number {code}"
    if name == _CUSTOM:
        custom = ascii((codes[number].custom_code or "")[:40])
        kind = "TensorFlow" if custom.startswith("'Flex") else "custom"
        raise Damaged(f"operator {index}: the {kind} operator {custom}, which the runtimes do not have")
    require_within(name in RULES, f"operator {index} {name}: one that lenet-edge has no check for")
    return name


def _operands(
    operator: Record, name: str, tensors: list[Tensor], ready: set[int]
) -> tuple[Record, tuple[Tensor | None, ...], tuple[Tensor, ...]]:
    """Return the operator's options, inputs and outputs."""
    rule = RULES[name]
    least, most, count = rule.least, rule.most, len(operator.inputs)
    wanted = f"{least} to {most}" if most > least else f"{least}"
    require(least <= count <= most, f"{counted(count, 'input')}, not {wanted}")
    _check_count_of_outputs(len(operator.outputs), rule)
    read = [index for index in operator.inputs if index != -1]
    _check_indices(read, tensors, "inputs")
    _check_indices(operator.outputs, tensors, "outputs")
    for index in read:
        require(index in ready, f"tensor {index} is read before it is written")
    for number, index in enumerate(operator.outputs):
        again = index in ready or index in operator.outputs[:number]
        require(not again, f"tensor {index} is written for the second time")
    _check_extras(operator)
    inputs = tuple(None if index == -1 else tensors[index] for index in operator.inputs)
    return _options(operator, rule), inputs, tuple(tensors[index] for index in operator.outputs)


def _check_count_of_outputs(count: int, rule: Rule) -> None:
    wanted = f"1 to {rule.most_outputs}" if rule.most_outputs > 1 else "1"
    require(1 <= count <= rule.most_outputs, f"{counted(count, 'output')}, not {wanted}")


def _check_extras(operator: Record) -> None:
    """Check that the operator has no fields that only other operators have."""
    custom = operator.large_custom_options_offset or operator.large_custom_options_size
    require(not custom and not len(operator.custom_options), "a custom operator's options")
    require(not any(operator.mutating_variable_inputs), "variables as inputs")
    require(not operator.intermediates, "intermediate tensors")
    require(operator.builtin_options_2 is None, "options of another operator")


def _options(operator: Record, rule: Rule) -> Record:
    options = operator.builtin_options
    if options is None:
        bare = not rule.options or not TABLES.fields[rule.options] or rule.optional
        require(bare, f"no {rule.options}")
        return Record(table=rule.options)
    require(options.table == rule.options, "options of another operator")
    return options


def _checked_output(node: Node) -> Output:
    """Return what each output of the node is, which must be what the file describes."""
    computed = RULES[node.name].function(node)
    for number, output in enumerate(node.outputs):
        shape = computed.shape_at(number)
        fits = len(shape) == len(output.shape) and all(
            free or side == wanted
            for side, wanted, free in zip(shape, output.shape, output.open, strict=True)
        )
        require(fits, f"an output of {shape_text(output.shape)}, not {shape_text(shape)}")
    return computed
