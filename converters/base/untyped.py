"""Names for the objects of libraries that have no types: Keras, TensorFlow, the .tflite schema."""

from __future__ import annotations

from typing import Any, TypeAlias

KerasModel: TypeAlias = Any
"""A keras.Model of Keras 3 or Keras 2."""

KerasLayer: TypeAlias = Any
"""A keras.layers.Layer of Keras 3 or Keras 2."""

KerasVariable: TypeAlias = Any
"""A variable of a Keras model, of either Keras."""

KerasLoss: TypeAlias = Any
"""What Keras takes for a loss: a function, its name, a keras.losses.Loss."""

KerasOptimizer: TypeAlias = Any
"""What Keras takes for an optimizer: its name, a keras.optimizers.Optimizer."""

TrainingData: TypeAlias = Any
"""What a model is trained on: arrays, tensors, a tf.data.Dataset, a PyDataset, batches."""

KerasNode: TypeAlias = Any
"""One call of a layer in a functional model."""

Activation: TypeAlias = Any
"""What Keras takes for an activation: a function, its name, a layer, or None."""

TfTensor: TypeAlias = Any
"""A tensor or variable of TensorFlow or of a Keras model, or what TensorFlow makes one of."""

TfFunction: TypeAlias = Any
"""A concrete function of TensorFlow: a signature of a SavedModel."""

QuantizeConfig: TypeAlias = Any
"""A QuantizeConfig of tensorflow-model-optimization."""

Quantizer: TypeAlias = Any
"""A Quantizer of tensorflow-model-optimization."""

LiteConverter: TypeAlias = Any
"""TensorFlow's tf.lite.TFLiteConverter."""

Delegate: TypeAlias = Any
"""A delegate that a runtime loaded from its shared library; None for none."""

MicroInterpreter: TypeAlias = Any
"""An interpreter of TensorFlow Lite Micro's package."""

CompiledModel: TypeAlias = Any
"""A CompiledModel of LiteRT."""

SchemaObject: TypeAlias = Any
"""An object of the generated schema: ModelT, SubGraphT, TensorT, OperatorT, ..."""

Json: TypeAlias = Any
"""A value that json.loads returned or json.dumps takes."""
