"""No damaged file that passes the check ends a process; changed weights alone are not refused.

2,600 mutants of the released files and of other nets, the same each time. Those that pass are run in child
processes, each of which serves many: it notes a mutant's number before it begins, so that its end is that
mutant's.
"""

from __future__ import annotations

import collections
import importlib.util
import random
import struct

import flatbuffers
import numpy as np
import pytest
from interpreter_children import outcomes
from other_nets import OTHER_NETS, other_net

from converters.base.environment import schema
from converters.base.errors import InputError
from converters.file.flatbuffer import read
from converters.file.soundness import check_sound
from converters.file.soundness.tables import TABLES
from lenet_edge.packaged.files import packaged_models, released_folder

RELEASED = [path.read_bytes() for path in sorted(released_folder().glob("*.tflite"))]
CONTENTS = [*RELEASED, *(other_net(name, int8=int8) for name in OTHER_NETS for int8 in (False, True))]
RUNTIMES = {"tflite_runtime": "BUILTIN", "ai_edge_litert": "BUILTIN_WITHOUT_DEFAULT_DELEGATES"}
INTERPRETERS = [
    (package, resolver)
    for package in RUNTIMES
    for resolver in RUNTIMES.values()
    if importlib.util.find_spec(package)
]
WORDS = [
    0,
    1,
    2,
    3,
    4,
    64,
    255,
    256,
    65535,
    65536,
    0x3F800000,
    0x7F800000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
]
NUMBERS = [-(2**31), -2, -1, 0, 1, 2, 3, 5, 6, 7, 14, 27, 28, 29, 64, 100, 255, 4096, 65536, 2**31 - 1]
ENUMERATIONS = ("padding", "fusedActivationFunction", "weightsFormat", "quantizedBiasType")
SCALES = [0.0, -1.0, 1e-38, 1e-20, 1e-9, 1.0, 1e3, 1e20, 3e38, float("inf"), float("nan")]


def regions(content):
    """Return the places of the structure's bytes and of the constants' (of more than 64 bytes)."""
    base = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    structure = np.ones(len(content), bool)
    for buffer in read(content, TABLES, root="Model", identifier=b"TFL3").buffers:
        if len(buffer.data) > 64:
            start = np.frombuffer(buffer.data, np.uint8).__array_interface__["data"][0] - base
            structure[start : start + len(buffer.data)] = False
    return np.flatnonzero(structure).tolist(), np.flatnonzero(~structure).tolist()


def flip(content, places, random):
    content[random.choice(places)] ^= 1 << random.randrange(8)


def replace_byte(content, places, random):
    content[random.choice(places)] = random.randrange(256)


def replace_word(content, places, random):
    at = min(random.choice(places) // 4 * 4, len(content) - 4)
    struct.pack_into("<I", content, at, random.choice([*WORDS, random.getrandbits(32)]))


def move_word(content, places, random):
    at = min(random.choice(places) // 4 * 4, len(content) - 4)
    (word,) = struct.unpack_from("<I", content, at)
    struct.pack_into("<I", content, at, (word + random.choice([-8, -4, -1, 1, 4, 8])) % 2**32)


def swap_blocks(content, places, random):
    size = random.choice([4, 8, 16, 32, 64])
    one, other = (min(random.choice(places) // 4 * 4, len(content) - size) for _ in range(2))
    kept = content[one : one + size]
    content[one : one + size] = content[other : other + size]
    content[other : other + size] = kept


def cut(content, places, random):
    del content[random.choice([random.randrange(len(content)), len(content) - random.randrange(1, 200)]) :]


def append(content, places, random):
    content += random.randbytes(random.randrange(1, 64))


BYTES = [flip, replace_byte, replace_word, replace_word, move_word, move_word, swap_blocks, cut, append]


def set_one(numbers, random, choices):
    """Return the list `numbers` with one of them another."""
    numbers = [] if numbers is None else [number.item() for number in np.asarray(numbers)]
    if numbers:
        numbers[random.randrange(len(numbers))] = random.choice(choices)
    return numbers


def change_shape(model, graph, random):
    tensor = random.choice(graph.tensors)
    tensor.shape = set_one(tensor.shape, random, NUMBERS)


def change_type(model, graph, random):
    random.choice(graph.tensors).type = random.randrange(21)


def change_buffer(model, graph, random):
    random.choice(graph.tensors).buffer = random.randrange(len(model.buffers) + 1)


def cut_buffer(model, graph, random):
    buffer = random.choice([buffer for buffer in model.buffers if buffer.data is not None])
    buffer.data = np.asarray(buffer.data, np.uint8)[: random.randrange(len(buffer.data))]


def change_input(model, graph, random):
    operator = random.choice(graph.operators)
    operator.inputs = set_one(operator.inputs, random, [-2, -1, *range(len(graph.tensors) + 1)])


def drop_input(model, graph, random):
    operator = random.choice(graph.operators)
    operator.inputs = operator.inputs[:-1]


def change_output(model, graph, random):
    random.choice(graph.operators).outputs = [random.randrange(-1, len(graph.tensors) + 1)]


def change_code(model, graph, random):
    random.choice(graph.operators).opcodeIndex = random.randrange(len(model.operatorCodes) + 1)


def change_option(model, graph, random):
    found = [vars(one.builtinOptions) for one in graph.operators if one.builtinOptions]
    options = random.choice(
        [one for one in found if any(isinstance(value, int | float) for value in one.values())]
    )
    name = random.choice([name for name, value in options.items() if isinstance(value, int | float)])
    choices = [False, True] if isinstance(options[name], bool) else NUMBERS
    options[name] = random.choice(range(7) if name in ENUMERATIONS else choices)


def change_scale(model, graph, random):
    found = [one.quantization for one in graph.tensors if one.quantization is not None]
    quantization = random.choice(found)
    quantization.scale = set_one(quantization.scale, random, SCALES)


def change_zero_point(model, graph, random):
    quantization = random.choice([one.quantization for one in graph.tensors if one.quantization is not None])
    quantization.zeroPoint = set_one(quantization.zeroPoint, random, [-129, -1, 1, 127, 128, 256, 2**40])


def swap_operators(model, graph, random):
    one, other = (random.randrange(len(graph.operators)) for _ in range(2))
    graph.operators[one], graph.operators[other] = graph.operators[other], graph.operators[one]


def change_metadata(model, graph, random):
    random.choice(model.metadata).buffer = random.randrange(len(model.buffers) + 1)


def change_metadata_buffer(model, graph, random):
    model.metadataBuffer = set_one(range(len(model.metadata)), random, range(-1, len(model.buffers) + 1))


def change_signature(model, graph, random):
    end = random.choice([*model.signatureDefs[0].inputs, *model.signatureDefs[0].outputs])
    end.tensorIndex = random.randrange(len(graph.tensors) + 1)


OBJECTS = [
    change_shape,
    change_type,
    change_buffer,
    cut_buffer,
    change_input,
    drop_input,
    change_output,
    change_code,
    change_option,
    change_option,
    change_option,
    change_scale,
    change_zero_point,
    change_metadata,
    change_metadata_buffer,
    change_signature,
    swap_operators,
]


def byte_mutants(count, random):
    places = [regions(content)[0] for content in CONTENTS]
    for number in range(count):
        content = bytearray(CONTENTS[number % len(CONTENTS)])
        mutate = BYTES[number // len(CONTENTS) % len(BYTES)]
        for _ in range(random.choice([1, 1, 2, 4])):
            if content:
                mutate(content, places[number % len(CONTENTS)], random)
            if mutate in (cut, append):
                break
        yield bytes(content)


def object_mutants(count, random):
    for number in range(count):
        content = CONTENTS[number % len(CONTENTS)]
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        OBJECTS[number // len(CONTENTS) % len(OBJECTS)](model, model.subgraphs[0], random)
        builder = flatbuffers.Builder(1 << 17)
        builder.Finish(model.Pack(builder), b"TFL3")
        yield bytes(builder.Output())


def weight_mutants(count, random):
    places = [regions(content)[1] for content in CONTENTS]
    for number in range(count):
        content = bytearray(CONTENTS[number % len(CONTENTS)])
        for _ in range(random.choice([1, 10, 1000])):
            replace_byte(content, places[number % len(CONTENTS)], random)
        yield bytes(content)


def passes(content):
    try:
        check_sound(content)
    except InputError as error:
        assert str(error).startswith("expected the model to be a sound .tflite file, got ")
        assert "\n" not in str(error)
        return False
    return True


@pytest.fixture(scope="module")
def survivors(tmp_path_factory):
    """Return the folder of the mutants that pass, named by their number, and how many were refused."""
    folder, draw, total = tmp_path_factory.mktemp("mutants"), random.Random(1998), 0
    kept = []
    for content in [*byte_mutants(1800, draw), *object_mutants(700, draw), *weight_mutants(100, draw)]:
        total += 1
        if passes(content):
            kept.append(content)
    for number, content in enumerate(kept):
        (folder / str(number)).write_bytes(content)
    return folder, total - len(kept), len(kept)


@pytest.mark.parametrize(("package", "resolver"), INTERPRETERS)
def test_no_mutant_that_passes_the_check_ends_the_process(survivors, package, resolver):
    folder, refused, passed = survivors
    found = collections.Counter(outcomes(package, resolver, folder, passed))
    print(f"{package} {resolver}: {refused} refused, {found['raised']} raised, {found['ran']} ran")
    assert set(found) <= {"raised", "ran"}
    assert found["ran"] > 100 < refused


def test_every_released_file_is_among_them():
    assert len(RELEASED) == len(packaged_models())
    assert all(map(passes, CONTENTS))


def test_changed_weights_are_not_refused():
    assert all(passes(content) for content in weight_mutants(90, random.Random(1)))
