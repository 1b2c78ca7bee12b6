"""The faults that scripts/mutants.py plants, one by one: what stands in the code, and what it becomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A planted fault: in `file`, `text`, which stands there once, becomes `becomes`.

    `meaning`: what is wrong then, in a line. `tests`: the test files that should find it, in tests/, the
    likeliest first.
    """

    name: str
    file: str
    text: str
    becomes: str
    meaning: str
    tests: tuple[str, ...]


def _fault(name: str, file: str, text: str, becomes: str, *, meaning: str, tests: str) -> Fault:
    return Fault(
        name=name, file=file, text=text, becomes=becomes, meaning=meaning, tests=tuple(tests.split())
    )


FAULTS = (
    # What both packages use.
    _fault(
        "file-mode",
        "converters/base/files.py",
        "os.chmod(temporary, 0o666 & ~_umask())",
        "os.chmod(temporary, 0o600)",
        meaning="a written file is its owner's alone, whatever the umask says",
        tests="converters/base/test_errors_and_files.py",
    ),
    _fault(
        "interrupted-status",
        "converters/base/errors.py",
        "        return 130\n",
        "        return 2\n",
        meaning="Ctrl-C ends a command with the status of bad input",
        tests="converters/base/test_errors_and_files.py",
    ),
    # The Keras side: layers, folding, quantising, conversion.
    _fault(
        "uneven-strides",
        "converters/model/assembled.py",
        "[:, ::down, ::right]",
        "[:, ::right, ::down]",
        meaning="a pool of 2x3 moves by 3x2",
        tests="lenet_edge/paper/test_layers.py",
    ),
    _fault(
        "subsampling-scale",
        "lenet_edge/paper/layers.py",
        "return weight * by_input * by_output\n",
        "return weight * by_output\n",
        meaning="folding loses what a subsampling layer's input is scaled by",
        tests="converters/model/test_folding.py",
    ),
    _fault(
        "table-one",
        "lenet_edge/paper/layers.py",
        "(0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)",
        "(0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 4)",
        meaning="map 14 of C3 takes its inputs from other maps than Table I says",
        tests="lenet_edge/paper/test_layers.py lenet_edge/paper/test_model.py",
    ),
    _fault(
        "map-loss",
        "lenet_edge/paper/losses.py",
        "tf.concat([rubbish, -y_pred], axis=1)",
        "tf.concat([rubbish, y_pred], axis=1)",
        meaning="equation 9 pulls the other classes' distances down",
        tests="lenet_edge/paper/test_losses.py",
    ),
    _fault(
        "fold-max-pooling",
        "converters/model/fold_rules.py",
        "if np.any(np.asarray(inputs[0].factor) < 0) or",
        "if np.all(np.asarray(inputs[0].factor) < 0) or",
        meaning="a negative factor of one channel is moved past a maximum",
        tests="converters/model/test_folding.py",
    ),
    _fault(
        "fold-batch-normalisation",
        "converters/model/fold_rules.py",
        "factor = 1 / np.sqrt(variance + layer.epsilon)",
        "factor = 1 / np.sqrt(variance)",
        meaning="a folded batch normalisation forgets its epsilon",
        tests="converters/model/test_folding.py",
    ),
    _fault(
        "fold-offset",
        "converters/model/fold_values.py",
        "offset=self.offset * factor + offset)",
        "offset=self.offset + offset)",
        meaning="two scalings in a row fold into one with another offset",
        tests="converters/model/test_folding.py",
    ),
    _fault(
        "dense-per-channel",
        "converters/model/quantize_aware.py",
        'channels = per_channel and form != "dense"',
        "channels = per_channel",
        meaning="a dense kernel is fine-tuned with scales that the file does not have",
        tests="converters/model/test_quantize_aware.py",
    ),
    _fault(
        "zero-point",
        "converters/model/activation_ranges.py",
        "zero_point = np.rint(-low / scale)",
        "zero_point = -low / scale",
        meaning="a range is fitted whose steps do not meet 0",
        tests="converters/model/test_activation_ranges.py",
    ),
    _fault(
        "conversion-dense-scales",
        "converters/model/lite_converter.py",
        "converter._experimental_disable_per_channel_quantization_for_dense_layers = True",
        "converter._experimental_disable_per_channel_quantization_for_dense_layers = False",
        meaning="dense kernels get scales that NNAPI and tflite-runtime refuse",
        tests="converters/model/test_conversion.py",
    ),
    _fault(
        "calibration-range",
        "converters/model/calibration_samples.py",
        "most - least >= (high - low) / 2",
        "most - least >= 0",
        meaning="calibration inputs that were scaled to 0..1 by mistake are taken for pixels",
        tests="converters/test_main.py",
    ),
    # The bytes of a .tflite file.
    _fault(
        "same-padding",
        "converters/file/phases.py",
        "needed // 2 == before",
        "needed - needed // 2 == before",
        meaning="an odd padding lies on the other side",
        tests="converters/file/test_phases.py converters/file/test_lowering.py",
    ),
    _fault(
        "lowered-bias",
        "converters/file/lowering.py",
        "np.tile(weights.bias, count)",
        "np.repeat(weights.bias, count)",
        meaning="a laid-out convolution adds the biases of other channels",
        tests="converters/file/test_lowering.py",
    ),
    _fault(
        "dropped-operators",
        "converters/file/rewriting.py",
        "    for operator in reversed(operators):\n",
        "    for operator in operators:\n",
        meaning="rewriting drops operators that others need",
        tests="converters/file/test_lowering.py converters/file/test_resizing.py",
    ),
    _fault(
        "resized-dilation",
        "converters/file/resizing.py",
        "(columns - 1) * dilations[1] + 1",
        "columns",
        meaning="a resized file of dilated kernels tells shapes that are too wide",
        tests="converters/file/test_resizing.py",
    ),
    _fault(
        "unsound-window",
        "converters/file/soundness/windows.py",
        "room = tuple(side - far + 1 for side, far in zip(room, reach, strict=True))",
        "room = tuple(side - far + 2 for side, far in zip(room, reach, strict=True))",
        meaning="windows are held to make one row more than they do, so that sound files are refused",
        tests="converters/file/soundness/test_soundness.py",
    ),
    _fault(
        "unsound-constant",
        "converters/file/soundness/tensors.py",
        "right = len(tensor.data) == tensor.bytes",
        "right = len(tensor.data) >= 1",
        meaning="a kernel may read past the end of a constant",
        tests="converters/file/soundness/test_soundness.py",
    ),
    # Running it.
    _fault(
        "truncated-values",
        "converters/runtimes/stored_values.py",
        "np.rint(values / scale) + zero_point",
        "np.trunc(values / scale) + zero_point",
        meaning="inputs are cut off to steps and not rounded",
        tests="converters/model/test_conversion.py",
    ),
    _fault(
        "column-zero-point",
        "converters/runtimes/column_worker.py",
        '"zero_point": int(zero_point),',
        '"zero_point": 0,',
        meaning="a column's process forgets the zero point of its answers",
        tests="converters/runtimes/test_columns.py",
    ),
    _fault(
        "column-death",
        "converters/runtimes/columns.py",
        "self._stop()  # it ended after its last answer: not of this file",
        "pass",
        meaning="a file is blamed for the end of the process that ran the one before",
        tests="converters/runtimes/test_columns.py",
    ),
    _fault(
        "delegate-truth",
        "converters/runtimes/sessions.py",
        'delegate=name if taken else "",',
        "delegate=name,",
        meaning="a delegate that takes nothing is said to run",
        tests="converters/runtimes/test_sessions.py",
    ),
    # What each delegate takes.
    _fault(
        "nnapi-tanh",
        "converters/delegates/nnapi.py",
        '"TANH": Rule(2, (input_type({27: _FLOAT, 29: _FLOAT_OR_8}),))',
        '"TANH": Rule(2, (input_type({27: _FLOAT_OR_8}),))',
        meaning="NNAPI is said to take an int8 tanh two API levels too early",
        tests="converters/delegates/test_delegates.py",
    ),
    _fault(
        "gpu-rank",
        "converters/delegates/gpu.py",
        "        if len(tensor.shape) > 4:\n",
        "        if len(tensor.shape) > 5:\n",
        meaning="the GPU delegate is said to take tensors of rank 5",
        tests="converters/delegates/test_delegates.py",
    ),
    # The proof.
    _fault(
        "bankers-rounding",
        "converters/proof/exact_arithmetic.py",
        "return tf.sign(stored) * tf.floor(tf.abs(stored) + 0.5)",
        "return tf.round(stored)",
        meaning="the ideal kernel rounds halves to even",
        tests="converters/proof/test_exact_arithmetic.py",
    ),
    _fault(
        "blank-paper",
        "converters/proof/noise.py",
        "together = tf.square(tf.reduce_sum(gradient * blank, axis=[1, 2]))",
        "together = tf.reduce_sum(tf.square(gradient * blank), axis=[1, 2])",
        meaning="blank pixels are taken to be rounded independently, so that the tolerance is too narrow",
        tests="converters/proof/test_tolerance.py",
    ),
    _fault(
        "lenient-comparison",
        "converters/proof/graph_comparison.py",
        "allowed * (1 + 1e-3)",
        "allowed * (3 + 1e-3)",
        meaning="a weight may be off by one and a half steps",
        tests="converters/proof/test_graph_comparison.py",
    ),
    # Time.
    _fault(
        "narrow-interval",
        "converters/timing/statistics.py",
        "    return Estimate(float(np.median(ordered)), float(ordered[cut]), float(ordered[-1 - cut]))",
        "    return Estimate(float(np.median(ordered)), float(ordered[cut + 1]), float(ordered[-2 - cut]))",
        meaning="an interval of 95 % is one of less",
        tests="converters/timing/test_measuring.py",
    ),
    _fault(
        "ratio-upside-down",
        "converters/timing/measuring.py",
        "float(np.median(one / other))",
        "float(np.median(other / one))",
        meaning="a model that takes twice as long is said to take half the time",
        tests="converters/timing/test_measuring.py",
    ),
    _fault(
        "compared-intervals",
        "lenet_edge/benchmarking/comparison.py",
        "b.low / a.high, b.high / a.low",
        "b.low / a.low, b.high / a.high",
        meaning="two boards differ for certain whose intervals overlap",
        tests="lenet_edge/test_benchmark.py",
    ),
    # Digits.
    _fault(
        "idx-left-over",
        "lenet_edge/digits/idx.py",
        "values = _read_up_to(stream, count + 1)",
        "values = _read_up_to(stream, count)",
        meaning="an IDX file with bytes left over, or broken gzip behind them, is read",
        tests="lenet_edge/digits/test_idx.py",
    ),
    _fault(
        "held-out",
        "lenet_edge/digits/mnist.py",
        "chosen = _split()[HELD_OUT:]",
        "chosen = _split()[:-HELD_OUT]",
        meaning="the held-out digits are trained on",
        tests="lenet_edge/digits/test_mnist.py",
    ),
    _fault(
        "labels-checked",
        "lenet_edge/digits/mnist.py",
        "expect(not np.any(labels > 9)",
        "expect(not np.any(labels > 10)",
        meaning="a label of 10 passes for a digit",
        tests="lenet_edge/digits/test_mnist.py",
    ),
    # The packaged models.
    _fault(
        "weights-finite",
        "lenet_edge/packaged/weights.py",
        "all(np.isfinite(array).all() for array in arrays.values())",
        "any(np.isfinite(array).all() for array in arrays.values())",
        meaning="weights that are no numbers are loaded",
        tests="lenet_edge/packaged/test_weights.py",
    ),
    _fault(
        "layout-proof",
        "lenet_edge/packaged/layouts.py",
        'expect(difference <= allowed, "a layout',
        'expect(difference >= 0, "a layout',
        meaning="a layout that changes scores is written",
        tests="lenet_edge/packaged/test_layouts.py",
    ),
    # From a picture to what the model sees.
    _fault(
        "ink-of-drawing",
        "lenet_edge/picture/ink.py",
        "return black > white if bare > 0.2 else None",
        "return black < white if bare > 0.2 else None",
        meaning="a drawing's paper is taken for its ink",
        tests="lenet_edge/picture/test_drawn_digits.py lenet_edge/picture/test_digit.py",
    ),
    _fault(
        "rules-everywhere",
        "lenet_edge/picture/ruled_lines.py",
        "present.mean() >= 0.75",
        "present.mean() >= 0.1",
        meaning="strokes are taken out of the ink as printed rules",
        tests="lenet_edge/picture/test_digit.py",
    ),
    _fault(
        "crowded",
        "lenet_edge/picture/segment.py",
        "p.longer >= 0.4 * size and p.area >= 0.15 * main.area",
        "p.longer >= 4 * size and p.area >= 0.15 * main.area",
        meaning="of two digits on a page one is read without a word",
        tests="lenet_edge/picture/test_digit.py",
    ),
    _fault(
        "centre-of-mass",
        "lenet_edge/picture/mnist_form.py",
        "int(np.floor(MNIST_SIDE / 2 - row + 0.5))",
        "int(np.floor(MNIST_SIDE / 2 - row - 0.5))",
        meaning="a digit's centre of mass is a row off MNIST's",
        tests="lenet_edge/picture/test_digit.py",
    ),
    _fault(
        "drawing-in-integers",
        "lenet_edge/picture/drawing.py",
        "((MNIST_SIDE + 1) * total - 2",
        "(MNIST_SIDE * total - 2",
        meaning="a drawing is placed half a pixel off",
        tests="lenet_edge/picture/test_drawing.py",
    ),
    _fault(
        "line-slope",
        "lenet_edge/picture/line/layout.py",
        "costs.append(away / (_WOBBLE * usual) + _NEW_LINE * len(lines) + unlikely)",
        "costs.append(_NEW_LINE * len(lines) + unlikely)",
        meaning="a sloping line of digits is laid out as if it were level",
        tests="lenet_edge/picture/line/test_line.py",
    ),
    _fault(
        "line-extent",
        "lenet_edge/picture/line/strip.py",
        "directions = np.array([[cos, -sin], [sin, cos]])",
        "directions = np.array([[cos, sin], [-sin, cos]])",
        meaning="a turned line is turned twice as far and not back",
        tests="lenet_edge/picture/line/test_line.py",
    ),
    # Reading.
    _fault(
        "equal-neighbours",
        "lenet_edge/runtime/string_decoder.py",
        "allowed[_LATER, _FIRST] = ~same",
        "allowed[_LATER, _FIRST] = True",
        meaning="one wide digit is read as two equal ones",
        tests="lenet_edge/runtime/test_string_decoder.py",
    ),
    _fault(
        "decoder-share",
        "lenet_edge/runtime/string_decoder.py",
        "start, stop = max(run.start - 1, free), min(run.start + 2, len(rows))",
        "start, stop = max(run.start, free), min(run.start + 2, len(rows))",
        meaning="a digit's probability leaves out paths that begin it a window earlier",
        tests="lenet_edge/runtime/test_string_decoder.py",
    ),
    _fault(
        "string-pieces",
        "lenet_edge/runtime/string_reader.py",
        "piece = padded[:, geometry.STEP * start :][:, : shape[2]]",
        "piece = padded[:, FIELD * start :][:, : shape[2]]",
        meaning="a wide picture's second piece is taken from elsewhere",
        tests="lenet_edge/runtime/test_string_reader.py",
    ),
    _fault(
        "half-written",
        "lenet_edge/reading/watched_folder.py",
        "if stamp[0] and self._previous.get(name) == stamp and",
        "if stamp[0] and",
        meaning="a picture is read while it is still being written",
        tests="lenet_edge/reading/test_watched_folder.py",
    ),
    _fault(
        "csv-finding",
        "lenet_edge/reading/digit_output.py",
        '    fields["finding"] = answer.prepared.finding.value\n',
        "",
        meaning="the CSV does not say which pictures show a digit",
        tests="lenet_edge/reading/test_digit_output.py lenet_edge/test_classify.py",
    ),
    _fault(
        "delegate-option",
        "lenet_edge/reading/options.py",
        'pair.partition("=")',
        'pair.rpartition("=")',
        meaning="an option of a delegate is cut at its last equals sign",
        tests="lenet_edge/test_classify.py",
    ),
    # Parity.
    _fault(
        "mcnemar-tail",
        "converters/proof/mcnemar.py",
        "min(1.0, 2 * (tail / 2**divided))",
        "min(1.0, tail / 2**divided)",
        meaning="McNemar's p is one-sided",
        tests="converters/proof/test_mcnemar.py",
    ),
    _fault(
        "imported-delegate",
        "lenet_edge/parity/imported.py",
        '"taken": 0 <= taken <= answer["nodes"] and bool(taken) == bool(delegate),',
        '"taken": 0 <= taken <= answer["nodes"],',
        meaning="an app may name a delegate that took nothing",
        tests="lenet_edge/parity/test_imported.py",
    ),
    _fault(
        "golden-limits",
        "lenet_edge/parity/golden.py",
        "why=self._why(np.maximum(low - stored, stored - high) * step),",
        "why=self._why((low - stored) * step),",
        meaning="a golden score has no upper limit",
        tests="lenet_edge/parity/test_imported.py",
    ),
    _fault(
        "matrix-findings",
        "lenet_edge/parity/matrix.py",
        "        if file.findings:\n",
        "        if file.findings and cell.why:\n",
        meaning="a file with other weights than its model's is within tolerance if its scores happen to be",
        tests="lenet_edge/parity/test_parity.py",
    ),
    # Training.
    _fault(
        "distortion-turn",
        "lenet_edge/training/distortions.py",
        "rows = sin * wide * x + cos * high * y",
        "rows = cos * high * y - sin * wide * x",
        meaning="what should turn a digit shears it",
        tests="lenet_edge/training/test_distortions.py",
    ),
    _fault(
        "resumed-order",
        "lenet_edge/training/loop.py",
        "np.random.default_rng((recipe.seed, epoch)).permutation(len(passes.digits.labels))",
        "np.random.default_rng((recipe.seed, epoch - first_epoch)).permutation(len(passes.digits.labels))",
        meaning="a resumed training reads its batches in another order",
        tests="lenet_edge/training/test_training.py",
    ),
    _fault(
        "averaged-weights",
        "lenet_edge/training/loop.py",
        "            variable.assign(average)\n",
        "            variable.assign(variable)\n",
        meaning="an epoch's error is that of its last weights and not of the averaged ones",
        tests="lenet_edge/training/test_training.py",
    ),
    _fault(
        "calibration-sign",
        "lenet_edge/training/score_calibration.py",
        "abs(correct[place == b].mean() - confidence[place == b].mean())",
        "(correct[place == b].mean() - confidence[place == b].mean())",
        meaning="over-confidence in one bin makes up for the reverse in another",
        tests="lenet_edge/training/test_score_calibration.py",
    ),
    _fault(
        "best-weights",
        "lenet_edge/training/fine_tuning.py",
        'key=lambda row: (row["held_out_error"], row["held_out_divergence"])',
        'key=lambda row: row["held_out_error"]',
        meaning="among weights with as many errors the first are kept, not the nearest",
        tests="lenet_edge/test_quantize.py",
    ),
    # Converting and drawing.
    _fault(
        "target-ends",
        "lenet_edge/converting/targets.py",
        "precision=target.precision, ends=target.ends).content",
        "precision=target.precision).content",
        meaning="the file for NNAPI and for microcontrollers takes uint8",
        tests="lenet_edge/converting/test_targets.py",
    ),
    _fault(
        "photograph-turn",
        "lenet_edge/on_paper/drawing.py",
        "turned = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])",
        "turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])",
        meaning="a photograph is turned the other way than its conditions say",
        tests="lenet_edge/on_paper/test_photographs.py",
    ),
)
"""The faults, by room."""
