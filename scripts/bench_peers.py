"""Write the peers of the released float32 files: the same weights for ONNX Runtime and for ExecuTorch.

`python scripts/bench_peers.py FOLDER` writes NAME.onnx and NAME.pte (XNNPACK) for each NAME.tflite. The
weights are read from the .tflite file, so TensorFlow is not needed; onnx, torch and executorch are (`make
bench-peers`). Channels come first in both, as they want them: kernels are turned round here, and the picture
has one channel, so that nothing is turned round at run time. `lenet-edge benchmark --peers FOLDER` refuses a
peer whose scores are not the .tflite file's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from converters.base.errors import exit_status, expect
from converters.base.files import make_folder, write_atomically
from converters.base.options import command_parser
from converters.file.flatbuffer import read
from converters.file.soundness.tables import OPERATORS, TABLES
from lenet_edge.packaged.files import content_of

if TYPE_CHECKING:
    import torch

NAMES = ("lenet5_float32", "stock_lenet5_float32")


class Layer(NamedTuple):
    """An operator: `kind` "conv", "mean", "tanh", "dense" or "softmax"; channels first.

    `kernel` (out, in/groups, h, w) or (out, in), and `bias` (out,), float32, where it has them; `window` of
    a mean; `stride`, and the pixels of zeros to `pad` on every side.
    """

    kind: str
    kernel: np.ndarray | None = None
    bias: np.ndarray | None = None
    groups: int = 1
    window: int = 1
    stride: int = 1
    pad: int = 0


def layers(content: bytes) -> tuple[int, list[Layer]]:
    """Return the side of the picture and the operators of a float32 .tflite digit reader."""
    model = read(content, TABLES, root="Model", identifier=b"TFL3")
    graph = model.subgraphs[0]
    shapes = {index: tensor.shape for index, tensor in enumerate(graph.tensors)}
    found = []
    for operator in graph.operators:
        code = model.operator_codes[operator.opcode_index]
        name = OPERATORS[max(code.builtin_code, code.deprecated_builtin_code)]
        if name == "RESHAPE":  # a dense layer flattens, and C1 is put back to a pixel at once
            shapes[operator.outputs[0]] = shapes[operator.inputs[0]]
            continue
        constants = [_constant(graph.tensors[i], model.buffers) if i >= 0 else None for i in operator.inputs]
        found.append(_layer(name, operator.builtin_options, shapes[operator.inputs[0]], constants))
    return graph.tensors[graph.inputs[0]].shape[1], found


def _constant(tensor: Any, buffers: Any) -> Any:
    data = buffers[tensor.buffer].data
    return np.frombuffer(bytes(data), np.float32).reshape(tensor.shape) if len(data) else None


def _layer(name: str, options: Any, shape: tuple[int, ...], constants: list[Any]) -> Layer:
    """Return an operator whose input has `shape`, from its options and the inputs that are constant."""
    if name in ("TANH", "SOFTMAX"):
        return Layer(name.lower())
    if name == "AVERAGE_POOL_2D":
        return Layer("mean", window=options.filter_w, stride=options.stride_w)
    expect(name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), "an operator of a LeNet-5", name)
    kernel, bias = constants[1:3]
    if name == "FULLY_CONNECTED":
        maps = kernel.reshape(len(kernel), *shape[1:])
        turned = np.moveaxis(maps, -1, 1).reshape(len(kernel), -1)
        return Layer("dense", np.ascontiguousarray(turned), bias)
    if shape[3] == 1:
        kernel, bias = _a_pixel_at_once(kernel, bias)
    depthwise = name == "DEPTHWISE_CONV_2D"
    turned = np.ascontiguousarray(kernel.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)))
    same = options.padding == 0
    groups = len(turned) if depthwise else 1
    pad = kernel.shape[1] // 2 if same else 0
    return Layer("conv", turned, bias, groups, stride=options.stride_w, pad=pad)


def _a_pixel_at_once(kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return C1 as people export it; the released file computes as many pixels at once as it has channels.

    The picture has one channel; its columns are read as channels where there are more, and the first maps are
    those of the first pixel, in the first columns.
    """
    maps, size, pixels = len(kernel) // kernel.shape[3], kernel.shape[1], kernel.shape[3]
    return kernel.reshape(maps * pixels, size, -1, 1)[:maps, :, :size], bias[:maps]


def to_onnx(side: int, found: Sequence[Layer]) -> bytes:
    """Return the ONNX model: pixels (1, side, side, 1) to scores (1, 10)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    def add(kind: str, inputs: list[str], **options: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"t{len(nodes)}"], **options))
        return f"t{len(nodes) - 1}"

    last = add("Reshape", ["pixels", constant("first", np.array([1, 1, side, side], np.int64))])
    for index, layer in enumerate(found):
        weights = [
            constant(f"{what}{index}", value)
            for what, value in (("kernel", layer.kernel), ("bias", layer.bias))
            if value is not None
        ]
        if layer.kind == "conv":
            pads, strides = [layer.pad] * 4, [layer.stride] * 2
            last = add("Conv", [last, *weights], group=layer.groups, pads=pads, strides=strides)
        elif layer.kind == "mean":
            last = add("AveragePool", [last], kernel_shape=[layer.window] * 2, strides=[layer.stride] * 2)
        elif layer.kind == "dense":
            last = add("Gemm", [add("Flatten", [last]), *weights], transB=1)
        else:
            last = add(layer.kind.capitalize(), [last])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("pixels", [1, side, side, 1]), (last, [1, 10]))
    ]
    graph = helper.make_graph(nodes, "lenet", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def net(side: int, found: Sequence[Layer]) -> torch.nn.Module:
    """Return the layers as PyTorch runs them: pixels (1, side, side, 1) to scores (1, 10)."""
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.Sequential(*(_module(layer) for layer in found))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.steps(pixels.reshape(1, 1, side, side))

    return Net().eval()


def _module(layer: Layer) -> torch.nn.Module:
    import torch

    if layer.kind == "tanh":
        return torch.nn.Tanh()
    if layer.kind == "softmax":
        return torch.nn.Softmax(dim=-1)
    if layer.kind == "mean":
        return torch.nn.AvgPool2d(layer.window, layer.stride)
    assert layer.kernel is not None
    out, inner = layer.kernel.shape[0], layer.kernel.shape[1] * layer.groups
    bias = layer.bias is not None
    core: torch.nn.Module = torch.nn.Linear(inner, out, bias=bias)
    if layer.kind == "conv":
        size, stride, pad = layer.kernel.shape[2], layer.stride, layer.pad
        core = torch.nn.Conv2d(inner, out, size, stride, pad, groups=layer.groups, bias=bias)
    core.weight.data = torch.from_numpy(layer.kernel.copy())
    if layer.bias is not None:
        core.bias.data = torch.from_numpy(layer.bias.copy())
    return core if layer.kind == "conv" else torch.nn.Sequential(torch.nn.Flatten(), core)


def to_executorch(side: int, found: Sequence[Layer]) -> bytes:
    """Return the ExecuTorch program, whatever XNNPACK takes in XNNPACK."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    exported = torch.export.export(net(side, found), (torch.zeros(1, side, side, 1),))
    return to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch().buffer


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = command_parser(name="bench_peers.py", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write them")
    folder = parser.parse_args(argv).folder
    make_folder(folder)
    for name in NAMES:
        side, found = layers(content_of(f"{name}.tflite"))
        for suffix, write in ((".onnx", to_onnx), (".pte", to_executorch)):
            print(write_atomically(folder / f"{name}{suffix}", write(side, found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="bench_peers.py"))
