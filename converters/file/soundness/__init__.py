"""Check that a .tflite file is sound before native code, which trusts it, is given the file.

The interpreters follow a file's offsets, indices and shapes without a check; a damaged file ends the process.
So an untrusted file is read by converters.file.flatbuffer and checked here: that its parts refer
to what exists (`model`), that its tensors hold together (`tensors`), that its operators run one after the
other (`graph`) and that each output follows from its inputs (`operator_checks`). What goes beyond these
checks (`beyond`) is refused, unless the file runs in a process of its own.
"""

from __future__ import annotations

from converters.base.errors import InputError
from converters.file.flatbuffer import Damaged, read
from converters.file.soundness.beyond import Beyond
from converters.file.soundness.graph import check_graph
from converters.file.soundness.model import check_model, check_names
from converters.file.soundness.tables import TABLES

__all__ = ["check_sound", "unchecked"]


def check_sound(content: bytes, *, name: str = "the model") -> None:
    """Check that native code can be given the .tflite file `content`.

    `name`: what the file is called in the message. Raises InputError, "expected NAME to be a sound .tflite
    file, got ...", when it is damaged, or holds what lenet-edge has no check for.
    """
    beyond = unchecked(content, name=name)
    if beyond:
        raise _not_sound(name, beyond)


def unchecked(content: bytes, *, name: str = "the model") -> str:
    """Return what the .tflite file `content` holds that goes beyond `check_sound`, "" for nothing.

    Such a file may be sound: what stands before that place is. Run it in a process of its own. Raises
    InputError as `check_sound` for one that is damaged.
    """
    try:
        model = read(content, TABLES, root="Model", identifier=b"TFL3")
        check_model(model)
        check_graph(model)
        check_names(model)
    except Beyond as error:
        return str(error)
    except Damaged as error:
        raise _not_sound(name, error) from None
    return ""


def _not_sound(name: str, got: object) -> InputError:
    return InputError(f"expected {name} to be a sound .tflite file, got {got}")
