"""Which delegates take a .tflite file, and how much of it, found out by trying on this machine.

TensorFlow Lite's analyser has a verdict for the GPU delegate, but TensorFlow 2.21's calls every file
compatible, one with int64 additions and TOPK_V2 too, so it is not asked here.
"""

from __future__ import annotations

from typing import Any

from converters.interpret import interpreter_of


def xnnpack_takes(content: bytes) -> tuple[int, int]:
    """Return how many nodes of the .tflite file `content` XNNPACK takes, and how many there are.

    It is tried with TensorFlow's own interpreter, whose default delegate it is. Raises InputError when
    the interpreter refuses the file.
    """
    interpreter = interpreter_of(content)
    count = sum(node["op_name"] != "DELEGATE" for node in interpreter._get_ops_details())
    return count - len(nodes_left(interpreter)), count


def verdict(taken: int, count: int) -> str:
    """Return "all", "13 of 16" or "none"."""
    return "all" if taken == count else f"{taken} of {count}" if taken else "none"


def nodes_left(interpreter: Any) -> list[str]:
    """Return the names of the operators that no delegate took.

    The nodes that a delegate took stay listed beside the one that stands for them, so this walks from
    the outputs back to the inputs, through the delegate's node wherever one makes the tensor.
    """
    nodes = interpreter._get_ops_details()
    makers = {
        int(tensor): node for node in nodes for tensor in node["outputs"]
    }  # a delegate's node comes last
    wanted = [detail["index"] for detail in interpreter.get_output_details()]
    reached: dict[int, str] = {}
    while wanted:
        node = makers.get(int(wanted.pop()))
        if node is not None and node["index"] not in reached:
            reached[node["index"]] = node["op_name"]
            wanted.extend(node["inputs"])
    return [name for name in reached.values() if name != "DELEGATE"]
