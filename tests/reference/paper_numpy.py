"""The paper's layers in plain NumPy loops, written from its sentences (pages 7 to 9, appendix A).

Slow, in float64, and sharing nothing with the package: what the Keras layers are checked against.
Each forward function has a backward one that takes the derivative of some criterion by its output and
returns those by its input and its weights.
"""

from __future__ import annotations

import numpy as np

# Table I, page 8, as printed: rows are maps of S2, columns maps of C3, X is a connection.
TABLE_I_PRINTED = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


def printed_table() -> list[list[int]]:
    """Return the maps of S2 that each map of C3 is connected to."""
    rows = [line.split() for line in TABLE_I_PRINTED.strip().splitlines()]
    return [[m for m in range(6) if rows[m][o] == "X"] for o in range(16)]


def squash(a: np.ndarray) -> np.ndarray:
    """f(a) = A tanh(S a), A = 1.7159, S = 2/3."""
    return 1.7159 * np.tanh(2 * a / 3)


def squash_slope(a: np.ndarray) -> np.ndarray:
    """f'(a) = A S (1 - tanh^2(S a))."""
    return 1.7159 * 2 / 3 * (1 - np.tanh(2 * a / 3) ** 2)


def subsample(x: np.ndarray, coefficient: np.ndarray, bias: np.ndarray, pool: tuple[int, int]) -> np.ndarray:
    """Add the inputs of a pool, multiply by a trainable coefficient, add a trainable bias, squash."""
    return squash(_subsample_sums(x, pool) * coefficient + bias)


def _subsample_sums(x: np.ndarray, pool: tuple[int, int]) -> np.ndarray:
    n, height, width, maps = x.shape
    sums = np.zeros((n, height // pool[0], width // pool[1], maps))
    for i in range(sums.shape[1]):
        for j in range(sums.shape[2]):
            for u in range(pool[0]):
                for v in range(pool[1]):
                    sums[:, i, j] += x[:, i * pool[0] + u, j * pool[1] + v]
    return sums


def subsample_backward(
    x: np.ndarray, coefficient: np.ndarray, bias: np.ndarray, pool: tuple[int, int], by_output: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the derivatives by x, coefficient and bias."""
    sums = _subsample_sums(x, pool)
    by_sum = by_output * squash_slope(sums * coefficient + bias)
    by_x = np.zeros(x.shape)
    for i in range(sums.shape[1]):
        for j in range(sums.shape[2]):
            for u in range(pool[0]):
                for v in range(pool[1]):
                    by_x[:, i * pool[0] + u, j * pool[1] + v] += by_sum[:, i, j] * coefficient
    return by_x, (by_sum * sums).sum(axis=(0, 1, 2)), by_sum.sum(axis=(0, 1, 2))


def partial_convolution(
    x: np.ndarray, kernels: dict[tuple[int, int], np.ndarray], bias: np.ndarray, table: list[list[int]]
) -> np.ndarray:
    """Squash bias[o] plus the sum of each connected map m convolved by kernels[m, o]."""
    return squash(_partial_sums(x, kernels, bias, table))


def _partial_sums(
    x: np.ndarray, kernels: dict[tuple[int, int], np.ndarray], bias: np.ndarray, table: list[list[int]]
) -> np.ndarray:
    rows, columns = next(iter(kernels.values())).shape
    n, height, width, _ = x.shape
    sums = np.zeros((n, height - rows + 1, width - columns + 1, len(table))) + bias
    for o, sources in enumerate(table):
        for m in sources:
            for i in range(sums.shape[1]):
                for j in range(sums.shape[2]):
                    window = x[:, i : i + rows, j : j + columns, m]
                    sums[:, i, j, o] += (window * kernels[m, o]).sum(axis=(1, 2))
    return sums


def partial_convolution_backward(
    x: np.ndarray,
    kernels: dict[tuple[int, int], np.ndarray],
    bias: np.ndarray,
    table: list[list[int]],
    by_output: np.ndarray,
) -> tuple[np.ndarray, dict[tuple[int, int], np.ndarray], np.ndarray]:
    """Return the derivatives by x, each kernel and the biases."""
    by_sum = by_output * squash_slope(_partial_sums(x, kernels, bias, table))
    return *_handed_on(x, kernels, table, by_sum), by_sum.sum(axis=(0, 1, 2))


def _handed_on(
    x: np.ndarray, kernels: dict[tuple[int, int], np.ndarray], table: list[list[int]], by_sum: np.ndarray
) -> tuple[np.ndarray, dict[tuple[int, int], np.ndarray]]:
    """Return what each connection hands on from its sum: to x times the weight, to the weight times x."""
    rows, columns = next(iter(kernels.values())).shape
    by_x = np.zeros(x.shape)
    by_kernels = {key: np.zeros(kernel.shape) for key, kernel in kernels.items()}
    for o, sources in enumerate(table):
        for m in sources:
            for i in range(by_sum.shape[1]):
                for j in range(by_sum.shape[2]):
                    here = by_sum[:, i, j, o][:, None, None]
                    by_x[:, i : i + rows, j : j + columns, m] += here * kernels[m, o]
                    by_kernels[m, o] += (here * x[:, i : i + rows, j : j + columns, m]).sum(axis=0)
    return by_x, by_kernels


def rbf(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Eq. 7: y_i = sum over j of (x_j - w_ij)^2."""
    return np.array([[sum((row[j] - code[j]) ** 2 for j in range(len(code))) for code in codes] for row in x])


def rbf_backward(x: np.ndarray, codes: np.ndarray, by_output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivatives by x and the codes."""
    difference = x[:, None, :] - codes[None, :, :]
    by_difference = 2 * difference * by_output[:, :, None]
    return by_difference.sum(axis=1), -by_difference.sum(axis=0)


def eq_8(distances: np.ndarray, labels: np.ndarray) -> float:
    """E = 1/P sum of y_D."""
    return sum(row[label] for row, label in zip(distances, labels, strict=True)) / len(labels)


def eq_9(distances: np.ndarray, labels: np.ndarray, j: float) -> float:
    """E = 1/P sum of y_D + log(e^-j + sum of e^-y_i)."""
    total = 0.0
    for row, label in zip(distances, labels, strict=True):
        total += row[label] + np.log(np.exp(-j) + np.exp(-row).sum())
    return total / len(labels)


def eq_9_backward(distances: np.ndarray, labels: np.ndarray, j: float) -> np.ndarray:
    """Return the derivatives of eq. 9 by the distances."""
    shares = np.exp(-distances) / (np.exp(-j) + np.exp(-distances).sum(axis=1, keepdims=True))
    desired = np.eye(distances.shape[1])[labels]
    return (desired - shares) / len(labels)


def partial_convolution_second(
    x: np.ndarray,
    kernels: dict[tuple[int, int], np.ndarray],
    bias: np.ndarray,
    table: list[list[int]],
    by_output: np.ndarray,
) -> tuple[np.ndarray, dict[tuple[int, int], np.ndarray], np.ndarray]:
    """Return the second derivatives by x, each kernel and the biases, as appendix C hands them on.

    Connection by connection: that of a weight is the sum over the connections that share it.
    """
    by_sum = by_output * squash_slope(_partial_sums(x, kernels, bias, table)) ** 2
    squares = {key: kernel**2 for key, kernel in kernels.items()}
    return *_handed_on(x**2, squares, table, by_sum), by_sum.sum(axis=(0, 1, 2))


def subsample_second(
    x: np.ndarray, coefficient: np.ndarray, bias: np.ndarray, pool: tuple[int, int], by_output: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the second derivatives by x, coefficient and bias: the coefficient's input is the sum."""
    sums = _subsample_sums(x, pool)
    by_sum = by_output * squash_slope(sums * coefficient + bias) ** 2
    by_x = np.zeros(x.shape)
    for i in range(by_sum.shape[1]):
        for j in range(by_sum.shape[2]):
            for u in range(pool[0]):
                for v in range(pool[1]):
                    by_x[:, i * pool[0] + u, j * pool[1] + v] += by_sum[:, i, j] * coefficient**2
    return by_x, (by_sum * sums**2).sum(axis=(0, 1, 2)), by_sum.sum(axis=(0, 1, 2))


TABLES = {
    "C1": [[0]] * 6,
    "S2": None,
    "C3": printed_table(),
    "S4": None,
    "C5": [list(range(16))] * 120,
    "F6": [list(range(120))] * 84,
}
"""The layers of figure 2: which maps each map is connected to, None for subsampling."""


def signals(pixels: np.ndarray, weights: dict[str, list[np.ndarray]]) -> list[np.ndarray]:
    """Return pixels (n, 32, 32) from 0 to 255 as C1 sees them, then each layer's output.

    `weights`: by layer, the weight and the bias as the Keras model has them, but C3's kernel in full:
    (5, 5, 6, 16), of which only the connections count.
    """
    found = [pixels[..., None] * 0.005 - 0.1]
    for name, table in TABLES.items():
        weight, bias = weights[name]
        if table is None:
            found.append(subsample(found[-1], weight, bias, (2, 2)))
        else:
            found.append(partial_convolution(found[-1], _kernels(weight, table), bias, table))
    return found


def distances(pixels: np.ndarray, weights: dict[str, list[np.ndarray]], codes: np.ndarray) -> np.ndarray:
    """Return the net's output (n, 10)."""
    return rbf(signals(pixels, weights)[-1].reshape(len(pixels), 84), codes)


def gradient(
    pixels: np.ndarray,
    labels: np.ndarray,
    weights: dict[str, list[np.ndarray]],
    codes: np.ndarray,
    j: float,
    *,
    scale: float,
) -> dict[str, list[np.ndarray]]:
    """Return the derivatives of eq. 9 by all weights, shaped like them; eq. 7 multiplied by `scale`."""
    output = signals(pixels, weights)[-1].reshape(len(pixels), 84)
    by_distances = scale * eq_9_backward(scale * rbf(output, codes), labels, j)
    by_output, _ = rbf_backward(output, codes, by_distances)
    return _down(pixels, weights, by_output, partial_convolution_backward, subsample_backward)


def second_derivatives(
    pixels: np.ndarray, weights: dict[str, list[np.ndarray]], *, scale: float
) -> dict[str, list[np.ndarray]]:
    """Return h_kk by all weights, summed over the pictures: that of y_D by each output of F6 is 2 `scale`."""
    by_output = np.full((len(pixels), 84), 2 * scale)
    return _down(pixels, weights, by_output, partial_convolution_second, subsample_second)


def _down(pixels, weights, by_output, by_convolution, by_subsampling):
    """Hand `by_output` (n, 84) down through the layers and return what reaches each weight."""
    inputs = signals(pixels, weights)
    by_output, found = by_output[:, None, None, :], {}
    for place, (name, table) in reversed(list(enumerate(TABLES.items()))):
        weight, bias = weights[name]
        x = inputs[place]
        if table is None:
            by_output, by_weight, by_bias = by_subsampling(x, weight, bias, (2, 2), by_output)
        else:
            kernels = _kernels(weight, table)
            by_output, by_kernels, by_bias = by_convolution(x, kernels, bias, table, by_output)
            by_weight = _as_weight(by_kernels, table, weight.shape)
        found[name] = [by_weight, by_bias]
    return found


def _kernels(weight: np.ndarray, table: list[list[int]]) -> dict[tuple[int, int], np.ndarray]:
    """Return the kernel of a convolution or a dense layer, one matrix per connection of two maps."""
    full = weight if weight.ndim == 4 else weight[None, None]
    return {(m, o): full[:, :, m, o] for o, sources in enumerate(table) for m in sources}


def _as_weight(kernels: dict, table: list[list[int]], shape: tuple[int, ...]) -> np.ndarray:
    """Return matrices per connection as `_kernels` takes them; 0 where there is none."""
    weight = np.zeros(shape)
    for (m, o), kernel in _kernels(weight, table).items():  # views of `weight`
        kernel[:] = kernels[m, o]
    return weight
