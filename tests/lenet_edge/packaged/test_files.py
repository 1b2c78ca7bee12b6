"""What a model's name means if files and folders have that name too."""

from __future__ import annotations

import pytest

from converters.base.errors import InputError
from lenet_edge.packaged.files import content_of, packaged_models, packaged_name, released_folder
from lenet_edge.packaged.names import WIDE
from lenet_edge.runtime.classifier import Classifier
from lenet_edge.runtime.string_reader import StringReader


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def released(name):
    return (released_folder() / name).read_bytes()


@pytest.mark.parametrize("make", ["file", "folder", "nothing"])
def test_a_precision_means_the_packaged_file_even_if_something_has_its_name(here, make):
    for name in ("int8_qat", "float32", "lenet5_wide_float32.tflite"):
        if make == "folder":
            (here / name).mkdir()
        elif make == "file":
            (here / name).write_bytes(b"another")
    assert content_of("int8_qat") == released("lenet5_int8_qat.tflite")
    assert content_of("float32", net=WIDE) == released("lenet5_wide_float32.tflite")
    Classifier().close()
    StringReader().close()


def test_a_path_means_the_users_own_file(here):
    (here / "int8_qat").write_bytes(released("lenet5_float32.tflite"))
    assert content_of("./int8_qat") == content_of(here / "int8_qat") == released("lenet5_float32.tflite")
    with pytest.raises(InputError, match=r"expected a .tflite file or one of lenet5_float32, .*, got ./int8"):
        content_of("./int8")


def test_a_packaged_files_name_means_the_users_own_file_if_there_is_one_but_never_a_folder(here):
    name = "lenet5_int8.tflite"
    (here / name).mkdir()
    assert content_of(name) == released(name)
    (here / name).rmdir()
    (here / name).write_bytes(released("lenet5_float32.tflite"))
    assert content_of(name) == released("lenet5_float32.tflite")


def test_a_name_belongs_to_the_requested_net():
    packaged = packaged_models()
    assert packaged_name("int8", packaged) == "lenet5_int8.tflite"
    assert packaged_name("int8", packaged, net=WIDE) == "lenet5_wide_int8.tflite"
    assert packaged_name("int8_qat", packaged, net=WIDE) == "lenet5_wide_int8_qat.tflite"
    assert packaged_name("float16", packaged, net=WIDE) is None
    assert packaged_name("lenet5_int8.tflite", packaged, net=WIDE) == "lenet5_int8.tflite"
