"""Count the nodes of a .tflite file that XNNPACK takes, by trial on this machine.

TensorFlow Lite's analyser has a verdict for the GPU delegate, but TensorFlow 2.21's calls every file
compatible, one with int64 additions and TOPK_V2 too, so it is not asked here.
"""

from __future__ import annotations

from converters.runtimes.execution_plan import node_count, nodes_left
from converters.runtimes.tensorflow_interpreter import interpreter_of


def xnnpack_takes(content: bytes) -> tuple[int, int]:
    """Return how many nodes of the .tflite file `content` XNNPACK takes, and how many there are.

    It is tried with TensorFlow's own interpreter, whose default delegate it is. Raises InputError when
    the interpreter refuses the file.
    """
    interpreter = interpreter_of(content)
    count = node_count(interpreter)
    return count - len(nodes_left(interpreter)), count


def verdict(taken: int, count: int) -> str:
    """Return "all", "13 of 16" or "none"."""
    return "all" if taken == count else f"{taken} of {count}" if taken else "none"
