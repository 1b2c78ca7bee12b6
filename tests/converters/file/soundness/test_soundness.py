"""A damaged .tflite file is refused in one line that names the place; a sound one passes."""

from __future__ import annotations

import importlib.util
import struct
from types import SimpleNamespace

import flatbuffers
import keras
import numpy as np
import pytest
from interpreter_children import outcomes
from other_nets import OTHER_NETS, other_net

from converters.base.environment import schema, tf
from converters.base.errors import InputError
from converters.file.flatbuffer import Damaged, described, read
from converters.file.graph import read_graph
from converters.file.soundness import check_sound, unchecked
from converters.file.soundness.operator_checks import RULES
from converters.model.conversion import to_tflite
from converters.model.quantize_aware import quantize_aware
from lenet_edge.packaged.files import released_folder

RELEASED = sorted(released_folder().glob("*.tflite"))
layers = keras.layers


def packed(model):
    builder = flatbuffers.Builder(1 << 17)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def edited(change):
    """Return `net()` with `change` made, which is called with its parts."""
    model = net()
    graph = model.subgraphs[0]
    change(SimpleNamespace(model=model, graph=graph, tensors=graph.tensors, operators=graph.operators))
    return packed(model)


def refusal(content):
    with pytest.raises(InputError) as error:
        check_sound(content, name="m.tflite")
    line = str(error.value)
    assert line.startswith("expected m.tflite to be a sound .tflite file, got ")
    return line.split(", got ", 1)[1]


@pytest.mark.parametrize("path", RELEASED, ids=[path.stem for path in RELEASED])
def test_a_released_file_passes(path):
    check_sound(path.read_bytes())


def test_a_net_of_our_own_passes():
    check_sound(NET)


@pytest.mark.parametrize("int8", [False, True], ids=["float32", "int8"])
@pytest.mark.parametrize("name", OTHER_NETS)
def test_what_the_converter_writes_of_other_nets_passes(name, int8):
    check_sound(other_net(name, int8=int8))


def put(thing, **fields):
    for name, value in fields.items():
        setattr(thing, name, value)


def scale(tensor, *scales, points=None, axis=0):
    quantization = schema.QuantizationParametersT()
    points = [0] * len(scales) if points is None else points
    put(quantization, scale=list(scales), zeroPoint=points, quantizedDimension=axis)
    tensor.quantization = quantization


def data(m, tensor, content):
    m.model.buffers[m.tensors[tensor].buffer].data = np.frombuffer(content, np.uint8)


def code(m, number, name, custom=None):
    builtin = getattr(schema.BuiltinOperator, name)
    m.model.operatorCodes.append(schema.OperatorCodeT())
    put(m.model.operatorCodes[-1], builtinCode=builtin, deprecatedBuiltinCode=min(builtin, 127))
    put(m.model.operatorCodes[-1], customCode=custom, version=1)
    m.operators[number].opcodeIndex = len(m.model.operatorCodes) - 1


def options(m, number, **fields):
    put(m.operators[number].builtinOptions, **fields)


def metadata(m, **fields):
    m.model.metadata[0] = schema.MetadataT()
    put(m.model.metadata[0], **fields)


def another_graph(m):
    m.model.subgraphs.append(m.graph)


def signature(m):
    return m.model.signatureDefs[0]


def real(*shape):
    return SimpleNamespace(type="FLOAT32", shape=shape, step=None, constant=None)


def whole(*shape, step=0.125, type="INT8"):
    return SimpleNamespace(type=type, shape=shape, step=step, constant=None)


def known(values):
    """A constant of int32."""
    values = np.array(values, np.int32)
    return SimpleNamespace(type="INT32", shape=values.shape, step=None, constant=values.tobytes())


def empty_model(tensors):
    """Return the object of a model with these tensors and no operator."""
    graph, model = schema.SubGraphT(), schema.ModelT()
    put(model, version=3, subgraphs=[graph], buffers=[schema.BufferT()], operatorCodes=[])
    put(graph, tensors=[], operators=[])
    for given in tensors:
        add_tensor(model, given)
    return model


def add_operator(model, name, inputs, *outputs, **options):
    operator, operators = schema.OperatorT(), model.subgraphs[0].operators
    operators.append(operator)
    put(operator, inputs=inputs, outputs=list(outputs))
    code(SimpleNamespace(model=model, operators=operators), -1, name)
    if kind := RULES[name].options:
        filled = getattr(schema, f"{kind}T")()
        put(filled, **options)
        put(operator, builtinOptionsType=getattr(schema.BuiltinOptions, kind), builtinOptions=filled)


def one_operator(name, inputs, output, **options):
    """Return a file of one operator; each input that is no constant is an input of the graph.

    `output`: a tensor, or a list of them.
    """
    outputs = output if isinstance(output, list) else [output]
    model = empty_model([*inputs, *outputs])
    made = list(range(len(inputs), len(inputs) + len(outputs)))
    add_operator(model, name, list(range(len(inputs))), *made, **options)
    free = [index for index, given in enumerate(inputs) if given.constant is None]
    put(model.subgraphs[0], inputs=free, outputs=made)
    return packed(model)


def add_tensor(model, given):
    tensor, buffer = schema.TensorT(), schema.BufferT()
    put(
        tensor,
        shape=list(given.shape),
        type=getattr(schema.TensorType, given.type),
        buffer=len(model.buffers),
    )
    steps = getattr(given, "steps", (given.step,))
    if all(steps):
        scale(tensor, *steps, points=[getattr(given, "zero_point", 0)] * len(steps))
    if given.constant is not None:
        buffer.data = np.frombuffer(given.constant, np.uint8)
    model.buffers.append(buffer)
    model.subgraphs[0].tensors.append(tensor)


def constant(type, *shape, step):
    size = np.prod(shape) * (4 if type == "INT32" else 1)
    return SimpleNamespace(type=type, shape=shape, step=step, constant=bytes(int(size)))


WINDOWS = [(6, 5, 5, 1), (1, 2, 2, 6), (16, 5, 5, 6), (1, 2, 2, 16), (120, 5, 5, 16)]
PICTURES = [(1, 28, 28, 6), (1, 14, 14, 6), (1, 10, 10, 16), (1, 5, 5, 16), (1, 1, 1, 120), (1, 84)]


def net():
    """Return the object of a net like LeNet-5 in int8, its weights 0: each kernel with its bias before it."""
    kernels = [constant("INT8", 10, 84, step=0.01)]
    for shape in [(84, 120), *reversed(WINDOWS)]:
        count = shape[3] if shape[0] == 1 else shape[0]
        step = 1.0 if shape == WINDOWS[0] else 2**-7
        kernels += [constant("INT32", count, step=step * 0.01), constant("INT8", *shape, step=0.01)]
    kernels[-2].steps = kernels[-1].steps = (0.01,) * 6
    computed = [part for shape in PICTURES for part in (whole(*shape), whole(*shape, step=2**-7))]
    last = SimpleNamespace(type="INT8", shape=(1, 10), step=2**-8, constant=None, zero_point=-128)
    ends = [whole(1, 32, 32, 1, step=1.0, type="UINT8"), whole(1, 10, step=2**-8, type="UINT8")]
    model = empty_model(
        [ends[0], *kernels, whole(1, 32, 32, 1, step=1.0), *computed, whole(1, 10), last, ends[1]]
    )
    graph = model.subgraphs[0]
    add_operator(model, "QUANTIZE", [0], 14)
    for number in range(6):
        name = "FULLY_CONNECTED" if number == 5 else ("CONV_2D", "DEPTHWISE_CONV_2D")[number % 2]
        inputs = [14 + 2 * number, 13 - 2 * number, 12 - 2 * number]
        stride = 1 + number % 2
        steps = {"strideW": stride, "strideH": stride, "padding": 1} if number < 5 else {}
        more = {"depthMultiplier": 1} if number in (1, 3) else {}
        add_operator(model, name, inputs, 15 + 2 * number, **steps, **more)
        add_operator(model, "TANH", [15 + 2 * number], 16 + 2 * number)
    add_operator(model, "FULLY_CONNECTED", [26, 1, -1], 27)
    add_operator(model, "SOFTMAX", [27], 28, beta=1.0)
    add_operator(model, "QUANTIZE", [28], 29)
    put(graph, inputs=[0], outputs=[29])
    add_names(model)
    return model


def add_names(model):
    """Add metadata in buffers 31 and 32 and a signature."""
    model.metadata, ends = [], []
    for name in (b"min_runtime_version", b"CONVERSION_METADATA"):
        model.metadata.append(schema.MetadataT())
        put(model.metadata[-1], name=name, buffer=len(model.buffers))
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.ones(16, np.uint8)
    for name, index in ((b"pixels", 0), (b"scores", 29)):
        ends.append(schema.TensorMapT())
        put(ends[-1], name=name, tensorIndex=index)
    model.signatureDefs = [schema.SignatureDefT()]
    put(model.signatureDefs[0], signatureKey=b"serving_default", inputs=ends[:1], outputs=ends[1:])


NET = packed(net())

# In net(): 1 CONV_2D reads tensors 14, 13 (6x5x5x1), 12 and writes 15; 2 TANH writes 16; 3
# DEPTHWISE_CONV_2D reads 16, 11, 10 and writes 17; 11 FULLY_CONNECTED; 14 SOFTMAX; 15 QUANTIZE.
MODEL = [
    ("version 4 of the schema, not 3", lambda m: put(m.model, version=4)),
    ("2 graphs, not 1", another_graph),
    ("a graph without operators", lambda m: put(m.graph, operators=[])),
    ("a graph without inputs", lambda m: put(m.graph, inputs=[])),
    ("a graph with the same inputs twice", lambda m: put(m.graph, inputs=[0, 0])),
    ("the graph's outputs with tensor 30 of 30", lambda m: put(m.graph, outputs=[30])),
    ("the graph's inputs with tensor -1 of 30", lambda m: put(m.graph, inputs=[-1])),
    ("the graph's inputs with a constant", lambda m: put(m.graph, inputs=[0, 1])),
    ("an output that no operator writes", lambda m: put(m.graph, outputs=[29, 0])),
    (
        "buffer 0: data where the format has none",
        lambda m: put(m.model.buffers[0], data=np.zeros(1, np.uint8)),
    ),
    ("buffer 4: data behind the tables", lambda m: put(m.model.buffers[4], offset=5000, size=64)),
    ("metadata 0: buffer 33 of 33", lambda m: metadata(m, name=b"min_runtime_version", buffer=33)),
    ("metadata 0: no name", lambda m: metadata(m, buffer=31)),
    ("metadata in buffer 33 of 33", lambda m: put(m.model, metadataBuffer=[33])),
    ("metadata in buffer -1 of 33", lambda m: put(m.model, metadataBuffer=[31, -1])),
    ("metadata in buffer 14, which holds tensor 13", lambda m: put(m.model, metadataBuffer=[14])),
    ("metadata 0: buffer 14, which holds tensor 13", lambda m: metadata(m, name=b"other", buffer=14)),
    (
        "metadata 0: control dependencies, which lenet-edge has no check for",
        lambda m: metadata(m, name=b"model_control_dependencies", buffer=31),
    ),
    ("signature 0: graph 1 of 1", lambda m: put(signature(m), subgraphIndex=1)),
    ("signature 0: no name", lambda m: put(signature(m), signatureKey=None)),
    ("signature 0: an input without a name", lambda m: put(signature(m).inputs[0], name=None)),
    ("two signatures of one name", lambda m: m.model.signatureDefs.append(signature(m))),
    ("constants outside of the file", lambda m: put(m.model, externalBuffers=[schema.ExternalBufferT()])),
    (
        "signature 0: tensor 28, which is no output of the graph",
        lambda m: put(signature(m).outputs[0], tensorIndex=28),
    ),
]
TENSORS = [
    ("tensor 3: type 5, which lenet-edge has no check for", lambda m: put(m.tensors[3], type=5)),
    ("tensor 3: buffer 33 of 33", lambda m: put(m.tensors[3], buffer=33)),
    ("tensor 13: 150 bytes for 6x5x5x2 int8 values", lambda m: put(m.tensors[13], shape=[6, 5, 5, 2])),
    ("tensor 12: 20 bytes for 6 int32 values", lambda m: data(m, 12, bytes(20))),
    ("tensor 15: a shape of 1x0x28x6", lambda m: put(m.tensors[15], shape=[1, 0, 28, 6])),
    ("tensor 15: a shape of 1x-28x28x6", lambda m: put(m.tensors[15], shape=[1, -28, 28, 6])),
    ("tensor 15: 5 dimensions, more than 4", lambda m: put(m.tensors[15], shape=[1, 28, 28, 6, 1])),
    (
        "tensor 15: 65536x65536 int8 values, more than 268435456 bytes",
        lambda m: put(m.tensors[15], shape=[65536, 65536]),
    ),
    (
        "tensor 15: a shape of 1x28x28x6 that is to be -1x28x28x7",
        lambda m: put(m.tensors[15], shapeSignature=[-1, 28, 28, 7]),
    ),
    ("tensor 15: 4 dimensions that are to be 1", lambda m: put(m.tensors[15], shapeSignature=[-1])),
    (
        "tensor 15: a variable, which lenet-edge has no check for",
        lambda m: put(m.tensors[15], isVariable=True),
    ),
    (
        "tensor 13: a sparse one, which lenet-edge has no check for",
        lambda m: put(m.tensors[13], sparsity=schema.SparsityParametersT()),
    ),
    (
        "tensor 15: a list of tensors, which lenet-edge has no check for",
        lambda m: put(m.tensors[15], variantTensors=[schema.VariantSubTypeT()]),
    ),
    ("tensor 13: a constant outside of the file", lambda m: put(m.tensors[13], externalBuffer=1)),
    ("tensor 15: a scale of 0.0", lambda m: scale(m.tensors[15], 0.0)),
    ("tensor 15: a scale of 2251799813685248.0", lambda m: scale(m.tensors[15], 2.0**51)),
    ("tensor 15: a scale of -1.0", lambda m: scale(m.tensors[15], -1.0)),
    ("tensor 15: a scale of nan", lambda m: scale(m.tensors[15], float("nan"))),
    ("tensor 15: a scale of inf", lambda m: scale(m.tensors[15], float("inf"))),
    ("tensor 15: a zero point of 128 for int8", lambda m: scale(m.tensors[15], 1.0, points=[128])),
    ("tensor 0: a zero point of -1 for uint8", lambda m: scale(m.tensors[0], 1.0, points=[-1])),
    ("tensor 12: a zero point of 1 for int32", lambda m: scale(m.tensors[12], 1.0, points=[1])),
    ("tensor 15: 1 scale and 2 zero points", lambda m: scale(m.tensors[15], 1.0, points=[0, 0])),
    (
        "tensor 13: a quantisation that lenet-edge has no check for",
        lambda m: put(m.tensors[13].quantization, detailsType=1, details=schema.CustomQuantizationT()),
    ),
    ("tensor 13: 5 scales for a side of 6", lambda m: scale(m.tensors[13], *[1.0] * 5)),
    ("tensor 13: scales for dimension 4 of 4", lambda m: scale(m.tensors[13], 1.0, axis=4)),
]
ORDER = [
    ("operator 2: code 16 of 16", lambda m: put(m.operators[2], opcodeIndex=16)),
    ("operator 2 LSTM: one that lenet-edge has no check for", lambda m: code(m, 2, "LSTM")),
    (
        "operator 2: the custom operator 'Mine', which the runtimes do not have",
        lambda m: code(m, 2, "CUSTOM", b"Mine"),
    ),
    (
        "operator 2: the TensorFlow operator 'FlexErf', which the runtimes do not have",
        lambda m: code(m, 2, "CUSTOM", b"FlexErf"),
    ),
    ("operator 2 TANH: tensor 16 is read before it is written", lambda m: put(m.operators[2], inputs=[16])),
    ("operator 0 CONV_2D: tensor 14 is read before it is written", lambda m: m.operators.pop(0)),
    (
        "operator 2 TANH: tensor 15 is written for the second time",
        lambda m: put(m.operators[2], outputs=[15]),
    ),
    (
        "operator 2 TANH: tensor 12 is written for the second time",
        lambda m: put(m.operators[2], outputs=[12]),
    ),
    ("operator 2 TANH: inputs with tensor -2 of 30", lambda m: put(m.operators[2], inputs=[-2])),
    ("operator 2 TANH: outputs with tensor -1 of 30", lambda m: put(m.operators[2], outputs=[-1])),
    ("operator 2 TANH: no input 0", lambda m: put(m.operators[2], inputs=[-1])),
    ("operator 2 TANH: 2 inputs, not 1", lambda m: put(m.operators[2], inputs=[15, 15])),
    ("operator 11 FULLY_CONNECTED: 1 input, not 2 to 3", lambda m: put(m.operators[11], inputs=[24])),
    ("operator 2 TANH: 2 outputs, not 1", lambda m: put(m.operators[2], outputs=[16, 17])),
    ("operator 2 TANH: intermediate tensors", lambda m: put(m.operators[2], intermediates=[1])),
    ("operator 2 TANH: variables as inputs", lambda m: put(m.operators[2], mutatingVariableInputs=[True])),
    (
        "operator 2 TANH: a custom operator's options",
        lambda m: put(m.operators[2], customOptions=np.ones(4, np.uint8)),
    ),
    (
        "operator 2 TANH: options of another operator",
        lambda m: put(
            m.operators[2],
            builtinOptionsType=schema.BuiltinOptions.AddOptions,
            builtinOptions=schema.AddOptionsT(),
        ),
    ),
    (
        "operator 2 TANH: options of another operator",
        lambda m: put(
            m.operators[2], builtinOptions2Type=1, builtinOptions2=schema.StablehloConcatenateOptionsT()
        ),
    ),
    (
        "operator 1 CONV_2D: no Conv2DOptions",
        lambda m: put(m.operators[1], builtinOptionsType=0, builtinOptions=None),
    ),
]
OPERATORS = [
    (
        "operator 1 CONV_2D: an output of 1x28x28x7, not 1x28x28x6",
        lambda m: put(m.tensors[15], shape=[1, 28, 28, 7]),
    ),
    ("operator 1 CONV_2D: strides of 1x0", lambda m: options(m, 1, strideW=0)),
    ("operator 1 CONV_2D: strides of 5000x1", lambda m: options(m, 1, strideH=5000)),
    ("operator 1 CONV_2D: dilations of 1x-1", lambda m: options(m, 1, dilationWFactor=-1)),
    ("operator 1 CONV_2D: a padding of number 2", lambda m: options(m, 1, padding=2)),
    (
        "operator 1 CONV_2D: a fused activation of number 4, which kernels do not know",
        lambda m: options(m, 1, fusedActivationFunction=4),
    ),
    (
        "operator 1 CONV_2D: windows of 41x5 in a picture of 1x32x32x1",
        lambda m: options(m, 1, dilationHFactor=10),
    ),
    ("operator 1 CONV_2D: no input 2", lambda m: put(m.operators[1], inputs=[14, 13, -1])),
    (
        "operator 1 CONV_2D: a bias of a type that kernels do not know",
        lambda m: options(m, 1, quantizedBiasType=9),
    ),
    (
        "operator 1 CONV_2D: a kernel of 3x5x5x2 int8 for 1 channels of int8",
        lambda m: (put(m.tensors[13], shape=[3, 5, 5, 2]), scale(m.tensors[13], 1.0)),
    ),
    (
        "operator 1 CONV_2D: a bias of int8 for int8",
        lambda m: put(m.tensors[12], type=9, shape=[24], quantization=None),
    ),
    (
        "operator 1 CONV_2D: a bias of 2x3 int32 with a kernel of 6x5x5x1 int8",
        lambda m: (put(m.tensors[12], shape=[2, 3]), scale(m.tensors[12], 1.0)),
    ),
    ("operator 1 CONV_2D: a bias with 1 scale, not 6", lambda m: scale(m.tensors[12], 1.0)),
    ("operator 1 CONV_2D: a bias of scale 1, not 0.01", lambda m: scale(m.tensors[12], *[1.0] * 6)),
    (
        "operator 1 CONV_2D: a kernel of int8 with a zero point",
        lambda m: scale(m.tensors[13], 1.0, points=[1]),
    ),
    (
        "operator 1 CONV_2D: a kernel with scales for dimension 1",
        lambda m: scale(m.tensors[13], *[1.0] * 5, axis=1),
    ),
    ("operator 1 CONV_2D: a kernel of int8 without a scale", lambda m: put(m.tensors[13], quantization=None)),
    (
        "operator 1 CONV_2D: tensor 15 of int8 with 6 scales",
        lambda m: scale(m.tensors[15], *[1.0] * 6, axis=3),
    ),
    (
        "operator 1 CONV_2D: a kernel of int8 that is computed",
        lambda m: put(m.tensors[13], buffer=14 + 1) or put(m.graph, inputs=[0, 13]),
    ),
    (
        "operator 1 CONV_2D: scales whose ratio is 1e+28, not between 0 and 256",
        lambda m: scale(m.tensors[15], 1e-30),
    ),
    (
        "operator 2 TANH: a scale other than 1/128 or a zero point other than 0",
        lambda m: scale(m.tensors[16], 0.1),
    ),
    (
        "operator 3 DEPTHWISE_CONV_2D: a depth multiplier of 2 with a kernel for 1",
        lambda m: options(m, 3, depthMultiplier=2),
    ),
    ("operator 3 DEPTHWISE_CONV_2D: 2 inputs, not 3", lambda m: put(m.operators[3], inputs=[16, 11])),
    (
        "operator 11 FULLY_CONNECTED: a kernel that is shuffled, which lenet-edge has no check for",
        lambda m: options(m, 11, weightsFormat=1),
    ),
    (
        "operator 11 FULLY_CONNECTED: a kernel of 120x84 int8 for 1x1x1x120 int8",
        lambda m: (put(m.tensors[3], shape=[120, 84]), put(m.tensors[2], shape=[84])),
    ),
    ("operator 14 SOFTMAX: a beta of 0", lambda m: options(m, 14, beta=0.0)),
    (
        "operator 14 SOFTMAX: a scale of 1e-09 with beta 1",
        lambda m: scale(m.tensors[27], 1e-9) or scale(m.tensors[1], 1e-9),
    ),
    ("operator 0 QUANTIZE: tensor 0 of type bool", lambda m: put(m.tensors[0], type=6, quantization=None)),
]


@pytest.mark.parametrize(("line", "change"), MODEL, ids=[line for line, _ in MODEL])
def test_what_a_file_refers_to_beside_its_graph_is_there(line, change):
    assert refusal(edited(change)) == line


@pytest.mark.parametrize(("line", "change"), TENSORS, ids=[line for line, _ in TENSORS])
def test_a_tensor_holds_together(line, change):
    assert refusal(edited(change)) == line


@pytest.mark.parametrize(("line", "change"), ORDER, ids=[line for line, _ in ORDER])
def test_operators_run_one_after_the_other(line, change):
    assert refusal(edited(change)) == line


@pytest.mark.parametrize(("line", "change"), OPERATORS, ids=[line for line, _ in OPERATORS])
def test_an_operator_makes_what_the_file_says(line, change):
    assert refusal(edited(change)) == line


POOL = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2, "padding": 1}
UP = {"strideW": 2, "strideH": 2, "padding": 1}
SLICE = [known([0, 1]), known([1, 4]), known([1, 1])]
PICTURE = real(1, 4, 6, 2)
ONE = {"strideW": 1, "strideH": 1}
UNKNOWN = "a fused activation of number 5, which kernels do not know"
DIFFERENT = "tensor 0 and tensor 2 with different scales or zero points"
BOOLS = [whole(4, type="BOOL", step=None)] * 2
SHIFTED = whole(4, type="INT16")
SHIFTED.zero_point = 5
SEVERAL = whole(2)
SEVERAL.steps = (0.5, 0.25)
WHOLE_PICTURE = whole(1, 4, 6, 2, type="INT32", step=None)
UNSIGNED_KERNEL = constant("UINT8", 2, 4, step=None)
UNSIGNED_KERNEL.steps = (0.5, 0.25)
KERNEL = SimpleNamespace(type="INT8", shape=(3, 4), step=0.1, constant=bytes(12))
# What it must say, "" where it is sound; the operator; its inputs, output and options.
SINGLE = [
    ("", "MAX_POOL_2D", [PICTURE], real(1, 2, 3, 2), POOL),
    ("strides of 0x2", "MAX_POOL_2D", [PICTURE], real(1, 2, 3, 2), {**POOL, "strideH": 0}),
    ("a window of 2x0", "AVERAGE_POOL_2D", [PICTURE], real(1, 2, 3, 2), {**POOL, "filterWidth": 0}),
    (
        "windows of 5x2 in a picture of 1x4x6x2",
        "AVERAGE_POOL_2D",
        [PICTURE],
        real(1, 2, 3, 2),
        {**POOL, "filterHeight": 5},
    ),
    ("a picture of 4x6 float32", "MAX_POOL_2D", [real(4, 6)], real(2, 3), POOL),
    (
        "tensor 0 and tensor 1 with different scales or zero points",
        "MAX_POOL_2D",
        [whole(1, 4, 6, 2)],
        whole(1, 2, 3, 2, step=0.25),
        POOL,
    ),
    ("", "TRANSPOSE_CONV", [known([1, 4, 6, 5]), real(5, 2, 2, 3), real(1, 2, 3, 3)], real(1, 4, 6, 5), UP),
    (
        "an output shape of 1x8x6x5 for a picture of 1x2x3x3 float32",
        "TRANSPOSE_CONV",
        [known([1, 8, 6, 5]), real(5, 2, 2, 3), real(1, 2, 3, 3)],
        real(1, 8, 6, 5),
        UP,
    ),
    (
        "a kernel of 5x2x2x4 float32 for 3 channels",
        "TRANSPOSE_CONV",
        [known([1, 4, 6, 5]), real(5, 2, 2, 4), real(1, 2, 3, 3)],
        real(1, 4, 6, 5),
        UP,
    ),
    (
        "an output shape of 1x4x6x-5",
        "TRANSPOSE_CONV",
        [known([1, 4, 6, -5]), real(5, 2, 2, 3), real(1, 2, 3, 3)],
        real(1, 4, 6, 5),
        UP,
    ),
    ("", "ADD", [real(1, 4), real(3, 1)], real(3, 4), {}),
    ("4 and 3 together", "ADD", [real(4), real(3)], real(4), {}),
    ("float32 and int8 together", "ADD", [real(4), whole(4)], real(4), {}),
    ("", "ADD", [whole(4), whole(4, step=2.0)], whole(4), {}),
    (
        "scales whose ratio is 20000, not between 0 and 16384",
        "ADD",
        [whole(4, type="INT16", step=20.0)] * 2,
        whole(4, type="INT16", step=0.001),
        {},
    ),
    (
        "scales whose ratio is 8, not between 0 and 1",
        "SQUARED_DIFFERENCE",
        [whole(4, step=64.0), whole(4)],
        whole(4),
        {},
    ),
    ("tensor 2 of type int8", "DIV", [whole(4), whole(4)], whole(4), {}),
    (
        "tensor 0 and tensor 1 with different scales or zero points",
        "MAXIMUM",
        [whole(4), whole(4, step=1.0)],
        whole(4),
        {},
    ),
    ("", "PRELU", [PICTURE, real(6, 2)], PICTURE, {}),
    ("slopes of 3x4x6x2 float32 for 1x4x6x2 float32", "PRELU", [PICTURE, real(3, 4, 6, 2)], PICTURE, {}),
    ("a slope of nan", "LEAKY_RELU", [real(4)], real(4), {"alpha": float("nan")}),
    (
        "a slope of 2, which kernels of int8 do not take",
        "LEAKY_RELU",
        [whole(4)],
        whole(4),
        {"alpha": 2.0},
    ),
    (
        "a scale other than 1/32768 or a zero point other than 0",
        "LOGISTIC",
        [whole(4, type="INT16")],
        whole(4, type="INT16"),
        {},
    ),
    ("", "EXP", [whole(4)], whole(4), {}),
    ("tensor 0 of type uint8", "EXP", [whole(4, type="UINT8")], whole(4, type="UINT8"), {}),
    ("tensor 0 of type int8", "CAST", [whole(4)], real(4), {}),
    ("", "DEQUANTIZE", [whole(4)], real(4), {}),
    (
        "tensor 0 of float16 that is computed",
        "DEQUANTIZE",
        [whole(4, type="FLOAT16", step=None)],
        real(4),
        {},
    ),
    ("", "RESHAPE", [PICTURE, known([2, -1])], real(2, 24), {}),
    ("1x4x6x2 float32 values for a shape of [5, -1]", "RESHAPE", [PICTURE, known([5, -1])], real(5, 9), {}),
    ("a shape of [-1, -1]", "RESHAPE", [PICTURE, known([-1, -1])], real(6, 8), {}),
    ("a shape of [-3, -16]", "RESHAPE", [PICTURE, known([-3, -16])], real(3, 16), {}),
    (
        "a shape that nothing tells before the file runs",
        "RESHAPE",
        [PICTURE, whole(2, type="INT32", step=None)],
        real(6, 8),
        {},
    ),
    ("a shape of type float32", "RESHAPE", [PICTURE, real(2)], real(6, 8), {}),
    ("", "SQUEEZE", [real(1, 4, 1)], real(4, 1), {"squeezeDims": [0]}),
    ("1x4x1 float32 without dimensions [1]", "SQUEEZE", [real(1, 4, 1)], real(1, 1), {"squeezeDims": [1]}),
    ("axis 3 of 3 dimensions", "SQUEEZE", [real(1, 4, 1)], real(1, 4), {"squeezeDims": [3]}),
    ("", "EXPAND_DIMS", [real(4), known(-1)], real(4, 1), {}),
    ("axis 2 of 2 dimensions", "EXPAND_DIMS", [real(4), known(2)], real(4, 1), {}),
    ("2 axes", "EXPAND_DIMS", [real(4), known([0, 1])], real(4, 1), {}),
    ("", "TRANSPOSE", [real(2, 3), known([1, 0])], real(3, 2), {}),
    ("an order of [1, 1] for 2x3 float32", "TRANSPOSE", [real(2, 3), known([1, 1])], real(3, 3), {}),
    ("an order of shape 2x1 int32", "TRANSPOSE", [real(2, 3), known([[1], [0]])], real(3, 2), {}),
    ("", "PAD", [real(2, 3), known([[1, 0], [0, 2]])], real(3, 5), {}),
    ("borders of [1, 0, 0, -2]", "PAD", [real(2, 3), known([[1, 0], [0, -2]])], real(3, 1), {}),
    ("borders of 1x2 int32", "PAD", [real(2, 3), known([[1, 0]])], real(3, 3), {}),
    (
        "a value of 2 float32",
        "PADV2",
        [real(2, 3), known([[1, 0], [0, 2]]), real(2)],
        real(3, 5),
        {},
    ),
    (
        "a border of 2 that mirrors a side of 2",
        "MIRROR_PAD",
        [real(2), known([[2, 0]])],
        real(4),
        {"mode": 0},
    ),
    ("a mode of number 2", "MIRROR_PAD", [real(2), known([[1, 0]])], real(3), {"mode": 2}),
    ("", "CONCATENATION", [real(2, 3), real(2, 4)], real(2, 7), {"axis": -1}),
    ("2x3 and 3x4 along axis 1", "CONCATENATION", [real(2, 3), real(3, 4)], real(2, 7), {"axis": 1}),
    ("axis 2 of 2 dimensions", "CONCATENATION", [real(2, 3), real(2, 4)], real(2, 7), {"axis": 2}),
    (
        "a fused activation, which kernels do not compute here",
        "CONCATENATION",
        [real(2), real(2)],
        real(4),
        {"axis": 0, "fusedActivationFunction": 1},
    ),
    ("", "PACK", [real(3), real(3)], real(3, 2), {"axis": 1, "valuesCount": 2}),
    ("3 values said to be packed", "PACK", [real(3), real(3)], real(3, 2), {"axis": 1, "valuesCount": 3}),
    ("inputs of different shapes", "PACK", [real(3), real(4)], real(2, 3), {"axis": 0, "valuesCount": 2}),
    ("", "STRIDED_SLICE", [real(2, 5), *SLICE], real(1, 3), {}),
    ("", "STRIDED_SLICE", [real(2, 5), *SLICE], real(3), {"shrinkAxisMask": 1}),
    (
        "a step of 0",
        "STRIDED_SLICE",
        [real(2, 5), *SLICE[:2], known([0, 1])],
        real(1, 3),
        {},
    ),
    (
        "a slice 1:4:-1 of 5, which holds nothing",
        "STRIDED_SLICE",
        [real(2, 5), *SLICE[:2], known([1, -1])],
        real(1, 3),
        {},
    ),
    (
        "index 2 of 2",
        "STRIDED_SLICE",
        [real(2, 5), known([2, 1]), *SLICE[1:]],
        real(3),
        {"shrinkAxisMask": 1},
    ),
    ("dimensions that a mask adds", "STRIDED_SLICE", [real(2, 5), *SLICE], real(1, 3), {"newAxisMask": 1}),
    ("a slice of 5 float32 in other dimensions", "STRIDED_SLICE", [real(5), *SLICE], real(3), {}),
    ("", "RESIZE_BILINEAR", [PICTURE, known([8, 12])], real(1, 8, 12, 2), {}),
    ("a size of [8, 0]", "RESIZE_BILINEAR", [PICTURE, known([8, 0])], real(1, 8, 12, 2), {}),
    (
        "two ways to align at once",
        "RESIZE_NEAREST_NEIGHBOR",
        [PICTURE, known([8, 12])],
        real(1, 8, 12, 2),
        {"alignCorners": True, "halfPixelCenters": True},
    ),
    ("", "MEAN", [PICTURE, known([1, -2])], real(1, 2), {}),
    ("", "MEAN", [PICTURE, known([1, 2])], real(1, 1, 1, 2), {"keepDims": True}),
    ("axis 4 of 4 dimensions", "MEAN", [PICTURE, known([4])], real(1, 2), {}),
    (
        "",
        "SPACE_TO_BATCH_ND",
        [PICTURE, known([2, 3]), known([[0, 0], [0, 0]])],
        real(6, 2, 2, 2),
        {},
    ),
    (
        "1x4x6x2 in blocks of 3x3",
        "SPACE_TO_BATCH_ND",
        [PICTURE, known([3, 3]), known([[0, 0], [0, 0]])],
        real(9, 2, 2, 2),
        {},
    ),
    (
        "a block of [0, 2]",
        "SPACE_TO_BATCH_ND",
        [PICTURE, known([0, 2]), known([[0, 0], [0, 0]])],
        real(1),
        {},
    ),
    (
        "1 pictures in blocks of 2x2",
        "BATCH_TO_SPACE_ND",
        [PICTURE, known([2, 2]), known([[0, 0], [0, 0]])],
        real(1, 8, 12, 2),
        {},
    ),
    (
        "4294967296 multiplications, more than 2147483648",
        "FULLY_CONNECTED",
        [real(65536, 64), real(1024, 64)],
        real(65536, 1024),
        {},
    ),
    (
        "16122904576 multiplications, more than 2147483648",
        "CONV_2D",
        [real(1, 512, 512, 8), real(8, 31, 31, 8), real(8)],
        real(1, 512, 512, 8),
        {"strideW": 1, "strideH": 1},
    ),
    ("a scalar", "SOFTMAX", [real()], real(), {"beta": 1.0}),
    (
        "a scale other than 1/256 or a zero point other than -128",
        "SOFTMAX",
        [whole(4)],
        whole(4),
        {"beta": 1.0},
    ),
    (UNKNOWN, "ADD", [real(4), real(4)], real(4), {"fusedActivationFunction": 5}),
    (UNKNOWN, "MUL", [real(4), real(4)], real(4), {"fusedActivationFunction": 5}),
    (UNKNOWN, "DIV", [real(4), real(4)], real(4), {"fusedActivationFunction": 5}),
    (UNKNOWN, "MAX_POOL_2D", [PICTURE], real(1, 2, 3, 2), {**POOL, "fusedActivationFunction": 5}),
    (UNKNOWN, "FULLY_CONNECTED", [real(1, 4), real(3, 4)], real(1, 3), {"fusedActivationFunction": 5}),
    ("float32 and int8 together", "PRELU", [PICTURE, whole(6, 2)], PICTURE, {}),
    (
        "tensor 1 of float32 with a scale",
        "PRELU",
        [PICTURE, whole(6, 2, type="FLOAT32")],
        PICTURE,
        {},
    ),
    ("tensor 1 of type float32", "QUANTIZE", [real(4)], real(4), {}),
    ("tensor 0 of type int32", "DEQUANTIZE", [whole(4, type="INT32", step=None)], real(4), {}),
    ("tensor 1 of type int8", "DEQUANTIZE", [whole(4)], whole(4), {}),
    ("tensor 0 with several scales", "DEQUANTIZE", [SEVERAL], real(2), {}),
    ("tensor 0 of int8 with 0 scales", "DEQUANTIZE", [whole(4, step=None)], real(4), {}),
    ("tensor 1 of type int8", "CAST", [real(4)], whole(4), {}),
    ("tensor 1 of type int32", "RELU", [real(4)], whole(4, type="INT32", step=None), {}),
    ("float32 and int8 together", "RELU", [real(4)], whole(4), {}),
    ("tensor 2 of type bool", "MAXIMUM", [real(4), real(4)], whole(4, type="BOOL", step=None), {}),
    ("tensor 0 of int16 with a zero point", "RELU", [SHIFTED], whole(4, type="INT16"), {}),
    ("tensor 1 of float32 with a scale", "RELU", [real(4)], whole(4, type="FLOAT32"), {}),
    ("a shape of 5 dimensions", "RESHAPE", [PICTURE, known([1, 1, 1, 6, 8])], real(6, 8), {}),
    ("a shape of 9 int32", "RESHAPE", [PICTURE, known([1] * 8 + [48])], real(48), {}),
    ("tensor 0 of type bool", "RESHAPE", [whole(4, type="BOOL", step=None), known([4])], real(4), {}),
    (DIFFERENT, "RESHAPE", [whole(4), known([4])], whole(4, step=1.0), {}),
    ("tensor 0 of type bool", "PACK", BOOLS, real(2, 4), {"valuesCount": 2}),
    ("tensor 0 of type bool", "CONCATENATION", BOOLS, real(8), {}),
    ("int8 and float32 together", "PACK", [real(4), real(4)], whole(2, 4), {"valuesCount": 2}),
    ("int8 and float32 together", "CONCATENATION", [real(4), real(4)], whole(8), {}),
    ("tensor 1 of type float32", "SHAPE", [PICTURE], real(4), {"outType": 2}),
    ("a shape of 1x4x6x2 float32", "SHAPE", [PICTURE], whole(4, type="INT32", step=None), {"outType": 4}),
    (
        "ends that are offsets, which lenet-edge has no check for",
        "STRIDED_SLICE",
        [real(2, 5), *SLICE],
        real(1, 3),
        {"offset": True},
    ),
    (
        "a border of [(4, 4), (0, 0)] of 4x4x6x2 float32",
        "BATCH_TO_SPACE_ND",
        [real(4, 4, 6, 2), known([2, 2]), known([[4, 4], [0, 0]])],
        real(1, 1, 12, 2),
        {},
    ),
    (
        "a picture of 4x6x2 float32",
        "BATCH_TO_SPACE_ND",
        [real(4, 6, 2), known([2, 2]), known([[0, 0], [0, 0]])],
        real(1, 12, 2),
        {},
    ),
    ("a picture of 4x6x2 float32", "RESIZE_BILINEAR", [real(4, 6, 2), known([8, 12])], real(4, 8, 12), {}),
    ("tensor 0 of type int32", "RESIZE_BILINEAR", [WHOLE_PICTURE, known([8, 12])], WHOLE_PICTURE, {}),
    ("tensor 0 of type int32", "MEAN", [WHOLE_PICTURE, known([1, 2])], real(1, 2), {}),
    ("float32 and int8 together", "MEAN", [PICTURE, known([1, 2])], whole(1, 2), {}),
    (DIFFERENT, "REDUCE_MAX", [whole(4), known([0])], whole(step=1.0), {}),
    (
        "float32 and int8 together",
        "PADV2",
        [real(2), known([[1, 0]]), whole()],
        real(3),
        {},
    ),
    ("a kernel of 8x3x3 float32", "CONV_2D", [PICTURE, real(8, 3, 3), real(8)], PICTURE, ONE),
    ("a kernel of 8x3x3 float32", "FULLY_CONNECTED", [real(1, 9), real(8, 3, 3)], real(1, 8), {}),
    (
        "a kernel of 1x1x1x3 float32 for 2 channels",
        "DEPTHWISE_CONV_2D",
        [PICTURE, real(1, 1, 1, 3), real(3)],
        real(1, 4, 6, 3),
        {**ONE, "depthMultiplier": 1},
    ),
    (
        "a bias of 3 float32 with a kernel of 1x1x1x2 float32",
        "DEPTHWISE_CONV_2D",
        [PICTURE, real(1, 1, 1, 2), real(3)],
        PICTURE,
        {**ONE, "depthMultiplier": 1},
    ),
    (
        "a bias of 3 float32 with a kernel of 5x2x2x3 float32",
        "TRANSPOSE_CONV",
        [known([1, 4, 6, 5]), real(5, 2, 2, 3), real(1, 2, 3, 3), real(3)],
        real(1, 4, 6, 5),
        UP,
    ),
    (
        "a bias of a type that kernels do not know",
        "TRANSPOSE_CONV",
        [known([1, 4, 6, 5]), real(5, 2, 2, 3), real(1, 2, 3, 3)],
        real(1, 4, 6, 5),
        {**UP, "quantizedBiasType": 9},
    ),
    (
        "a bias of a type that kernels do not know",
        "FULLY_CONNECTED",
        [real(1, 4), real(3, 4)],
        real(1, 3),
        {"quantizedBiasType": 9},
    ),
    (
        "a bias of 2 float32 with a kernel of 3x4 float32",
        "FULLY_CONNECTED",
        [real(1, 4), real(3, 4), real(2)],
        real(1, 3),
        {},
    ),
    (
        "a kernel of uint8 with several scales",
        "FULLY_CONNECTED",
        [whole(1, 4, type="UINT8"), UNSIGNED_KERNEL],
        whole(1, 2, type="UINT8"),
        {},
    ),
    (
        "rows of int16 in 2x2x4 int16",
        "FULLY_CONNECTED",
        [whole(2, 2, 4, type="INT16"), KERNEL],
        whole(2, 2, 3, type="INT16"),
        {"keepNumDims": True},
    ),
    ("tensor 0 of type int32", "MAX_POOL_2D", [WHOLE_PICTURE], WHOLE_PICTURE, POOL),
    ("tensor 0 of type bool", "FULLY_CONNECTED", [BOOLS[0], real(3, 4)], real(1, 3), {}),
    ("float32 and int8 together", "FULLY_CONNECTED", [real(1, 4), real(3, 4)], whole(1, 3), {}),
    (
        "a kernel of float32 for int8",
        "FULLY_CONNECTED",
        [whole(1, 4), real(3, 4)],
        whole(1, 3),
        {},
    ),
    (
        "a bias of integers that is computed",
        "FULLY_CONNECTED",
        [whole(1, 4), KERNEL, whole(3, type="INT32")],
        whole(1, 3),
        {},
    ),
    ("", "UNPACK", [real(2, 3)], [real(3), real(3)], {"num": 2, "axis": 0}),
    ("", "UNPACK", [whole(2, 3)], [whole(2)] * 3, {"num": 3, "axis": -1}),
    ("3 parts said to be made, for 2 outputs", "UNPACK", [real(3)], [real(), real()], {"num": 3, "axis": 0}),
    ("2 slices of 3 float32 along axis 0", "UNPACK", [real(3)], [real(), real()], {"num": 2, "axis": 0}),
    ("axis 1 of 1 dimensions", "UNPACK", [real(2)], [real(), real()], {"num": 2, "axis": 1}),
    ("an output of 2, not 3", "UNPACK", [real(2, 3)], [real(3), real(2)], {"num": 2, "axis": 0}),
    ("int8 and float32 together", "UNPACK", [whole(2)], [whole(), real()], {"num": 2, "axis": 0}),
    (
        "tensor 0 and tensor 2 with different scales or zero points",
        "UNPACK",
        [whole(2)],
        [whole(), whole(step=1.0)],
        {"num": 2, "axis": 0},
    ),
    ("65 outputs, not 1 to 64", "UNPACK", [real(65)], [real()] * 65, {"num": 65, "axis": 0}),
    ("", "SPLIT", [known(1), real(2, 6)], [real(2, 3), real(2, 3)], {"numSplits": 2}),
    ("", "SPLIT", [known([-1]), whole(2, 6)], [whole(2, 2)] * 3, {"numSplits": 3}),
    (
        "4 parts of 2x6 float32 along axis 1",
        "SPLIT",
        [known(1), real(2, 6)],
        [real(2, 1)] * 4,
        {"numSplits": 4},
    ),
    ("0 parts said to be made, for 1 outputs", "SPLIT", [known(1), real(2, 6)], real(2, 6), {"numSplits": 0}),
    ("axis 2 of 2 dimensions", "SPLIT", [known(2), real(2, 6)], [real(2, 3)] * 2, {"numSplits": 2}),
    ("2 axes", "SPLIT", [known([0, 1]), real(2, 6)], [real(1, 6)] * 2, {"numSplits": 2}),
    (
        "an axis that nothing tells before the file runs",
        "SPLIT",
        [whole(type="INT32", step=None), real(2, 6)],
        [real(2, 3)] * 2,
        {"numSplits": 2},
    ),
    ("", "SPLIT_V", [real(6), known([2, -1]), known(0)], [real(2), real(4)], {"numSplits": 2}),
    (
        "parts of [2, 3] of 6 float32 along axis 0",
        "SPLIT_V",
        [real(6), known([2, 3]), known(0)],
        [real(2), real(3)],
        {"numSplits": 2},
    ),
    (
        "parts of [-1, -1] of 6 float32 along axis 0",
        "SPLIT_V",
        [real(6), known([-1, -1]), known(0)],
        [real(3), real(3)],
        {"numSplits": 2},
    ),
    (
        "parts of [8, -2] of 6 float32 along axis 0",
        "SPLIT_V",
        [real(6), known([8, -2]), known(0)],
        [real(8), real(2)],
        {"numSplits": 2},
    ),
    (
        "1 sizes for 2 outputs",
        "SPLIT_V",
        [real(6), known([6]), known(0)],
        [real(6), real(6)],
        {"numSplits": 2},
    ),
    (
        "an output of 3, not 4",
        "SPLIT_V",
        [real(6), known([2, 4]), known(0)],
        [real(2), real(3)],
        {"numSplits": 2},
    ),
    ("", "GATHER", [real(4, 3), known([[0, 3]])], real(1, 2, 3), {"axis": 0}),
    ("", "GATHER", [real(4, 3), whole(2, type="INT64", step=None)], real(4, 2), {"axis": -1}),
    ("index [4] of 4x3 float32 along axis 0", "GATHER", [real(4, 3), known([4])], real(1, 3), {"axis": 0}),
    ("index [-1] of 4x3 float32 along axis 0", "GATHER", [real(4, 3), known([-1])], real(1, 3), {"axis": 0}),
    ("axis 2 of 2 dimensions", "GATHER", [real(4, 3), known([0])], real(4, 3), {"axis": 2}),
    (
        "batches of indices, which lenet-edge has no check for",
        "GATHER",
        [real(4, 3), known([0])],
        real(4, 3),
        {"axis": 0, "batchDims": 1},
    ),
    ("tensor 1 of type float32", "GATHER", [real(4, 3), real(2)], real(2, 3), {"axis": 0}),
    ("an output of 3x3, not 2x3", "GATHER", [real(4, 3), known([0, 1])], real(3, 3), {"axis": 0}),
    (
        "tensor 0 and tensor 2 with different scales or zero points",
        "GATHER",
        [whole(4, 3), known([0])],
        whole(1, 3, step=1.0),
        {"axis": 0},
    ),
    ("", "BATCH_MATMUL", [real(5, 2, 3), real(1, 3, 4)], real(5, 2, 4), {}),
    ("", "BATCH_MATMUL", [real(3, 2), real(4, 3)], real(2, 4), {"adjX": True, "adjY": True}),
    ("", "BATCH_MATMUL", [whole(2, 3), whole(3, 4)], whole(2, 4), {}),
    ("products of 2x3 float32 and 4x3 float32", "BATCH_MATMUL", [real(2, 3), real(4, 3)], real(2, 4), {}),
    ("5 and 2 together", "BATCH_MATMUL", [real(5, 2, 3), real(2, 3, 4)], real(5, 2, 4), {}),
    ("a matrix of 3 float32", "BATCH_MATMUL", [real(3), real(3, 4)], real(4), {}),
    ("float32 and int8 together", "BATCH_MATMUL", [real(2, 3), whole(3, 4)], real(2, 4), {}),
    ("tensor 0 of type uint8", "BATCH_MATMUL", [whole(2, 3, type="UINT8")] * 2, real(2, 3), {}),
    (
        "4294967296 multiplications, more than 2147483648",
        "BATCH_MATMUL",
        [real(2048, 2048), real(2048, 1024)],
        real(2048, 1024),
        {},
    ),
    (
        "400000000 bytes in all, more than 268435456",
        "TANH",
        [real(50_000_000)],
        real(50_000_000),
        {},
    ),
]


@pytest.mark.parametrize(
    ("line", "name", "inputs", "output", "options"), SINGLE, ids=[f"{one[1]}: {one[0]}" for one in SINGLE]
)
def test_an_operator_by_itself_is_sound_or_refused(line, name, inputs, output, options):
    content = one_operator(name, inputs, output, **options)
    if line:
        assert refusal(content) == f"operator 0 {name}: {line}"
    else:
        check_sound(content)


RUNS = [
    (package, kernels)
    for package in ("tflite_runtime", "ai_edge_litert")
    for kernels in ("BUILTIN_REF", "AUTO")
    if importlib.util.find_spec(package)
]


def taken(contents, folder):
    """Return of each file whether every runtime here takes it and survives it, with any kernels it has."""
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    found = [outcomes(*run, folder, len(contents)) for run in RUNS]
    return [set(each) == {"ran"} for each in zip(*found, strict=True)]


def with_ratio(ratio):
    """Yield a file of int8 of each operator whose kernels multiply by `ratio`."""

    def one(*shape, step=1.0):
        return whole(*shape, step=step)

    out, bias = 1 / ratio, constant("INT32", 3, step=1.0)
    moves = {"strideW": 1, "strideH": 1, "padding": 1}
    yield "RELU", one_operator("RELU", [one(4, 3)], one(4, 3, step=out))
    yield "LEAKY_RELU", one_operator("LEAKY_RELU", [one(4, 3)], one(4, 3, step=out), alpha=0.3)
    yield "QUANTIZE", one_operator("QUANTIZE", [one(4, 3)], one(4, 3, step=out))
    for name in ("ADD", "SUB", "MUL"):
        yield name, one_operator(name, [one(4, 3), one(4, 3)], one(4, 3, step=out))
    yield "SUM", one_operator("SUM", [one(1, 4, 3), known([1])], one(1, 3, step=out))
    dense = [one(2, 4), constant("INT8", 3, 4, step=1.0), bias]
    yield "FULLY_CONNECTED", one_operator("FULLY_CONNECTED", dense, one(2, 3, step=out))
    conv = [one(1, 4, 4, 2), constant("INT8", 3, 2, 2, 2, step=1.0), bias]
    yield "CONV_2D", one_operator("CONV_2D", conv, one(1, 3, 3, 3, step=out), **moves)
    yield "HARD_SWISH", one_operator("HARD_SWISH", [one(4, 3)], one(4, 3, step=out))
    slopes = constant("INT8", 1, 1, 4, step=1.0)
    yield "PRELU", one_operator("PRELU", [one(1, 2, 3, 4), slopes], one(1, 2, 3, 4, step=out))


@pytest.mark.skipif(not RUNS, reason="neither tflite-runtime nor LiteRT is installed")
@pytest.mark.parametrize("power", [6.5, 7.5, 8.5, 18.5, 19.5, 90.0])
def test_scales_are_refused_where_a_runtime_refuses_them_or_dies(tmp_path, power):
    files = dict(with_ratio(2.0**power))
    sound = {}
    for name, content in files.items():
        try:
            check_sound(content)
            sound[name] = True
        except InputError as error:
            assert "scales whose ratio is" in str(error)
            sound[name] = False
    assert sound == dict(zip(files, taken([*files.values()], tmp_path), strict=True))


NEVER = {"bias_initializer": keras.initializers.Constant(-100.0)}
# Each is 0 for all calibration data: the converter makes the scale of what it gives 2^-27.
ALWAYS_ZERO = {
    "RELU": lambda x: layers.ReLU()(layers.Conv2D(3, 1, **NEVER)(x)[:, ::2]),
    "LEAKY_RELU": lambda x: layers.LeakyReLU(negative_slope=0.0)(
        layers.MaxPooling2D()(layers.Conv2D(3, 1, **NEVER)(x))
    ),
    "PRELU": lambda x: layers.PReLU(shared_axes=[1, 2])(
        layers.MaxPooling2D()(layers.Conv2D(3, 1, **NEVER)(x))
    ),
    "MUL": lambda x: layers.Activation("swish")(layers.Conv2D(3, 1, **NEVER)(x)),
    "GELU": lambda x: layers.Activation("gelu")(layers.Conv2D(3, 1, **NEVER)(x)),
    "EXP": lambda x: keras.ops.exp(layers.Conv2D(3, 1, **NEVER)(x)),
    "ABS": lambda x: keras.ops.abs(layers.ReLU()(layers.Conv2D(3, 1, **NEVER)(x)[:, ::2])),
    "SUM": lambda x: layers.ReLU()(keras.ops.sum(layers.Conv2D(3, 1, **NEVER)(x), axis=(1, 2))),
}


@pytest.fixture(scope="module")
def always_zero(pixels):
    """Return the file of each net in which a tensor is always 0."""
    files = {}
    for name, body in ALWAYS_ZERO.items():
        keras.utils.set_random_seed(1)
        x = keras.Input((12, 12, 1))
        files[name] = to_tflite(keras.Model(x, body(x)), precision="int8", calibration=pixels / 255).content
    return files


@pytest.mark.parametrize("name", ALWAYS_ZERO)
def test_a_tensor_that_is_always_0_passes(name, always_zero):
    assert name in {node.name for node in read_graph(always_zero[name]).nodes}
    check_sound(always_zero[name])


@pytest.mark.skipif(not RUNS, reason="neither tflite-runtime nor LiteRT is installed")
def test_every_runtime_takes_a_tensor_that_is_always_0(always_zero, tmp_path):
    found = taken([*always_zero.values()], tmp_path)
    assert dict(zip(always_zero, found, strict=True)) == dict.fromkeys(ALWAYS_ZERO, True)


def keras_net():
    """What stock Keras nets are made of."""
    keras.utils.set_random_seed(5)
    x = keras.Input((12, 12, 1))
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", use_bias=False)(x)))
    y = layers.Dropout(0.2)(layers.MaxPooling2D(2)(y))
    z = layers.DepthwiseConv2D(3, padding="same", activation="sigmoid")(y)
    y = layers.ZeroPadding2D(1)(layers.Concatenate()([layers.Add()([y, z]), y]))
    y = layers.LeakyReLU()(layers.SeparableConv2D(6, 3, strides=2, activation="tanh")(y))
    y = layers.Multiply()([layers.GlobalAveragePooling2D()(y), layers.GlobalMaxPooling2D()(y)])
    return keras.Model(x, layers.Dense(10, activation="softmax")(layers.Flatten()(y)))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(3).integers(0, 256, (40, 12, 12, 1)).astype(np.float32)


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_stock_keras_nets_pass(precision, pixels):
    check_sound(to_tflite(keras_net(), precision=precision, calibration=pixels).content)


def test_a_net_for_any_number_of_pictures_passes():
    check_sound(tf.lite.TFLiteConverter.from_keras_model(keras_net()).convert())


BEYOND = [
    ("2 graphs, not 1", another_graph),
    (
        "tensor 15: a variable, which lenet-edge has no check for",
        lambda m: put(m.tensors[15], isVariable=True),
    ),
    ("operator 2 LSTM: one that lenet-edge has no check for", lambda m: code(m, 2, "LSTM")),
    ("tensor 15: 5 dimensions, more than 4", lambda m: put(m.tensors[15], shape=[1, 28, 28, 6, 1])),
    (
        "operator 11 FULLY_CONNECTED: a kernel that is shuffled, which lenet-edge has no check for",
        lambda m: options(m, 11, weightsFormat=1),
    ),
]


@pytest.mark.parametrize(("what", "change"), BEYOND, ids=[what for what, _ in BEYOND])
def test_what_goes_beyond_the_check_is_told_from_damage(what, change):
    assert unchecked(edited(change)) == what
    assert refusal(edited(change)) == what


def test_a_sound_file_has_nothing_beyond_the_check():
    assert unchecked(NET) == ""


@pytest.mark.parametrize("content", [b"text, and no model at all", NET[:200]])
def test_a_damaged_file_is_not_beyond_the_check(content):
    with pytest.raises(InputError, match="^expected a.tflite to be a sound .tflite file, got "):
        unchecked(content, name="a.tflite")


@pytest.mark.parametrize("bits", [4, 8])
def test_fine_tuned_nets_with_int8_ends_pass(bits, pixels):
    x = keras.Input((12, 12, 1))
    y = layers.Dense(4)(layers.Flatten()(layers.Conv2D(2, 3, activation="tanh")(x)))
    exact = keras.Model(x, layers.Softmax()(y))
    model = quantize_aware(exact, calibration=pixels, weight_bits=bits)
    check_sound(to_tflite(model, precision="int8", ends="int8").content)


def test_a_shape_that_is_computed_from_a_known_one_passes():
    @tf.function(input_signature=[tf.TensorSpec((None, 6, 6, 1))])
    def flat(x):
        return tf.nn.softmax(tf.matmul(tf.reshape(tf.nn.relu(x), [tf.shape(x)[0], 36]), tf.ones((36, 10))))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([flat.get_concrete_function()], flat)
    content = converter.convert()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    used = {one.builtinCode for one in model.operatorCodes}
    assert used >= {getattr(schema.BuiltinOperator, name) for name in ("SHAPE", "STRIDED_SLICE", "PACK")}
    check_sound(content)


# From here on: offsets, before anything has a meaning.


def changed(format, at, value):
    content = bytearray(NET)
    struct.pack_into(format, content, at, value)
    return bytes(content)


ROOT = struct.unpack_from("<I", NET)[0]
FIELDS = ROOT - struct.unpack_from("<i", NET, ROOT)[0]
NAME = NET.index(b"serving_default\0")
BYTES = [
    ("0 bytes", b""),
    ("another kind of file", b"text, and no model at all"),
    ("the root beyond the file's end", changed("<I", 0, 0xFFFFFFFF)),
    ("the root beyond the file's end", changed("<I", 0, 0)),
    (f"the root at byte {ROOT + 2}, which is no multiple of 4", changed("<I", 0, ROOT + 2)),
    ("the root beyond the file's end", changed("<i", ROOT, 0x7FFFFFFF)),
    ("the root with a broken list of fields", changed("<H", FIELDS, 3)),
    ("the root with a broken size", changed("<H", FIELDS + 2, 2)),
    ("the root with a field outside of it", changed("<H", FIELDS + 4, 4096)),
    ("the root beyond the file's end", NET[: ROOT + 4]),
    ("signature_defs[0].signature_key beyond the file's end", changed("<I", NAME - 4, 0x7FFFFFF0)),
]


@pytest.mark.parametrize(("line", "content"), BYTES)
def test_an_offset_is_followed_within_the_file_only(line, content):
    assert refusal(content) == line


@pytest.mark.parametrize("size", range(1000, len(NET), 6900))
def test_a_file_that_was_cut_short_is_refused(size):
    assert refusal(NET[:size])


def test_a_name_that_is_no_text_is_refused():
    content = NET.replace(b"serving_default\0", b"serving_def\xffult\0")
    assert refusal(content) == "signature_defs[0].signature_key that is no UTF-8"


def test_a_name_without_an_end_is_refused():
    content = NET.replace(b"serving_default\0", b"serving_defaultX")
    assert refusal(content) == "signature_defs[0].signature_key without an end"


PAIRS = described(
    {"Top": "many:[Leaf] kind_type:ubyte kind:Kind", "Leaf": "numbers:[int]"}, {"Kind": {1: "Leaf"}}
)


def pairs(builder, *, leaves=1, kind=0, extra=False):
    """Return a flatbuffer of `PAIRS` whose `leaves` are all the same table."""
    builder.StartVector(4, 100, 4)
    for _ in range(100):
        builder.PrependInt32(7)
    numbers = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, numbers, 0)
    leaf = builder.EndObject()
    builder.StartVector(4, leaves, 4)
    for _ in range(leaves):
        builder.PrependUOffsetTRelative(leaf)
    many = builder.EndVector()
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(0, many, 0)
    builder.PrependUint8Slot(1, kind, 0)
    if extra:
        builder.PrependInt32Slot(3, 5, 0)
    builder.Finish(builder.EndObject(), b"PAIR")
    return bytes(builder.Output())


def test_a_flatbuffer_is_read():
    record = read(pairs(flatbuffers.Builder()), PAIRS, root="Top", identifier=b"PAIR")
    assert record.many[0].numbers == (7,) * 100
    assert (record.table, record.kind) == ("Top", None)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"leaves": 1000}, "many[11].numbers that shares its bytes with many others"),
        ({"kind": 1}, "kind without its type or its content"),
        ({"extra": True}, "the root with a field that lenet-edge does not know"),
    ],
)
def test_a_flatbuffer_of_strange_parts_is_refused(options, line):
    with pytest.raises(Damaged) as error:
        read(pairs(flatbuffers.Builder(), **options), PAIRS, root="Top", identifier=b"PAIR")
    assert str(error.value) == line


def test_a_list_of_fields_or_numbers_is_read_within_the_file_only():
    content = bytearray(pairs(flatbuffers.Builder()))
    root = struct.unpack_from("<I", content)[0]
    struct.pack_into("<H", content, root - struct.unpack_from("<i", content, root)[0], 0xFFFE)
    with pytest.raises(Damaged, match="^the root beyond the file's end$"):
        read(bytes(content), PAIRS, root="Top", identifier=b"PAIR")
    content = pairs(flatbuffers.Builder()).replace(b"\x64\0\0\0\x07", b"\x64\0\0\x0f\x07")
    with pytest.raises(Damaged, match=r"^many\[0\].numbers beyond the file's end$"):
        read(content, PAIRS, root="Top", identifier=b"PAIR")
