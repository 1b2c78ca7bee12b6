"""A convolution between tensors in phases is the same convolution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from converters.file.phases import Axis, Phases, spread, window

SMALL = st.integers(1, 4)


def convolved(image, kernel, strides, before, size):
    """Return image (height, width, inputs) under kernel (outputs, h, w, inputs), with zeros around."""
    outputs, height, width, _ = kernel.shape
    around = np.pad(image, [(b, height + width) for b in before] + [(0, 0)])
    result = np.zeros((*size, outputs), np.int64)
    for y, x in np.ndindex(*size):
        patch = around[y * strides[0] :, x * strides[1] :][:height, :width]
        result[y, x] = np.einsum("hwi,ohwi->o", patch, kernel)
    return result


def in_phases(image, phases):
    height, width, channels = image.shape
    rows, columns = phases
    split = image.reshape(height // rows, rows, width // columns, columns, channels)
    return split.transpose(0, 2, 1, 3, 4).reshape(height // rows, width // columns, -1)


@given(st.data())
def test_sums_are_the_same(data):
    inputs, outputs = data.draw(SMALL), data.draw(SMALL)
    axes, kernel_size, strides, phases = [], [], [], []
    same = data.draw(st.booleans())
    for _ in range(2):
        kernel, stride, r = data.draw(SMALL), data.draw(st.integers(1, 2)), data.draw(SMALL)
        s = data.draw(st.sampled_from([n for n in range(1, 5) if r * stride % n == 0]))
        groups = data.draw(st.integers(1, 3))
        side = groups * r * stride if same else -(-((groups * r - 1) * stride + kernel) // s) * s
        size = -(-side // stride) if same else (side - kernel) // stride + 1
        before = max((size - 1) * stride + kernel - side, 0) // 2 if same else 0
        axes.append(Axis(side, size, kernel, stride, before))
        kernel_size.append(kernel)
        strides.append(stride)
        phases.append((s, r))
    source, result = (Phases(*one) for one in zip(*phases, strict=True))
    sides = [axis.source for axis in axes]
    windows = [window(axis, s, r) for axis, s, r in zip(axes, source, result, strict=True)]
    assume(None not in windows)
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    image = rng.integers(-9, 10, (*sides, inputs))
    kernel = rng.integers(-9, 10, (outputs, *kernel_size, inputs))
    size = [axis.result for axis in axes]
    wanted = in_phases(convolved(image, kernel, strides, [axis.padding for axis in axes], size), result)
    new = spread(kernel, *windows, source, result)
    packed = in_phases(image, source)
    before = [
        max((wanted.shape[i] - 1) * one.stride + one.kernel - packed.shape[i], 0) // 2
        if one.padding == "SAME"
        else 0
        for i, one in enumerate(windows)
    ]
    got = convolved(packed, new, [one.stride for one in windows], before, wanted.shape[:2])
    np.testing.assert_array_equal(got, wanted)


def test_the_papers_first_two_layers_fit():
    # C1, 32 to 28 by 5: four columns of 28 at a time read eight of 32, two groups of four
    assert window(Axis(32, 28, 5, 1, 0), 4, 4)[:3] == (2, 1, "VALID")
    # with the padding of the stock net, the two columns before are half a group: three groups
    assert window(Axis(28, 28, 5, 1, 2), 4, 4)[:3] == (3, 1, "SAME")
    # S2, 28 to 14 by 2, from two rows at a time to one: a 1x1 kernel
    assert window(Axis(28, 14, 2, 2, 0), 2, 1)[:3] == (1, 1, "VALID")
    # C5, 5 to 1 by 5, from all five: a 1x1 kernel
    assert window(Axis(5, 1, 5, 1, 0), 5, 1)[:3] == (1, 1, "VALID")


@pytest.mark.parametrize(
    ("axis", "source", "result"),
    [
        (Axis(32, 28, 5, 1, 0), 5, 1),  # 5 does not divide 32
        (Axis(32, 28, 5, 1, 0), 1, 3),  # 3 does not divide 28
        (Axis(32, 28, 5, 1, 0), 4, 2),  # two results are half a group of the input apart
        (Axis(6, 6, 5, 1, 3), 1, 1),  # more padding before than behind: neither SAME nor VALID
    ],
)
def test_what_does_not_fit_is_none(axis, source, result):
    assert window(axis, source, result) is None


def test_phases_that_keep_the_order_in_memory_are_known():
    image = np.arange(4 * 6 * 2).reshape(4, 6, 2)
    for phases in (Phases(r, c) for r in (1, 2, 4) for c in (1, 2, 3, 6)):
        kept = np.array_equal(in_phases(image, phases).ravel(), image.ravel())
        assert phases.in_order((1, 4, 6, 2)) == kept, phases
        assert phases.shape((1, 4, 6, 2)) == (1, *in_phases(image, phases).shape)
    assert not Phases(3, 1).divide((1, 4, 6, 2))
