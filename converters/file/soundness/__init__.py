"""Check that a .tflite file is sound before native code, which trusts it, is given the file.

The interpreters follow a file's offsets, indices and shapes without a check; a damaged file ends the process.
So an untrusted file is read by converters.file.flatbuffer and checked here: that its parts refer
to what exists (`model`), that its tensors hold together (`tensors`), that its operators run one after the
other (`graph`) and that each output follows from its inputs (`operator_checks`). What lenet-edge has no check
for is refused.
"""

from __future__ import annotations

from converters.base.errors import InputError
from converters.file.flatbuffer import Damaged, read
from converters.file.soundness.graph import check_graph
from converters.file.soundness.model import check_model, check_names
from converters.file.soundness.tables import TABLES

__all__ = ["check_sound"]


def check_sound(content: bytes, *, name: str = "the model") -> None:
    """Check that native code can be given the .tflite file `content`.

    `name`: what the file is called in the message. Raises InputError, "expected NAME to be a sound .tflite
    file, got ...", when it is damaged, or holds what lenet-edge has no check for.
    """
    try:
        model = read(content, TABLES, root="Model", identifier=b"TFL3")
        check_model(model)
        check_graph(model)
        check_names(model)
    except Damaged as error:
        raise InputError(f"expected {name} to be a sound .tflite file, got {error}") from None
