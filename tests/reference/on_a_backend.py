"""Use LeNet-5 on one backend of Keras 3: `KERAS_BACKEND=jax python on_a_backend.py START OUT`.

Reads the first weights from the folder START (start.npz). Writes to the folder OUT what can be compared with
another backend: the outputs before and after a pass over some hundred digits, the losses, the weights, the
saved net. On another backend than TensorFlow nothing can import TensorFlow, as if there were none.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

TENSORFLOW = ("tensorflow", "tf_keras", "tensorflow_model_optimization")


class Hiding:
    """A finder of modules that finds none of TensorFlow's, as if they were not installed."""

    def __init__(self, finder: Any) -> None:
        self.finder = finder

    def find_spec(self, name: str, *more: Any) -> Any:
        return None if name.partition(".")[0] in TENSORFLOW else self.finder.find_spec(name, *more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)


def main(start: Path, out: Path) -> None:
    """Write weights.npz, numbers.npz, net.keras and net.weights.h5 to `out`."""
    backend = os.environ["KERAS_BACKEND"]
    if backend != "tensorflow":
        sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
    from lenet_edge import MAPLoss, MinimumDistanceLoss, calibration_digits, lenet5, released_model
    from lenet_edge.digits.mnist import pad
    from lenet_edge.packaged.weights import load_weights, save_weights
    from lenet_edge.paper.answers import as_input, outputs_of

    import keras  # isort: skip: the package first, which must not choose another backend

    assert keras.backend.backend() == backend
    images, labels = calibration_digits()
    pictures, labels = pad(images), labels.astype(np.int32)
    model = lenet5()
    load_weights(model, start / "start.npz")
    before = outputs_of(model, pictures[:100])
    convert = keras.ops.convert_to_numpy
    losses = [convert(loss(labels[:100], before)) for loss in (MAPLoss(), MinimumDistanceLoss())]

    model.compile(keras.optimizers.SGD(1e-3), MAPLoss())
    pixels = as_input(model, pictures[:300])
    history = model.fit(pixels, labels[:300], batch_size=20, shuffle=False, verbose=0).history["loss"]
    after = outputs_of(model, pictures[:100])
    model.save(out / "net.keras")
    model.save_weights(out / "net.weights.h5")
    loaded, fresh = keras.models.load_model(out / "net.keras"), lenet5()
    fresh.load_weights(out / "net.weights.h5")
    for again in (loaded, fresh):
        np.testing.assert_array_equal(outputs_of(again, pictures[:100]), after)

    save_weights(model, out / "weights.npz", scale=-1.0)
    np.savez(
        out / "numbers.npz",
        before=before,
        after=after,
        losses=losses,
        training_loss=history,
        scores=outputs_of(released_model("lenet5"), pictures),
        stock_scores=outputs_of(released_model("stock_lenet5"), pictures),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
