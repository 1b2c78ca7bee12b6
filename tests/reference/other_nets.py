"""Files that TensorFlow's converter writes of ordinary nets that are no digit readers, for several tests."""

from __future__ import annotations

import numpy as np
import tf_keras as keras

from converters.base.environment import tf
from converters.base.quiet import quiet

layers = keras.layers


def transformer_block():
    """Return a block of attention and two dense layers over 6 tokens of 8 numbers."""
    inputs = keras.Input((6, 8), batch_size=1)
    x = layers.LayerNormalization()(inputs + layers.MultiHeadAttention(2, 4)(inputs, inputs))
    x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, activation="gelu")(x)))
    scores = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, scores)


def embedding():
    """Return a net that looks its 6 inputs up in a table of 10 rows."""
    inputs = keras.Input((6,), batch_size=1, dtype="int32")
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Embedding(10, 4)(inputs))))


def recurrent(cell):
    """Return a net of a recurrent layer whose 4 steps are written out."""
    inputs = keras.Input((4, 3), batch_size=1)
    return keras.Model(inputs, cell(5, unroll=True)(inputs))


OTHER_NETS = {
    "transformer block": transformer_block,
    "embedding": embedding,
    "LSTM": lambda: recurrent(layers.LSTM),
    "GRU": lambda: recurrent(layers.GRU),
}


def other_net(name, *, int8=False):
    """Return the .tflite file of a net of OTHER_NETS, as TensorFlow's converter alone writes it."""
    keras.utils.set_random_seed(1)
    model = OTHER_NETS[name]()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if int8:
        random = np.random.default_rng(1)
        ends = [(tensor.shape, tensor.dtype.as_numpy_dtype) for tensor in model.inputs]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [random.uniform(0, 9, shape).astype(kind) for shape, kind in ends] for _ in range(20)
        )
    with quiet():
        return bytes(converter.convert())
