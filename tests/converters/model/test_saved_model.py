"""SavedModels, and what `model.export` writes, are converted as they are, if they only compute."""

from __future__ import annotations

import keras as keras_3
import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras_2
from python_apart import run_python

from converters.base.environment import saved_model_pb2
from converters.base.errors import InputError
from converters.model.loading import load_model
from converters.model.saved_model import SavedModel, load_saved_model, saved_model_to_tflite
from converters.proof.checked_files import Wishes, checked_files, reference_of
from converters.runtimes.tensorflow_interpreter import interpreter_of, run


def net(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )


def save_with_signatures(path, **signatures):
    """Save a module that doubles, under these signatures: a specification of each's input."""
    module = tf.Module()
    module.factor = tf.Variable(2.0)

    def doubling(*specs):
        def double(*inputs):
            return {f"y{index}": one * tf.cast(module.factor, one.dtype) for index, one in enumerate(inputs)}

        return tf.function(double, input_signature=specs, autograph=False)

    module.functions = [doubling(*specs) for specs in signatures.values()]
    functions = dict(zip(signatures, module.functions, strict=True))
    tf.saved_model.save(module, str(path), signatures=functions)
    return path


def old_graph(path):
    """Save a graph as TensorFlow 1 did: its operations, without functions."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, (None, 4), name="x")
        y = tf.matmul(x, tf.compat.v1.get_variable("v", (4, 2)))
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            tf.compat.v1.saved_model.simple_save(session, str(path), {"x": x}, {"y": y})
    return path


@pytest.fixture
def inputs(rng):
    return rng.random((20, 8, 8, 2), np.float32)


@pytest.mark.parametrize("keras", [keras_3, keras_2], ids=["Keras 3", "Keras 2"])
def test_an_export_gives_the_models_numbers_in_every_precision(tmp_path, inputs, keras):
    model = net(keras)
    model.export(str(tmp_path / "net"))
    loaded = load_model(tmp_path / "net")
    assert isinstance(loaded, SavedModel)
    wanted = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(loaded.predict(inputs), wanted, atol=1e-6)
    precisions = ("float32", "float16", "dynamic", "int8")
    files = list(
        checked_files(loaded, wishes=Wishes(precisions=precisions), reference=reference_of(loaded, inputs))
    )
    for file, limit in zip(files, (1e-6, 1e-3, 0.03, 0.03), strict=True):
        assert file.difference < limit
        assert np.abs(run(file.content, inputs) - wanted).max() < limit
    assert [file.entry["precision"] for file in files] == list(precisions)
    shapes = [interpreter_of(file.content).get_input_details()[0]["shape"].tolist() for file in files]
    assert shapes == [[1, 8, 8, 2]] * 4


@pytest.mark.parametrize("form", ["tf", "old graph"])
def test_other_saved_models_are_converted_too(tmp_path, rng, form):
    if form == "tf":
        keras_2.Sequential([keras_2.Input((4,)), keras_2.layers.Dense(2)]).save(
            tmp_path / "m", save_format="tf"
        )
    else:
        old_graph(tmp_path / "m")
    model, inputs = load_saved_model(tmp_path / "m"), rng.random((5, 4), np.float32)
    content = saved_model_to_tflite(model, precision="float32").content
    np.testing.assert_allclose(run(content, inputs), model.predict(inputs), atol=1e-6)


def test_serving_default_comes_before_serve_and_an_open_batch_becomes_one(tmp_path):
    both = {"serve": [tf.TensorSpec((None, 2))], "serving_default": [tf.TensorSpec((None, 3))]}
    assert tuple(load_saved_model(save_with_signatures(tmp_path / "both", **both)).inputs[0].shape) == (1, 3)
    one = {"serve": [tf.TensorSpec((1, 2), tf.int32)], "other": [tf.TensorSpec((None, 5))]}
    model = load_saved_model(save_with_signatures(tmp_path / "one", **one))
    assert tuple(model.inputs[0].shape) == (1, 2)
    np.testing.assert_array_equal(model.predict(np.array([[1, 2], [3, 4]])), [[2, 4], [6, 8]])


def test_several_inputs_and_outputs_keep_their_names(tmp_path, rng):
    specs = [tf.TensorSpec((None, 2), name="b"), tf.TensorSpec((None, 3), tf.int32, name="a")]
    model = load_saved_model(save_with_signatures(tmp_path / "two", serve=specs))
    arrays = {"b": rng.random((6, 2), np.float32), "a": np.arange(18).reshape(6, 3)}
    wanted = {"y0": 2 * arrays["b"], "y1": 2 * arrays["a"]}
    (file,) = checked_files(
        model, wishes=Wishes(precisions=["float32"]), reference=reference_of(model, arrays)
    )
    assert file.difference == 0
    found = run(file.content, arrays)
    assert sorted(found) == ["y0", "y1"]
    for name, array in found.items():
        np.testing.assert_array_equal(array, wanted[name])


def test_open_sides_want_a_shape(tmp_path, rng):
    saved = save_with_signatures(tmp_path / "m", serve=[tf.TensorSpec((None, None, 2), name="x")])
    model, inputs = load_saved_model(saved), rng.random((3, 5, 2), np.float32)
    with pytest.raises(InputError, match=r"known apart from the batch, or a shape for it, got \(None, 2\)"):
        saved_model_to_tflite(model, precision="float32")
    content = saved_model_to_tflite(model, precision="float32", shape=(5, 2)).content
    np.testing.assert_array_equal(run(content, inputs), 2 * inputs)


@pytest.mark.parametrize(
    ("signatures", "message"),
    [
        ({"other": [tf.TensorSpec((1, 2))]}, "to have the signature serving_default or serve, got other"),
        ({"serve": [tf.TensorSpec((4, 2))]}, r"for one sample at a time, .* got \(4, 2\)"),
        ({"serve": [tf.TensorSpec(None)]}, "known apart from the batch, got one of unknown rank"),
        ({"serve": [tf.TensorSpec(())]}, r"known apart from the batch, got one of unknown rank"),
    ],
)
def test_what_a_saved_model_must_have_is_told(tmp_path, signatures, message):
    save_with_signatures(tmp_path / "m", **signatures)
    with pytest.raises(InputError, match=message) as caught:
        load_saved_model(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_int8_wants_calibration_that_fits(tmp_path):
    model = load_saved_model(save_with_signatures(tmp_path / "m", serve=[tf.TensorSpec((None, 2))]))
    with pytest.raises(InputError, match="expected calibration inputs for int8, got none"):
        saved_model_to_tflite(model, precision="int8")
    with pytest.raises(InputError, match=r"of shape \(n, 2,?\), got \(5, 3\)"):
        saved_model_to_tflite(model, precision="int8", calibration=np.eye(5, 3))


CONVERT = """
import sys
from pathlib import Path
from converters.model.saved_model import load_saved_model, saved_model_to_tflite
print(saved_model_to_tflite(load_saved_model(Path(sys.argv[1])), precision="float32").content.hex())
"""


def test_the_same_bytes_come_each_time_and_in_each_process(tmp_path):
    net(keras_3).export(str(tmp_path / "net"))
    model = load_saved_model(tmp_path / "net")
    first, second = (saved_model_to_tflite(model, precision="float32").content for _ in range(2))
    elsewhere = run_python(CONVERT, tmp_path / "net", TF_USE_LEGACY_KERAS="1")
    elsewhere.check_returncode()
    assert first == second == bytes.fromhex(elsewhere.stdout)


def edited(path, change):
    """Let `change` edit the graph of the SavedModel in `path`."""
    model = saved_model_pb2.SavedModel()
    file = path / "saved_model.pb"
    model.ParseFromString(file.read_bytes())
    change(model.meta_graphs[0])
    file.write_bytes(model.SerializeToString())


def unknown_operation(graph):
    graph.graph_def.library.function[0].node_def.add(name="own", op="SomebodysOwn")


def file_table(graph):
    graph.graph_def.node.add(name="table", op="InitializeTableFromTextFileV2")


def data_set(graph):
    graph.graph_def.node.add(name="data", op="TensorSliceDataset")


def reading(graph):
    graph.graph_def.library.function[0].node_def.add(name="read", op="ReadFile")


def stateless_python(graph):
    graph.graph_def.node.add(name="python", op="PyFuncStateless")


def restoring(graph):
    """Restore in what the model itself runs: any file could be read."""
    for function in graph.graph_def.library.function:
        if "traced" not in function.signature.name:
            function.node_def.add(name="restore", op="RestoreV2")


def saving_on_restore(graph):
    """Save in what is run when the variables are restored."""
    for function in graph.graph_def.library.function:
        if "traced_restore" in function.signature.name:
            function.node_def.add(name="save", op="SaveV2")


def saving_on_start(graph):
    graph.graph_def.node.add(name="save", op="SaveV2")
    (start,) = (node for node in graph.graph_def.node if node.name == "NoOp")
    start.input.append("^save")


@pytest.mark.parametrize(
    ("change", "operation"),
    [
        (unknown_operation, "SomebodysOwn"),
        (file_table, "InitializeTableFromTextFileV2"),
        (data_set, "TensorSliceDataset"),
        (reading, "ReadFile"),
        (stateless_python, "PyFuncStateless"),
        (restoring, "RestoreV2"),
        (saving_on_restore, "SaveV2"),
        (saving_on_start, "SaveV2"),
    ],
)
def test_operations_that_do_more_than_compute_are_refused_before_loading(
    tmp_path, monkeypatch, change, operation
):
    save_with_signatures(tmp_path / "m", serve=[tf.TensorSpec((None, 2))])
    edited(tmp_path / "m", change)

    def load(*_, **__):
        raise AssertionError("the graph is loaded before it is checked")

    monkeypatch.setattr(tf.saved_model, "load", load)
    with pytest.raises(InputError, match=f"got the operation {operation}, which does more than compute"):
        load_saved_model(tmp_path / "m")


def test_random_numbers_tables_and_loops_are_no_code(tmp_path):
    """A state is not yet an effect: dropout, look-up tables, TensorArrays and loops are let through."""
    layers = keras_3.layers
    words = keras_3.Sequential(
        [keras_3.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a", "b"])]
    )
    words.export(str(tmp_path / "words"))
    load_saved_model(tmp_path / "words")
    recurrent = keras_3.Sequential([keras_3.Input((3, 2)), layers.LSTM(2), layers.Dropout(0.5)])
    recurrent.export(str(tmp_path / "recurrent"))
    load_saved_model(tmp_path / "recurrent")


def test_constants_that_unfold_to_gigabytes_are_refused(tmp_path):
    save_with_signatures(tmp_path / "m", serve=[tf.TensorSpec((None, 2))])

    def change(graph):
        node = graph.graph_def.library.function[0].node_def.add(name="large", op="Const")
        tensor = node.attr["value"].tensor
        tensor.dtype = tf.float32.as_datatype_enum
        tensor.tensor_shape.dim.add(size=1 << 40)
        tensor.float_val.append(1.0)  # stands for all of them

    edited(tmp_path / "m", change)
    for trust_code in (False, True):
        with pytest.raises(InputError, match="of 2,147,483,648 bytes or less, got 4,398,046,511,1"):
            load_saved_model(tmp_path / "m", trust_code=trust_code)


def test_a_graph_that_is_too_large_to_be_one_is_refused_by_its_size(tmp_path):
    (tmp_path / "m").mkdir()
    with (tmp_path / "m" / "saved_model.pb").open("wb") as file:
        file.truncate((2 << 30) + 1)  # sparse
    with pytest.raises(InputError, match="of 2,147,483,648 bytes or less, got 2,147,483,649"):
        load_model(tmp_path / "m")
