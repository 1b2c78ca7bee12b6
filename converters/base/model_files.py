"""Tell what a file or folder with a model is, and check it before Keras or TensorFlow is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converters.base.errors import InputError, expect
from converters.base.keras_archive import read_keras_archive
from converters.base.keras_code import code_in
from converters.base.keras_hdf5 import read_hdf5_model
from converters.base.keras_objects import CustomObject, custom_objects_in
from converters.base.kerases import KERAS_2, KERAS_3

READERS = {".keras": read_keras_archive, ".h5": read_hdf5_model, ".hdf5": read_hdf5_model}
GRAPH = "saved_model.pb"
"""What a SavedModel's folder has its graph in."""

_LAYERS_THAT_ROUND = ("QuantizeWrapper", "QuantizeWrapperV2")
_EXPECTED = "a model: MODEL.keras, MODEL.h5, MODEL.hdf5, or the folder of a SavedModel"
_MOST_OF_GRAPH = 2 << 30  # protobuf reads no more


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file of a Keras model: its `path`, the Keras that saved it, and the custom objects that it names.

    `keras`: "keras" or "tf_keras"; "" for the folder of a SavedModel, which needs no Keras.
    """

    path: Path
    keras: str
    custom_objects: Sequence[CustomObject] = ()

    @property
    def is_saved_model(self) -> bool:
        """Whether it is the folder of a SavedModel."""
        return not self.keras

    @property
    def is_fine_tuned(self) -> bool:
        """Whether it is of a model that rounds, as tensorflow-model-optimization makes it."""
        return any(one.attribute in _LAYERS_THAT_ROUND for one in self.custom_objects)


def check_model_file(path: Path, *, trust_code: bool = False) -> ModelFile:
    """Return what `path` is; raise InputError unless it is a model that holds no code and names none.

    `trust_code`: code is allowed. In a .keras or .h5 file, the headers and the configuration are checked. The
    graph of a SavedModel needs TensorFlow: converters.model.saved_model checks it. A fine-tuned model must be
    in an .h5 file. Raises OSError when `path` cannot be opened.
    """
    if path.is_dir():
        return _checked_folder(path)
    if path.suffix not in READERS:
        with path.open("rb"):
            pass  # so that a file which is missing or not readable is reported as such
        raise InputError(f"expected {_EXPECTED}, got {path}")
    version, config = READERS[path.suffix](path)
    keras = {"2": KERAS_2, "3": KERAS_3}.get(version.partition(".")[0])
    if keras is None:
        raise InputError(f"expected {path} to be saved by Keras 3 or Keras 2, got Keras {version}")
    if not trust_code:
        code = next(code_in(config), "")
        expect(not code, f"{path} to be a model without code (--trust-code runs what is in it)", code)
    file = ModelFile(path=path, keras=keras, custom_objects=custom_objects_in(config))
    # Keras 2 writes it, and then finds more weights in the layers than in the file.
    readable = path.suffix != ".keras" or not file.is_fine_tuned
    expect(readable, "a fine-tuned model in an .h5 file, as Keras 2 loads none from a .keras file", path)
    return file


def _checked_folder(path: Path) -> ModelFile:
    graph = path / GRAPH
    expect(graph.is_file(), f"{_EXPECTED}", f"{path}, a folder without {GRAPH}")
    size = graph.stat().st_size
    expect(size <= _MOST_OF_GRAPH, f"{graph} of {_MOST_OF_GRAPH:,} bytes or less", f"{size:,}")
    return ModelFile(path=path, keras="")
