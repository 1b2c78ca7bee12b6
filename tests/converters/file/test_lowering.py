"""Lowered files compute the same: int8 bit for bit, float32 within rounding; what does not fit is refused."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.base.environment import tf
from converters.base.errors import InputError
from converters.base.quiet import quiet
from converters.file.graph import read_graph
from converters.file.layouts import describe, layout_of, variations, windowed
from converters.file.lowering import lower
from converters.file.manifest import parse
from converters.file.resizing import resized
from converters.file.soundness import check_sound
from converters.file.suggestion import suggested
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.model.quantize_aware import quantize_aware
from converters.proof.exact_arithmetic import ideal_outputs
from converters.runtimes.tensorflow_interpreter import every_tensor, run
from lenet_edge.converting.files import convert_one
from lenet_edge.digits.mnist import calibration_digits, pad
from lenet_edge.packaged.files import content_of
from lenet_edge.packaged.models import fine_tuned_model, released_model

LAYOUTS = [
    "- - - - -",
    "1x4>1x4 - - - -",
    "- 1x1>1x1 - 1x1>1x1 -",
    "1x1>2x2 2x2>1x1 - 1x1>1x1 -",
    "1x4>2x4 2x4>1x2 1x2>2x2 2x2>1x1 5x5>1x1",
    "1x32>1x28 1x28>1x14 1x14>1x10 1x10>1x5 -",
]
FILES = ["float32", "float16", "int8", "int8_qat"]


@pytest.fixture(scope="module")
def plain():
    """Return the files of lenet5 as the converter writes them, by precision."""
    folded, precisions = fold(released_model("lenet5")), ("float32", "float16", "dynamic", "int8")
    files = {precision: convert_one(folded, precision=precision).content for precision in precisions}
    return {**files, "int8_qat": convert_one(fine_tuned_model(), precision="int8").content}


def pictures(content, count=20):
    side = read_graph(content).inputs[0].shape[1]
    margin = (32 - side) // 2
    return pad(calibration_digits().images[:count])[:, margin : margin + side, margin : margin + side, None]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FILES)
def test_scores_are_the_same(plain, name, layout):
    content = plain[name]
    lowered = lower(content, layout=layout_of(layout))
    inputs = pictures(content).astype(np.float32)
    got, wanted = (ideal_outputs(read_graph(one), inputs) for one in (lowered, content))
    # Exact arithmetic, rounded where the file rounds: int8 sums are the same whole numbers, float32 ones the
    # same terms of float64, which are some 400 a sum.
    np.testing.assert_allclose(got, wanted, rtol=0, atol=0 if "int8" in name else 1e-12)


@pytest.mark.parametrize("name", FILES)
def test_a_runtime_gives_the_same_scores(plain, name):
    content = plain[name]
    inputs = pictures(content).astype(np.float32)
    got, wanted = (run(one, inputs) for one in (lower(content, layout=layout_of(LAYOUTS[4])), content))
    # XNNPACK's int8 is the ideal kernel's, bit for bit; float32 sums of 400 terms in another order
    np.testing.assert_allclose(got, wanted, rtol=0, atol=0 if "int8" in name else 1e-5)


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("stock_lenet5_float32", "1x4>2x4 2x4>1x2 1x2>2x2 2x2>1x1"),
        ("stock_lenet5_int8", "1x4>1x4 - 1x2>1x2 -"),
        ("dynamic", "1x4>1x4 1x1>1x1 1x2>1x2 - 1x5>1x1"),
    ],
)
def test_other_nets_and_hybrid_files_are_the_same(plain, name, layout):
    content = plain.get(name) or content_of(f"{name}.tflite")
    inputs = pictures(content).astype(np.float32)
    got, wanted = (run(one, inputs) for one in (lower(content, layout=layout_of(layout)), content))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=0 if "int8" in name else 1e-5)


def strided(**options):
    """Return a net with strides, SAME padding, several channels a depthwise one and a fused activation."""
    x = inputs = keras.Input((12, 16, 3))
    x = keras.layers.Conv2D(4, 3, strides=(1, 2), padding="same", activation="relu")(x)
    x = keras.layers.DepthwiseConv2D(2, strides=2, depth_multiplier=2, activation="tanh")(x)
    x = keras.layers.Conv2D(3, (3, 2), **options)(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize(
    "layout", ["1x4>1x2 1x1>1x1 -", "1x2>1x1 1x2>1x1 1x1>1x1", "1x4>2x2 2x2>1x1 1x1>1x1"]
)
def test_strides_padding_and_activations_are_kept(precision, layout, rng):
    keras.utils.set_random_seed(1)
    samples = rng.normal(size=(20, 12, 16, 3)).astype(np.float32)
    content = to_tflite(strided(), precision=precision, calibration=samples).content
    lowered = lower(content, layout=layout_of(layout))
    got, wanted = (ideal_outputs(read_graph(one), samples) for one in (lowered, content))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=0 if precision == "int8" else 1e-12)


def test_one_scale_for_the_whole_kernel_becomes_one_for_each_output(rng):
    x = keras.Input((4, 8, 1), name="pixels")
    y = keras.layers.Flatten()(keras.layers.Conv2D(3, 3, padding="same", bias_initializer="ones")(x))
    pixels = rng.uniform(0, 255, (20, 4, 8, 1)).astype(np.float32)
    rounding = quantize_aware(keras.Model(x, y), calibration=pixels, per_channel=False)
    content = to_tflite(rounding, precision="int8").content
    (convolution,) = windowed(read_graph(content))
    assert [tensor.scales.size for tensor in convolution.inputs[1:]] == [1, 1]
    laid_out = lower(content, layout=layout_of("1x4>1x4"))
    check_sound(laid_out)
    np.testing.assert_array_equal(run(laid_out, pixels), run(content, pixels))


def grouped_sums(images, kernel, groups):
    """Return what a grouped convolution without padding computes: each group of outputs sees its inputs."""
    height, width, depth, outputs = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    each = outputs // groups
    return np.concatenate(
        [
            np.einsum(
                "nyxihw,hwio->nyxo",
                windows[:, :, :, group * depth : (group + 1) * depth],
                kernel[..., group * each : (group + 1) * each],
            )
            for group in range(groups)
        ],
        axis=-1,
    )


@pytest.mark.parametrize(("groups", "outputs"), [(1, 8), (2, 8), (4, 4), (4, 12)])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_grouped_convolution_is_the_same(precision, groups, outputs, rng):
    samples = rng.normal(size=(20, 8, 8, 4)).astype(np.float32)
    x = keras.Input((8, 8, 4))
    layer = keras.layers.Conv2D(outputs, 3, groups=groups)
    model = keras.Model(x, keras.layers.Flatten()(layer(x)))
    content = to_tflite(model, precision=precision, calibration=samples).content
    lowered = lower(content, layout=layout_of(" ".join(["1x2>1x2"] * len(windowed(read_graph(content))))))
    got, before = run(lowered, samples), run(content, samples)
    if precision == "int8":
        np.testing.assert_array_equal(got, before)
    wanted = grouped_sums(samples, layer.kernel.numpy(), groups).reshape(20, -1)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=0.2 if precision == "int8" else 1e-5)


def test_a_grouped_convolution_is_not_suggested(rng):
    x = keras.Input((8, 8, 4))
    model = keras.Model(x, keras.layers.Flatten()(keras.layers.Conv2D(8, 3, groups=2)(x)))
    content = to_tflite(model, precision="float32").content
    assert [node.inputs[1].shape[3] for node in windowed(read_graph(content))] == [2]
    assert describe(suggested(content)) == "-"


def test_what_nothing_uses_is_dropped_and_constants_are_aligned(plain):
    content = plain["float16"]
    lowered = lower(content, layout=layout_of("1x4>1x4 1x4>1x2 - - -"))
    graph = read_graph(lowered)
    used = {t.index for n in graph.nodes for t in (*n.inputs, *n.outputs) if t is not None}
    assert used == {tensor.index for tensor in graph.tensors}
    assert [node.name for node in graph.nodes].count("DEQUANTIZE") == 13
    model = parse(lowered)
    assert {tensor.buffer for tensor in model.subgraphs[0].tensors} | {0} | {
        one.buffer for one in model.metadata
    } == set(range(len(model.buffers)))
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data):
            assert lowered.index(bytes(buffer.data)) % 16 == 0


def ends(model):
    graph = model.subgraphs[0]
    return [graph.tensors[index].name for index in (*graph.inputs, *graph.outputs)]


def test_signatures_names_and_ends_are_kept(plain):
    content = plain["int8_qat"]
    before, after = (parse(one) for one in (content, lower(content, layout=layout_of(LAYOUTS[1]))))
    for model in (before, after):
        graph, (signature,) = model.subgraphs[0], model.signatureDefs
        assert [end.tensorIndex for end in signature.inputs] == list(graph.inputs)
        assert [end.tensorIndex for end in signature.outputs] == list(graph.outputs)
    names = [
        [g.tensors[i].name for i in (*g.inputs, *g.outputs)]
        for g in (m.subgraphs[0] for m in (before, after))
    ]
    assert names[0] == names[1]
    short = [tensor.name for tensor in after.subgraphs[0].tensors]
    assert b"quant_C1/Tanh" in short
    assert len(set(short)) == len(short)


def test_the_same_file_gives_the_same_bytes(plain):
    content, layout = plain["int8"], layout_of(LAYOUTS[1])
    assert lower(content, layout=layout) == lower(content, layout=layout)


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        ("1x4>1x4 -", "expected a layout of 5 steps, got 2"),
        ("1x3>1x4 - - - -", "expected a step that fits 1 CONV_2D, 32x32x1 to 28x28x6, got 1x3>1x4"),
        ("1x1>2x2 - - - -", "expected the input of 3 DEPTHWISE_CONV_2D in 2x2"),
        ("2x1>2x2 2x2>1x1 - - -", "expected the input of 1 CONV_2D in 1x1, or both in order, got 2x1"),
        ("- - - - 1x1", "expected a step of a layout like 1x4>1x2 or -, got 1x1"),
        ("- - - - 1x0>1x1", "expected phases of 1 or more, got 1x0>1x1"),
        ("- - - - a>b", "expected a step of a layout like 1x4>1x2 or -, got a>b"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(plain, layout, line):
    with pytest.raises(InputError, match=line.replace("(", r"\(")):
        lower(plain["int8"], layout=layout_of(layout))


def of_open_width(*body):
    x = pixels = keras.Input((None, None, 1))
    for layer in body:
        x = layer(x)
    keras.utils.set_random_seed(3)
    return to_tflite(keras.Model(pixels, x), precision="float32", shape=(8, 20, 1), open_axis=2).content


CONV, PAIRS = keras.layers.Conv2D, keras.layers.DepthwiseConv2D


@pytest.mark.parametrize("width", range(20, 29))
def test_a_file_of_open_width_stays_one_and_is_the_same_at_any(width, rng):
    content = of_open_width(CONV(3, 3, activation="tanh"), PAIRS(2, strides=2), CONV(2, 3, padding="same"))
    laid_out = lower(content, layout=layout_of("1x1>1x2 1x2>1x1 -"))
    signatures = [tensor.signature for tensor in read_graph(laid_out).tensors if tensor.constant is None]
    assert all(signature[2] == -1 for signature in signatures)
    pictures = rng.normal(size=(2, 8, width, 1)).astype(np.float32)
    got, wanted = (ideal_outputs(read_graph(one), pictures) for one in (laid_out, content))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)  # the same terms of float64
    got, wanted = (run(resized(one, shape=(1, 8, width, 1)), pictures) for one in (laid_out, content))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)  # float32 sums in another order


@pytest.mark.parametrize(
    ("body", "layout", "line"),
    [
        (
            [CONV(3, 3), PAIRS(2, strides=2)],
            "1x2>1x2 -",
            "expected operators of CONV_2D, .*, got 0 RESHAPE",
        ),
        (
            [CONV(3, 3, padding="same"), PAIRS(2, strides=2)],
            "1x1>1x2 1x2>1x1",
            "expected 0 CONV_2D without padding, as its size is open, got SAME",
        ),
        (
            [CONV(3, 3), CONV(2, (2, 5), strides=2)],
            "1x1>1x2 1x2>1x1",
            "expected a layout for any size, 8x21x1 too, got one for some",
        ),
    ],
)
def test_a_layout_for_one_width_is_refused_where_it_is_open(body, layout, line):
    content = of_open_width(*body)
    with pytest.raises(InputError, match=line):
        lower(content, layout=layout_of(layout))


def test_what_would_not_be_exact_is_refused():
    with pytest.raises(InputError, match="expected 3 AVERAGE_POOL_2D of float32 values, got int8"):
        lower(content_of("stock_lenet5_int8.tflite"), layout=layout_of("- 1x1>1x1 - -"))
    x = keras.Input((12, 12, 1))
    dilated = keras.Model(x, keras.layers.Conv2D(2, 3, dilation_rate=2)(x))
    content = to_tflite(dilated, precision="float32").content
    if windowed(read_graph(content))[0].options["dilationHFactor"] == 2:
        with pytest.raises(InputError, match="without dilation, got a dilated one"):
            lower(content, layout=layout_of("1x2>1x2"))


def test_text_and_layout_are_one():
    for text in LAYOUTS:
        assert describe(layout_of(text)) == text


def test_the_suggestion_takes_several_columns_of_few_channels(plain):
    assert describe(suggested(plain["int8"])) == LAYOUTS[1]
    stock = content_of("stock_lenet5_float32.tflite")
    assert describe(suggested(stock)) == "1x4>1x4 - - -"


def small_net(draw):
    """Return a net that `draw` decides on; its first layer is a convolution of few channels."""
    channels, width = draw(st.integers(1, 4)), draw(st.sampled_from([6, 7, 8, 12]))
    padding = st.sampled_from(["same", "valid"])
    if draw(st.booleans()):
        x = inputs = keras.Input((width, channels))
        x = keras.layers.Conv1D(draw(st.integers(1, 4)), draw(st.integers(1, 5)), padding=draw(padding))(x)
    else:
        x = inputs = keras.Input((8, width, channels))
        options = draw(
            st.sampled_from(
                [{}, {"dilation_rate": 2}, {"groups": channels}, {"strides": 2}, {"strides": (2, 1)}]
            )
        )
        size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        x = keras.layers.Conv2D(channels * draw(st.integers(1, 2)), size, padding=draw(padding), **options)(x)
    x = draw(st.sampled_from([keras.layers.ReLU(), keras.layers.PReLU(), keras.layers.Softmax()]))(x)
    if len(x.shape) == 4:
        second = draw(st.sampled_from(["pool", "depthwise", "conv", "none"]))
        if second == "pool":
            x = keras.layers.AveragePooling2D(draw(st.integers(1, 2)), padding=draw(padding))(x)
        elif second == "depthwise":
            x = keras.layers.DepthwiseConv2D(draw(st.integers(1, 3)), padding=draw(padding))(x)
        elif second == "conv":
            x = keras.layers.Conv2D(2, draw(st.integers(1, 3)), padding=draw(padding))(x)
    end = draw(st.sampled_from(["flatten", "mean", "none"]))
    if end != "none":
        x = keras.layers.Flatten()(x) if end == "flatten" else keras.ops.mean(x, axis=1)
    return keras.Model(inputs, x)


@settings(max_examples=40)
@given(st.data())
def test_what_is_suggested_fits_and_is_the_same(data):
    model = small_net(data.draw)
    content = to_tflite(model, precision="float32").content
    layout = suggested(content)
    inputs = np.random.default_rng(0).normal(size=(3, *model.input_shape[1:])).astype(np.float32)
    # Without XNNPACK: TensorFlow 2.21's is wrong where SAME padding meets a stride larger than the kernel.
    got, wanted = (last_tensor(one, inputs) for one in (lower(content, layout=layout), content))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)


def last_tensor(content, inputs):
    graph = read_graph(content)
    return every_tensor(content, graph, inputs)[graph.outputs[0].index]


@pytest.mark.parametrize("kernel", [(1, 5), (1, 2), (3, 1)])
def test_rows_that_need_no_padding_go_with_columns_that_do(kernel, rng):
    x = keras.Input((1, 16, 3))
    layer = keras.layers.Conv2D(4, kernel, padding="same")
    model = keras.Model(x, keras.layers.Flatten()(layer(x)))
    content = to_tflite(model, precision="float32").content
    assert describe(suggested(content)) == "1x4>1x4"
    inputs = rng.normal(size=(3, 1, 16, 3)).astype(np.float32)
    got, wanted = (run(one, inputs) for one in (lower(content, layout=suggested(content)), content))
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)


def test_activations_of_int16_are_the_same(rng):
    samples = rng.normal(size=(20, 8, 8, 2)).astype(np.float32)
    x = keras.Input((8, 8, 2), batch_size=1)
    y = keras.layers.DepthwiseConv2D(2)(keras.layers.Conv2D(4, 3, padding="same")(x))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(x, keras.layers.Flatten()(y)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    with quiet():
        content = bytes(converter.convert())
    assert [node.inputs[2].type for node in windowed(read_graph(content))] == ["int64", "int64"]
    lowered = lower(content, layout=layout_of("1x4>1x4 1x1>1x1"))
    np.testing.assert_array_equal(last_tensor(lowered, samples), last_tensor(content, samples))


def test_variations_are_plenty_and_those_that_fit_are_the_same(plain):
    content = plain["int8"]
    graph = read_graph(content)
    inputs = pictures(content, 3).astype(np.float32)
    wanted, fitting = ideal_outputs(graph, inputs), 0
    for layout in variations(graph, (None,) * 5, 0):
        try:
            lowered = lower(content, layout=layout)
        except InputError:
            continue
        fitting += 1
        np.testing.assert_array_equal(ideal_outputs(read_graph(lowered), inputs), wanted)
    assert fitting >= 15


def test_no_tensorflow_is_needed_where_litert_is():
    pytest.importorskip("ai_edge_litert")
    code = (
        "import sys; from converters.file.lowering import lower\n"
        "from converters.file.layouts import layout_of\n"
        "from lenet_edge.packaged.files import content_of\n"
        "lower(content_of('stock_lenet5_int8.tflite'), layout=layout_of('1x4>1x4 - - -'))\n"
        "assert not {'tensorflow', 'tf_keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
