"""The layers of LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE, November 1998, section II and appendix A, as Keras layers.

Each can be used in any model, saved and loaded (.keras, weights files), and converted to
TensorFlow Lite with stock operations only. They are defined here once for both Kerases; the classes are in
`lenet_edge.keras3` and `lenet_edge.keras2`; `lenet_edge` itself has those of the Keras that `tf.keras` is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from converters.base.errors import expect
from converters.base.kerases import KERAS_2, KERAS_3, import_keras
from converters.layers.assembled import AssembledConv2D
from converters.layers.definition import (
    InitializerDefinition,
    LayerDefinition,
    class_for,
    define,
    define_function,
)
from converters.layers.squashing import Squashing, register_squashing
from lenet_edge.paper.codes import digit_codes

if TYPE_CHECKING:
    from converters.model.fold_steps import Folding
    from converters.model.fold_values import Value

AMPLITUDE = 1.7159  # A of f(a) = A tanh(S a), page 8 and appendix A
SLOPE = 2.0 / 3.0  # S

# Table I, page 8: the maps of S2 that each map of C3 takes its inputs from.
TABLE_I: tuple[tuple[int, ...], ...] = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)

PACKAGE = "lenet_edge"
HOMES = {KERAS_3: "lenet_edge.keras3", KERAS_2: "lenet_edge.keras2"}

_define = define(package=PACKAGE, homes=HOMES)


def _pair(number: int | tuple[int, int]) -> Any:
    """Return one number twice, a pair unchanged."""
    return (number, number) if isinstance(number, int) else tuple(number)


@define_function(package=PACKAGE)
def scaled_tanh(a: Any) -> Any:
    """Return 1.7159 tanh(2a/3), the paper's squashing function (eq. 6, page 8).

    Any shape in, the same shape out, within -1.7159..1.7159; f(1) = 1 and f(-1) = -1. Use it as the
    `activation` of any Keras layer.
    """
    # The tensors of Keras 2 are not known to Keras 3. Those of TensorFlow belong to either.
    of_tensorflow = type(a).__module__.partition(".")[0] in ("tensorflow", KERAS_2)
    operations = sys.modules["tensorflow"] if of_tensorflow else import_keras(KERAS_3).ops
    return AMPLITUDE * operations.tanh(SLOPE * a)


@_define
class FanInUniform(InitializerDefinition):
    """Uniform between -2.4/F and 2.4/F, F the fan-in of the unit that a weight leads to (appendix A).

    `fan_in` is a number above 0, or one for each entry of the weight's last axis. Raises InputError on
    another.
    """

    def __init__(self, *, fan_in: float | Sequence[float], seed: int | None = None) -> None:
        expect(np.all(np.asarray(fan_in) > 0), "fan_in above 0", fan_in)
        self.fan_in = fan_in
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **_: Any) -> Any:
        """Draw a weight of `shape`."""
        draw = self.keras.initializers.RandomUniform(-1.0, 1.0, seed=self.seed)(shape, dtype or "float32")
        return draw * self.ops.cast(2.4 / np.asarray(self.fan_in, np.float64), draw.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the fan-in and the seed."""
        return {"fan_in": np.asarray(self.fan_in).tolist(), "seed": self.seed}


@_define
class ScaledTanh(LayerDefinition):
    """The squashing function f(a) = A tanh(S a) as a layer (eq. 6, page 8; appendix A).

    Any shape in, the same shape out, within -A..A. With the paper's A = 1.7159 and S = 2/3,
    f(1) = 1, f(-1) = -1, and the second derivative is largest at +1 and -1, the targets.

    >>> model = keras.Sequential([keras.layers.Dense(84), ScaledTanh()])
    """

    def __init__(self, *, amplitude: float = AMPLITUDE, slope: float = SLOPE, **options: Any) -> None:
        super().__init__(**options)
        expect(amplitude > 0 and slope > 0, "amplitude and slope above 0", (amplitude, slope))
        self.amplitude = amplitude
        self.slope = slope

    def call(self, inputs: Any) -> Any:
        """Squash each value."""
        return self.amplitude * self.ops.tanh(self.slope * inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def fold(self, inputs: list[Value], folding: Folding) -> Value:
        """Leave a tanh: its constants are folded into the weights before and behind it."""
        return folding.squashed(self, inputs[0], Squashing(self.amplitude, self.slope))

    def get_config(self) -> dict[str, Any]:
        """Return the amplitude and the slope."""
        return {**super().get_config(), "amplitude": self.amplitude, "slope": self.slope}


@_define
class TrainableSubsampling(AssembledConv2D):
    """The paper's subsampling layer, S2 and S4 (page 7).

    "The four inputs to a unit in S2 are added, then multiplied by a trainable coefficient, and added
    to a trainable bias. The result is passed through a sigmoidal function."

        y[i, j, c] = f(coefficient[c] * sum over the pool of x[., ., c] + bias[c])

    In: (batch, height, width, channels). Out: (batch, height // pool height, width // pool width,
    channels); pools do not overlap, leftover rows and columns are dropped. Two trainable weights per
    map: 12 in S2, 32 in S4. Note that the inputs are *added*: average pooling gives a quarter of the sum.

    >>> layer = TrainableSubsampling()
    >>> tuple(layer(np.ones((1, 28, 28, 6), "float32")).shape)
    (1, 14, 14, 6)

    `pool_size`: one number or two, each 1 or more. `activation`: any Keras activation; the paper's
    scaled tanh by default, None for none. `coefficient_initializer`, `bias_initializer`: the paper's
    uniform +-2.4/fan-in by default; `1 / (pool height * pool width)` as a constant starts it as
    average pooling. Raises InputError ("expected ..., got ...") on a bad pool or input.
    """

    operation = "depthwise_conv2d"
    kernel_weight: ClassVar[str] = "coefficient"

    def __init__(
        self,
        *,
        pool_size: int | tuple[int, int] = 2,
        activation: Any = scaled_tanh,
        coefficient_initializer: Any = None,
        bias_initializer: Any = None,
        **options: Any,
    ) -> None:
        pool = _pair(pool_size)
        expect(
            len(pool) == 2 and all(isinstance(p, int) and p > 0 for p in pool),
            "pool_size of 1 or more",
            pool_size,
        )
        super().__init__(strides=pool, activation=activation, **options)
        fan_in = class_for(FanInUniform, self.keras)(fan_in=pool[0] * pool[1])
        self.pool_size = pool
        self.coefficient_initializer = self.keras.initializers.get(coefficient_initializer or fan_in)
        self.bias_initializer = self.keras.initializers.get(bias_initializer or fan_in)

    def build(self, input_shape: Any) -> None:
        """Make one coefficient and one bias per map."""
        expect(len(input_shape) == 4, "an input of (batch, height, width, channels)", tuple(input_shape))
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(
            name="coefficient", shape=maps, initializer=self.coefficient_initializer
        )
        self.bias = self.add_weight(name="bias", shape=maps, initializer=self.bias_initializer)
        super().build(input_shape)

    def assemble(self, weight: Any) -> Any:
        """Tile the coefficients (channels,) to the kernel (pool height, pool width, channels, 1)."""
        row = self.ops.reshape(weight, (1, 1, -1, 1))
        return self.ops.ones((*self.pool_size, 1, 1), row.dtype) * row

    def scale(
        self, weight: np.ndarray, *, by_input: np.ndarray | float = 1.0, by_output: np.ndarray | float = 1.0
    ) -> np.ndarray:
        """Scale each coefficient by both factors, as a map has one input and one output."""
        return weight * by_input * by_output

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape with one value per pool."""
        batch, height, width, channels = input_shape
        (down, right) = self.pool_size
        return (batch, height and height // down, width and width // right, channels)

    def get_config(self) -> dict[str, Any]:
        """Return every option of the constructor."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "coefficient_initializer": self.keras.initializers.serialize(self.coefficient_initializer),
            "bias_initializer": self.keras.initializers.serialize(self.bias_initializer),
        }


@_define
class PartialConv2D(AssembledConv2D):
    """A convolution in which each map is connected to only some input maps: C3 (pages 7 and 8, Table I).

        y[i, j, o] = f(bias[o] + sum over m in table[o], u, v of w[u, v, m->o] * x[i + u, j + v, m])

    In: (batch, height, width, maps). Out: (batch, height - rows + 1, width - columns + 1, len(table)).
    Only the weights of connections exist: `kernel` is (rows, columns, connections), its last axis in the
    order of the table, map after map. With Table I and 5x5, that is 60 connections, 1,500 weights and 16
    biases, instead of the 2,416 of a full convolution.

    >>> layer = PartialConv2D()
    >>> tuple(layer(np.ones((1, 14, 14, 6), "float32")).shape), layer.count_params()
    ((1, 10, 10, 16), 1516)

    `table`: for each output map the input maps it is connected to; Table I by default.
    `kernel_size`: one number or two. `activation`: the paper's scaled tanh by default. Raises
    InputError ("expected ..., got ...") on an empty row, a repeated map or a map that the input lacks.
    """

    operation = "conv2d"
    kernel_weight: ClassVar[str] = "kernel"

    def __init__(
        self,
        *,
        table: Sequence[Sequence[int]] = TABLE_I,
        kernel_size: int | tuple[int, int] = 5,
        activation: Any = scaled_tanh,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(activation=activation, **options)
        size = _pair(kernel_size)
        expect(
            len(size) == 2 and all(isinstance(s, int) and s > 0 for s in size),
            "kernel_size of 1 or more",
            kernel_size,
        )
        self.kernel_size = size
        self.table = tuple(tuple(row) for row in table)
        expect(self.table and all(self.table), "a connection table without an empty row", table)
        for row in self.table:
            expect(
                len(set(row)) == len(row) and min(row) >= 0, "each input map once in a row of the table", row
            )
        self.sources = np.array([m for row in self.table for m in row])
        self.targets = np.array([o for o, row in enumerate(self.table) for _ in row])
        uniform = class_for(FanInUniform, self.keras)
        fans = np.array([len(row) * size[0] * size[1] for row in self.table], np.float64)
        self.kernel_initializer = self.keras.initializers.get(
            kernel_initializer or uniform(fan_in=fans[self.targets].tolist())
        )
        self.bias_initializer = self.keras.initializers.get(bias_initializer or uniform(fan_in=fans.tolist()))

    def build(self, input_shape: Any) -> None:
        """Make the weights of the connections and one bias per map."""
        expect(len(input_shape) == 4, "an input of (batch, height, width, channels)", tuple(input_shape))
        self.maps = int(input_shape[-1])
        expect(
            self.sources.max() < self.maps,
            f"a table over {self.maps} input maps",
            f"map {self.sources.max()}",
        )
        connections, outputs = len(self.sources), len(self.table)
        # Each connection's place in the full kernel, as a one-hot row: multiplying by it scatters exactly.
        places = np.zeros((connections, self.maps * outputs), np.float32)
        places[np.arange(connections), self.sources * outputs + self.targets] = 1.0
        self.places = places
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, connections), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(outputs,), initializer=self.bias_initializer)
        super().build(input_shape)

    def assemble(self, weight: Any) -> Any:
        """Scatter (rows, columns, connections) into (rows, columns, maps, outputs), zero elsewhere."""
        rows = self.ops.reshape(weight, (-1, len(self.sources)))
        full = self.ops.matmul(rows, self.ops.cast(self.places, rows.dtype))
        return self.ops.reshape(full, (*self.kernel_size, self.maps, len(self.table)))

    def scale(
        self, weight: np.ndarray, *, by_input: np.ndarray | float = 1.0, by_output: np.ndarray | float = 1.0
    ) -> np.ndarray:
        """Scale each connection by its input map's and its output map's factor."""
        inputs = np.broadcast_to(by_input, self.maps)[self.sources]
        outputs = np.broadcast_to(by_output, len(self.table))[self.targets]
        return weight * inputs * outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of a "valid" convolution."""
        batch, height, width, _ = input_shape
        (rows, columns), (down, right) = self.kernel_size, self.strides
        return (
            batch,
            height and (height - rows) // down + 1,
            width and (width - columns) // right + 1,
            len(self.table),
        )

    def get_config(self) -> dict[str, Any]:
        """Return every option of the constructor."""
        return {
            **super().get_config(),
            "table": self.table,
            "kernel_size": self.kernel_size,
            "kernel_initializer": self.keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": self.keras.initializers.serialize(self.bias_initializer),
        }


@_define
class EuclideanRBF(LayerDefinition):
    """The output layer: one Euclidean radial basis function unit per class (eq. 7, page 8).

        y[j] = sum over i of (x[i] - codes[j, i])^2

    In: (batch, inputs). Out: (batch, classes), each 0 or more; the *smallest* is the answer. In
    probabilistic terms y[j] is, up to a constant, minus the log-likelihood of class j's code with
    Gaussian noise, so softmax(-y) gives probabilities.

    `codes`: (classes, inputs); the ten 7x12 bitmaps of the digits by default, for the 84 units of
    F6. `trainable_codes`: False as printed; True lets training change them.

    >>> tuple(EuclideanRBF()(np.ones((1, 84), "float32")).shape)
    (1, 10)
    """

    def __init__(self, *, codes: Any = None, trainable_codes: bool = False, **options: Any) -> None:
        super().__init__(**options)
        values = digit_codes() if codes is None else np.asarray(codes, np.float32)
        expect(values.ndim == 2 and values.size, "codes of (classes, inputs)", values.shape)
        self.initial_codes = values
        self.trainable_codes = trainable_codes

    def build(self, input_shape: Any) -> None:
        """Make the codes, fixed unless `trainable_codes`."""
        length = self.initial_codes.shape[1]
        expect(
            input_shape[-1] == length, f"an input of {length} values (a code's length)", tuple(input_shape)
        )
        initializer = self.keras.initializers.Constant(self.initial_codes)
        self.codes = self.add_weight(
            name="codes",
            shape=self.initial_codes.shape,
            initializer=initializer,
            trainable=self.trainable_codes,
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Return the squared distance from each code."""
        return self.ops.sum(self.ops.square(inputs[..., None, :] - self.codes), axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape with one value per code."""
        return (*input_shape[:-1], self.initial_codes.shape[0])

    def fold(self, inputs: list[Value], folding: Folding) -> Value:
        """Leave a dense layer: y_j = |x|^2 - 2 x.c_j + |c_j|^2, whose softmax does not see |x|^2."""
        codes = np.asarray(self.codes, np.float64)
        norms = (codes**2).sum(axis=1)
        scores = folding.dense(self.name, inputs[0], kernel=-2 * codes.T, bias=norms - norms.mean())
        return scores.up_to_a_shift()

    def get_config(self) -> dict[str, Any]:
        """Return the initial codes, and whether they are trained."""
        return {
            **super().get_config(),
            "codes": self.initial_codes.tolist(),
            "trainable_codes": self.trainable_codes,
        }


register_squashing(scaled_tanh, amplitude=AMPLITUDE, slope=SLOPE)
