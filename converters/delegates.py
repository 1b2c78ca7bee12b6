"""Which delegates take a .tflite file, and how much of it, found out on this machine."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

from converters.environment import tf
from converters.tflite import quiet


def delegates_of(content: bytes) -> dict[str, str]:
    """Return a verdict for each delegate on the .tflite file `content`: "all", "14 of 17", "none".

    "xnnpack" is tried: TensorFlow's own interpreter takes the file and the nodes that are left are
    counted. "gpu" is the verdict of TensorFlow Lite's analyser, which knows the GPU delegate's rules;
    nothing runs on a GPU, and it says "all" or "not all".
    """
    return {"xnnpack": _xnnpack(content), "gpu": _gpu(content)}


def interpreter_of(content: bytes) -> Any:
    """Return TensorFlow's interpreter for `content`, one thread, tensors allocated, without its chatter."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "tf.lite.Interpreter is deprecated"
        interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


def nodes_left(interpreter: Any) -> list[str]:
    """Return the names of the operators that no delegate took.

    The nodes that a delegate took stay listed beside the one that stands for them, so this walks from
    the outputs back to the inputs, through the delegate's node wherever one makes the tensor.
    """
    nodes = interpreter._get_ops_details()
    makers = {int(tensor): node for node in nodes for tensor in node["outputs"]}  # a delegate's node comes last
    wanted = [detail["index"] for detail in interpreter.get_output_details()]
    reached: dict[int, str] = {}
    while wanted:
        node = makers.get(int(wanted.pop()))
        if node is not None and node["index"] not in reached:
            reached[node["index"]] = node["op_name"]
            wanted.extend(node["inputs"])
    return [name for name in reached.values() if name != "DELEGATE"]


def _xnnpack(content: bytes) -> str:
    interpreter = interpreter_of(content)
    count = sum(node["op_name"] != "DELEGATE" for node in interpreter._get_ops_details())
    taken = count - len(nodes_left(interpreter))
    return "all" if taken == count else f"{taken} of {count}" if taken else "none"


def _gpu(content: bytes) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), quiet():
        tf.lite.experimental.Analyzer.analyze(model_content=content, gpu_compatibility=True)
    return "all" if "looks compatible with GPU delegate" in printed.getvalue() else "not all"
