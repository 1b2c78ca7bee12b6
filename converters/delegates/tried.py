"""Audit by trial on this machine: XNNPACK in TensorFlow's interpreter, and TensorFlow Lite's analyser."""

from __future__ import annotations

import contextlib
import io

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.quiet import quiet
from converters.delegates.operator_rules import Verdict, verdict
from converters.file.graph import Graph, Node
from converters.file.manifest import parse
from converters.runtimes.execution_plan import nodes_left
from converters.runtimes.tensorflow_interpreter import interpreter_of


def xnnpack_verdicts(content: bytes, graph: Graph) -> list[Verdict]:
    """Return a verdict on each node of `graph`, the graph of the .tflite file `content`.

    TensorFlow's interpreter, whose default delegate XNNPACK is, is asked which nodes it still runs
    itself. Raises InputError when it refuses the file.
    """
    left = nodes_left(interpreter_of(content))
    return [verdict(node, _reason_left(node) if node.index in left else "") for node in graph.nodes]


def analyser_verdict(content: bytes) -> tuple[bool, str]:
    """Return whether TensorFlow Lite's analyser calls the file compatible with the GPU, and its full text.

    Not to be relied on: TensorFlow 2.21's calls every file compatible, one with TOPK_V2 or int64 additions
    too. Ask `audit(content, delegate="gpu")`. Raises InputError when `content` is no .tflite file.
    """
    parse(content)  # the analyser kills the process that gives it something else
    printed = io.StringIO()
    try:
        with quiet(), contextlib.redirect_stdout(printed):
            tf.lite.experimental.Analyzer.analyze(model_content=content, gpu_compatibility=True)
    except (ValueError, RuntimeError) as error:
        raise InputError("expected a .tflite file that the analyser reads, got another") from error
    text = printed.getvalue()
    return "Your model looks compatible with GPU delegate" in text, text


def _reason_left(node: Node) -> str:
    kinds = [tensor.type for tensor in (*node.inputs[:1], *node.outputs[:1]) if tensor is not None]
    return (
        f"{' to '.join(kinds)} {node.name} is left to TensorFlow Lite's own kernel "
        f"by XNNPACK of TensorFlow {tf.__version__} (tried here)"
    )
