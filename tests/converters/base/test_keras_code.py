"""What in a model's configuration is code is told; what every Keras model is built of is not."""

from __future__ import annotations

import hypothesis
import keras
import pytest
from hypothesis import strategies

from converters.base.keras_code import code_in
from converters.base.keras_objects import CustomObject, custom_objects_in


def named(kind, config, module, **more):
    return {"class_name": kind, "config": config, "module": module, **more}


def operation(name, kind="TFOpLambda", key="function"):
    return named(kind, {"name": "layer", key: name}, "tf_keras.src.layers.core.tf_op_layer")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            named("__lambda__", {"value": ["4wEA", None, None]}, "builtins"),
            "the bytecode of a lambda function",
        ),
        (
            named("Lambda", {"function": ["4wEA", None, None], "function_type": "lambda"}, "keras.layers"),
            "the bytecode of a lambda function",
        ),
        (
            named("Lambda", {"function_type": "raw", "output_shape_type": "lambda"}, "keras.layers"),
            "the bytecode of a lambda function",
        ),
        (
            named("Lambda", {"function_type": "raw", "mask_type": "lambda"}, "keras.layers"),
            "the bytecode of a lambda function",
        ),
        (named("function", "system", "os"), "the function system of os"),
        (named("function", "eval", "builtins"), "the function eval of builtins"),
        (named("function", "get_file", "keras.utils"), "the function get_file of keras.utils"),
        (
            named("function", "os.system", "tf_keras.src.activations"),
            "the function os.system of tf_keras.src.activations",
        ),
        (named("Popen", {"args": ["true"]}, "subprocess"), "Popen of subprocess"),
        (named("get_file", {}, "keras.utils"), "get_file of keras.utils"),
        (named("Sequential.load", {}, "keras"), "Sequential.load of keras"),
        (
            named("__lambda__", {"code": "4wEA", "defaults": None, "closure": None}, None),
            "the bytecode of a lambda function",
        ),
        (
            named("Lambda", {"function": ["4wEA", None, None]}, "keras.layers"),
            "the bytecode of a lambda function",
        ),
        (
            {"class_name": "Lambda", "config": {"function": ["4wEA", None, None], "function_type": "raw"}},
            "the bytecode of a lambda function",
        ),
        (
            named("function", "enable_unsafe_deserialization", "keras.config"),
            "the function enable_unsafe_deserialization of keras.config",
        ),
        (named("function", "load_model", "keras.src.saving"), "the function load_model of keras.src.saving"),
        (named("function", ["relu"], "keras.activations"), "the function ['relu'] of keras.activations"),
        (named("FeatureSpace", {}, "keras.utils"), "FeatureSpace of keras.utils"),
        (named("KerasFileEditor", {}, "keras.saving"), "KerasFileEditor of keras.saving"),
        (
            named("TFSMLayer", {"filepath": "x"}, "keras.layers"),
            "TFSMLayer, with another model that it loads",
        ),
        (
            named("TFSMLayer", {"filepath": "x"}, "keras.src.export.tfsm_layer"),
            "TFSMLayer, with another model that it loads",
        ),
        (
            named("TorchModuleWrapper", {"module": "gASV"}, "keras.layers"),
            "TorchModuleWrapper, with a pickle that it loads",
        ),
        (
            {"class_name": "TFSMLayer", "config": {"filepath": "x"}},
            "TFSMLayer, with another model that it loads",
        ),
        (
            named("TextVectorization", {"vocabulary": "/a/file"}, "keras.layers"),
            "TextVectorization, with files that it reads",
        ),
        (
            named("DenseFeatures", {}, "keras.layers"),
            "DenseFeatures, with files that it reads",
        ),
        (named("__new__", {}, "planted"), "an object of the class '__new__' of 'planted'"),
        (named(["Dense"], {}, "planted"), "an object of the class ['Dense'] of 'planted'"),
        (named("Dense", {}, ["planted"]), "an object of the class 'Dense' of ['planted']"),
        (named("Mine", {}, "mine", registered_name=None), "Mine of mine"),
        (named("__typespec__", [], "os", spec_name="path"), "the type path of os"),
        (
            named("__typespec__", {}, "tensorflow.python.keras.layers.core", spec_name="Lambda"),
            "the type Lambda of tensorflow.python.keras.layers.core",
        ),
        (
            named(
                "__typespec__",
                [],
                "tensorflow.python.framework.load_library",
                spec_name="load_op_library",
                registered_name=None,
            ),
            "the type load_op_library of tensorflow.python.framework.load_library",
        ),
        (
            named(
                "__typespec__",
                [],
                "tensorflow.python.framework.tensor_spec",
                spec_name="TensorSpec",
                registered_name="TensorSpec",  # Keras 2 would call its from_config
            ),
            "the type TensorSpec of tensorflow.python.framework.tensor_spec",
        ),
        (operation("io.write_file"), "the operation io.write_file of TensorFlow"),
        (operation("raw_ops.WriteFile"), "the operation raw_ops.WriteFile of TensorFlow"),
        (operation("py_function"), "the operation py_function of TensorFlow"),
        (operation("compat.v1.py_func"), "the operation compat.v1.py_func of TensorFlow"),
        (operation("keras.utils.get_file"), "the operation keras.utils.get_file of TensorFlow"),
        (
            operation("io.TFRecordWriter", "ClassMethod", "cls_symbol"),
            "the operation io.TFRecordWriter of TensorFlow",
        ),
    ],
)
def test_code_is_told_wherever_it_stands(config, told):
    deep = {"class_name": "Functional", "module": "keras", "config": {"layers": [{"a": [config]}]}}
    assert list(code_in(deep)) == [told]


@pytest.mark.parametrize(
    "config",
    [
        named("Dense", {"activation": "relu"}, "keras.layers", registered_name=None),
        named("function", "relu", "builtins"),
        named("function", "mine>slanted", "builtins"),
        named("function", "relu", "keras.activations"),
        named("Mine", {}, "mine.layers", registered_name="mine>Mine"),
        named("Mine", {}, "__main__", registered_name="mine>Mine"),
        named("__numpy__", {"value": [1.0], "dtype": "float32"}, "builtins"),
        named(
            "__typespec__",
            [],
            "tensorflow.python.framework.tensor_spec",
            spec_name="TensorSpec",
            registered_name=None,
        ),
        named("DTypePolicy", {"name": "mixed_float16"}, "keras", registered_name=None),
        named("Functional", {}, "keras.src.models.functional", registered_name="Functional"),
        named("Functional", {}, "keras.src.engine.functional", registered_name="Functional"),
        named("Add", {"name": "add"}, "keras.src.ops.numpy", registered_name="Add"),
        named("GetItem", {"name": "get_item"}, "keras.src.ops.numpy", registered_name="GetItem"),
        named("SeedGenerator", {"seed": 1}, "keras.src.random.seed_generator"),
        named("Policy", {"name": "float32"}, "keras.mixed_precision"),
        named("function", "tanh", "keras.ops"),
        named(
            "Lambda",
            {"function": named("function", "tanh", "builtins"), "output_shape": [63]},
            "keras.layers",
        ),
        named("StringLookup", {"vocabulary": ["a", "b"], "idf_weights": None}, "keras.layers"),
        named("__slice__", {"start": None, "stop": 1, "step": None}, None),
        named("__keras_tensor__", {"shape": [None, 4], "dtype": "float32"}, None),
        {"class_name": "mine>Mine", "config": {}},
        named("Lambda", {"function": "mine>slanted", "function_type": "function"}, "keras.layers"),
        operation("nn.relu"),
        operation("__operators__.add"),
        operation("concat"),
        operation("compat.v1.transpose"),
        operation("compat.v1.nn.softmax"),
    ],
)
def test_what_computes_only_is_not_told(config):
    assert list(code_in({"layers": [config]})) == []


def test_what_keras_3_itself_saves_is_no_code():
    ops, layers = keras.ops, keras.layers
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2", dtype="mixed_float16")(x)
    y = layers.Dropout(0.5, seed=1)(layers.BatchNormalization()(y))
    y = layers.SpatialDropout2D(0.5)(layers.Normalization(mean=0.0, variance=1.0)(y))
    y = ops.nn.relu(y + ops.mean(y, axis=-1, keepdims=True))[:, 1:]
    y = layers.LSTM(3)(ops.reshape(y, (-1, 6, 20)))
    y = layers.Dense(2, kernel_constraint="max_norm")(layers.Lambda(ops.tanh, output_shape=(3,))(y))
    model = keras.Model(x, keras.Sequential([keras.Input((2,)), layers.Softmax()])(y))
    model.compile("adam", "mse")
    assert list(code_in(keras.saving.serialize_keras_object(model))) == []


def test_custom_objects_are_found_in_their_order():
    config = [
        named(
            "Mine",
            {"activation": named("function", "mine>bent", "builtins")},
            None,
            registered_name="mine>Mine",
        ),
        named("Other", {}, "other.layers", registered_name="other>Other"),
        named("Other", {}, "other.layers", registered_name="other>Other"),
        named("Dense", {}, "keras.layers", registered_name=None),
        {"class_name": "old>Old", "config": {}},
        {"class_name": "Plain", "config": {}},
    ]
    found = custom_objects_in(config)
    names = ["mine>Mine", "mine>bent", "other>Other", "old>Old", "Plain"]
    assert [one.registered_name for one in found] == names
    assert [one.module for one in found] == ["", "", "other.layers", "", ""]
    assert [one.is_certain for one in found] == [True, True, True, True, False]
    assert found[2] == CustomObject(registered_name="other>Other", module="other.layers")


KEYS = ["class_name", "config", "module", "registered_name", "spec_name", "function_type", "function", "x"]
NAMES = ["Dense", "Lambda", "function", "__lambda__", "__none__", "keras", "keras.layers", "os", "mine", ""]
LEAVES = strategies.sampled_from([None, True, 1, 0.5, *NAMES])
CONFIGS = strategies.recursive(
    LEAVES,
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(strategies.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=30,
)


def _reaches_a_module(config):
    """Return whether Keras 2 would import a module that this entry names: it has one that is not Keras's."""
    module = config.get("module")
    known = isinstance(module, str) and module.split(".")[0] in ("keras", "tf_keras")
    return "class_name" in config and bool(module) and not known


@hypothesis.given(strategies.dictionaries(strategies.sampled_from(KEYS), CONFIGS))
def test_an_entry_with_a_module_is_told_or_is_a_custom_object(config):
    """Whatever is in it: else Keras 2 would import the module, and nobody would have been asked."""
    told, custom = list(code_in([config])), custom_objects_in([config])
    if _reaches_a_module(config):
        assert told or custom or config["class_name"] in ("__lambda__", *PLAIN)


PLAIN = ("__bytes__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__", "__tuple__")


def test_a_deep_configuration_is_read_without_recursion():
    config = named("os", {}, "os")
    for _ in range(100_000):
        config = [config]
    assert list(code_in(config)) == ["os of os"]
    assert [one.attribute for one in custom_objects_in(config)] == ["os"]
