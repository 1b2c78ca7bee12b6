"""Find out which nodes of a file a delegate took, from any TensorFlow Lite interpreter."""

from __future__ import annotations

from converters.runtimes.interpreter_types import Interpreter


def node_count(interpreter: Interpreter) -> int:
    """Return how many nodes the file has; a delegate's own node does not count."""
    return sum(node["op_name"] != "DELEGATE" for node in interpreter._get_ops_details())


def nodes_left(interpreter: Interpreter) -> dict[int, str]:
    """Return the operators that no delegate took: names by index of the node.

    The nodes that a delegate took stay listed beside the node that replaces them. So this walks from the
    outputs back to the inputs, through the delegate's node wherever one computes the tensor.
    """
    nodes = interpreter._get_ops_details()
    makers = {int(tensor): node for node in nodes for tensor in node["outputs"]}  # a delegate's comes last
    wanted = [int(detail["index"]) for detail in interpreter.get_output_details()]
    reached: dict[int, str] = {}
    while wanted:
        node = makers.get(wanted.pop())
        if node is not None and node["index"] not in reached:
            reached[node["index"]] = node["op_name"]
            wanted.extend(int(tensor) for tensor in node["inputs"])
    return {index: name for index, name in reached.items() if name != "DELEGATE"}
