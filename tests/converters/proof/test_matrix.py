"""The cells of a proof: each runtime's outputs are judged by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_nets import mobile_net, pixels

from converters.base.errors import InputError
from converters.model.conversion import to_tflite
from converters.model.folding import fold
from converters.proof.exact_files import exact_files
from converters.proof.layer_names import layer_names
from converters.proof.matrix import Matrix, file_of
from converters.proof.model_answers import answers_of
from converters.proof.proving import scorings_of
from converters.runtimes.columns import COLUMNS, run_column

COLUMN = COLUMNS["tf.lite"]


@pytest.fixture(scope="module")
def proven():
    """A matrix, a file whose constants could not be compared, and its result in TensorFlow's runtime."""
    model = mobile_net()
    answers, names = answers_of(model, pixels()), layer_names(model)
    content = to_tflite(fold(model), precision="int8", calibration=pixels()).content
    file = file_of("int8", content, answers, exact_files(model, answers), names)
    file = replace(file, weights=replace(file.weights, uncompared="told apart by their noise alone"))
    result = run_column(COLUMN, {"int8": content}, {"int8": [answers.inputs["image"]]})["int8"]
    return Matrix(answers, scorings_of(answers, None), names), file, result


class NoRule:
    """The tolerance of a file with an operator that has no rule."""

    def __init__(self, *arguments, **options):
        raise InputError("expected operators with a rule, got 7 NEW")


def test_a_runtime_is_judged_by_its_own_outputs_whatever_came_before(proven, monkeypatch):
    monkeypatch.setattr("converters.proof.matrix.Tolerance", NoRule)
    matrix, file, result = proven
    wrong = replace(result, outputs=result.outputs[::-1])
    for found, verdict in [(result, "not derived"), (wrong, "out"), (result, "not derived")]:
        assert matrix.cell(file, COLUMN, found).verdict == verdict
    assert "its bits allow" in matrix.cell(file, COLUMN, wrong).why
