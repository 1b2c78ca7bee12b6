"""Where does fine-tuning beat int8 after training? `python scripts/compare_quantisation.py --data DIR`

Each setting (bits of the kernels, one scale a channel or a tensor, how many calibration digits) is quantised
three ways: by TensorFlow's converter (8 bits only), with the ranges of `quantize_aware` and not trained, and
fine-tuned from there. A seed draws the calibration digits and the order of training. Writes
results/quantisation.json; a setting and seed that is there already is not measured again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from converters.base.arrays import percent
from converters.base.errors import exit_status
from converters.base.files import check_writable, write_json
from converters.base.machine import machine
from converters.base.options import command_parser
from lenet_edge.digits.mnist import Digits, cache_folder, held_out_digits, pad, test_digits, training_digits
from lenet_edge.packaged.files import released_folder

if TYPE_CHECKING:
    from lenet_edge.training.distorted_passes import Passes

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results" / "quantisation.json"
EPOCHS, TRAINING_DIGITS, SEEDS = 4, 20_000, (1, 2, 3)


class Setting(NamedTuple):
    """How kernels are quantised and what the ranges of activations are found from."""

    bits: int
    per_channel: bool
    calibration: int


SETTINGS = (
    Setting(8, True, 500),
    Setting(8, False, 500),
    Setting(8, True, 10),
    Setting(8, True, 1),
    Setting(4, True, 500),
    Setting(4, False, 500),
    Setting(3, True, 500),
)


def by_the_converter(model: Any, setting: Setting, calibration: np.ndarray) -> bytes:
    """Return TensorFlow's int8 after training, as everybody does it."""
    from converters.base.environment import tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter._experimental_disable_per_channel = not setting.per_channel
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    converter.representative_dataset = lambda: ([one[None]] for one in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def measured(scores: np.ndarray, exact: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return error, agreement with the exact model (percent) and the mean difference of scores."""
    read = scores.argmax(axis=1)
    return {
        "error": percent(read != labels),
        "agreement": percent(read == exact.argmax(axis=1)),
        "mean_difference": float(np.abs(scores - exact).mean()),
    }


def compare(setting: Setting, seed: int, exact: Any, passes: Passes, held_out: Digits) -> dict[str, Any]:
    """Return what each way makes of the test digits."""
    from converters.model.quantize_aware import quantize_aware  # these load TensorFlow
    from converters.runtimes.tensorflow_interpreter import run
    from lenet_edge.paper.answers import as_input, outputs_of
    from lenet_edge.training.fine_tuning import fine_tune, fine_tuning_recipe
    from lenet_edge.training.fine_tuning_run import calibration_images

    test = test_digits()
    pictures = pad(test.images)
    wanted = outputs_of(exact, pictures)
    images = calibration_images(setting.calibration, seed=seed)
    calibration = as_input(exact, pad(images))
    found: dict[str, Any] = {**setting._asdict(), "seed": seed}
    if setting.bits == 8:
        content = by_the_converter(exact, setting, calibration)
        scores = run(content, as_input(exact, pictures))
        found["converter"] = measured(scores, wanted, test.labels)
    model = quantize_aware(
        exact, calibration=calibration, weight_bits=setting.bits, per_channel=setting.per_channel
    )
    found["calibrated"] = measured(outputs_of(model, pictures), wanted, test.labels)
    rate = 1e-5 if setting.bits == 8 else 1e-4
    recipe = fine_tuning_recipe(epochs=EPOCHS, batch_size=128, learning_rate=rate, seed=seed)
    with tempfile.TemporaryDirectory() as out:
        rows = outputs_of(exact, pad(held_out.images))
        fine_tune(model, recipe, passes, held_out, exact=rows, out=Path(out), verbose=0)
    found["fine_tuned"] = measured(outputs_of(model, pictures), wanted, test.labels)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every setting with every seed."""
    parser = command_parser(name="compare_quantisation.py", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with MNIST's IDX files")
    options = parser.parse_args(argv)
    check_writable(RESULTS)
    from converters.base.environment import versions  # these load TensorFlow
    from converters.model.folding import fold
    from lenet_edge.packaged.models import released_model
    from lenet_edge.paper.answers import outputs_of
    from lenet_edge.training.distorted_passes import Passes, Teacher

    training = training_digits(data=options.data)
    training = Digits(training.images[:TRAINING_DIGITS], training.labels[:TRAINING_DIGITS])
    held_out = held_out_digits(data=options.data)
    exact = fold(released_model("lenet5"))
    passes = Passes(
        digits=training,
        folder=cache_folder() / "passes",
        seed=1998,
        count=4,
        gentle_count=2,
        teachers=[Teacher("released", lambda pictures: outputs_of(exact, pictures))],
    )
    weights = released_folder() / "lenet5.npz"
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    done = {(row["bits"], row["per_channel"], row["calibration"], row["seed"]) for row in rows}
    for seed in SEEDS:
        for setting in SETTINGS:
            if (*setting, seed) in done:
                continue
            rows.append(compare(setting, seed, exact, passes, held_out))
            print(rows[-1], flush=True)
            write_json(
                RESULTS,
                {
                    "command": "python scripts/compare_quantisation.py --data MNIST",
                    "versions": versions(),
                    "machine": machine(),
                    "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
                    "epochs": EPOCHS,
                    "training_digits": TRAINING_DIGITS,
                    "rows": rows,
                },
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name="compare_quantisation.py"))
