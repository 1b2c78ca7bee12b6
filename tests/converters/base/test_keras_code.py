"""What in a model's configuration is code is told; what every Keras model is built of is not."""

from __future__ import annotations

import pytest

from converters.base.keras_code import code_in


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
        (named("__typespec__", [], "os", spec_name="path"), "the type path of os"),
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
        named("__typespec__", [], "tensorflow.python.framework.tensor_spec", spec_name="TensorSpec"),
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
