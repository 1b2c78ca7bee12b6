"""Check the operators that move values, and those that reduce a dimension to one value."""

from __future__ import annotations

import math

import numpy as np

from converters.base.arrays import shape_text
from converters.file.flatbuffer import require
from converters.file.soundness.beyond import require_within
from converters.file.soundness.nodes import (
    MOVED,
    QUANTIZED,
    Node,
    Output,
    Shape,
    axis_of,
    require_equal_steps,
    require_type,
)
from converters.file.soundness.tensors import MAX_RANK, Tensor, constant_values

_INT32 = 2


def reshape(node: Node) -> Output:
    """The same values in another shape, one side of which may be -1: what is left."""
    source = _moved(node)
    given = node.optional(1)
    sides = node.integers(1, "a shape") if given else list(getattr(node.options, "new_shape", ()))
    require(len(sides) <= MAX_RANK, f"a shape of {len(sides)} dimensions")
    require(sides.count(-1) <= 1 and all(side > 0 or side == -1 for side in sides), f"a shape of {sides}")
    rest = math.prod(side for side in sides if side > 0)
    size = math.prod(source.shape)
    shape = tuple(size // rest if side == -1 else side for side in sides)
    require(math.prod(shape) == size, f"{source.text} values for a shape of {sides}")
    return Output(shape)


def squeeze(node: Node) -> Output:
    """The same values without dimensions of 1."""
    source = _moved(node)
    axes = {axis_of(axis, len(source.shape)) for axis in node.options.squeeze_dims}
    axes = axes or {axis for axis, side in enumerate(source.shape) if side == 1}
    require(all(source.shape[axis] == 1 for axis in axes), f"{source.text} without dimensions {sorted(axes)}")
    return Output(tuple(side for axis, side in enumerate(source.shape) if axis not in axes))


def expand_dims(node: Node) -> Output:
    """The same values with one more dimension, of 1."""
    source, axes = _moved(node), node.integers(1, "an axis")
    require(len(axes) == 1, f"{len(axes)} axes")
    axis = axis_of(axes[0], len(source.shape) + 1)
    return Output((*source.shape[:axis], 1, *source.shape[axis:]))


def transpose(node: Node) -> Output:
    """Dimensions in another order."""
    source, order = _moved(node), node.integers(1, "an order")
    require(sorted(order) == list(range(len(source.shape))), f"an order of {order} for {source.text}")
    return Output(tuple(source.shape[axis] for axis in order))


def pad(node: Node) -> Output:
    """Values around; PADV2 says which."""
    source = _moved(node)
    value = node.optional(2)
    if value is not None:
        require_equal_steps(source, value)
        require(math.prod(value.shape) == 1, f"a value of {value.text}")
    return Output(_padded(source, _pairs(node, len(source.shape))))


def mirror_pad(node: Node) -> Output:
    """Values around that mirror those within, with the edge (mode 1) or without (0)."""
    source, mode = _moved(node), node.options.mode
    require(mode in (0, 1), f"a mode of number {mode}")
    pairs = _pairs(node, len(source.shape))
    for side, pair in zip(source.shape, pairs, strict=True):
        require(max(pair) <= side - 1 + mode, f"a border of {max(pair)} that mirrors a side of {side}")
    return Output(_padded(source, pairs))


def concatenation(node: Node) -> Output:
    """Inputs one after the other along an axis."""
    sources = [node.input(number) for number in range(len(node.inputs))]
    require(node.options.activation == 0, "a fused activation, which kernels do not compute here")
    require_type(sources[0], MOVED)
    require_equal_steps(node.output, *sources)
    first = sources[0].shape
    axis = axis_of(node.options.axis, len(first))
    for tensor in sources[1:]:
        others = [(*one[:axis], *one[axis + 1 :]) for one in (first, tensor.shape)]
        same = len(tensor.shape) == len(first) and others[0] == others[1]
        require(same, f"{shape_text(first)} and {shape_text(tensor.shape)} along axis {axis}")
    return Output((*first[:axis], sum(tensor.shape[axis] for tensor in sources), *first[axis + 1 :]))


def pack(node: Node) -> Output:
    """Inputs of one shape along an axis of their own."""
    sources = [node.input(number) for number in range(len(node.inputs))]
    require(
        node.options.values_count == len(sources), f"{node.options.values_count} values said to be packed"
    )
    require_type(sources[0], MOVED)
    require_equal_steps(node.output, *sources)
    first = sources[0].shape
    require(all(tensor.shape == first for tensor in sources), "inputs of different shapes")
    axis = axis_of(node.options.axis, len(first) + 1)
    known = [values for values in map(constant_values, sources) if values is not None]
    values = np.stack(known, axis=axis) if len(known) == len(sources) else None
    return Output((*first[:axis], len(sources), *first[axis:]), values=values)


def unpack(node: Node) -> Output:
    """The slices of an axis, one an output: the reverse of PACK."""
    source, count = node.input(0), node.options.num
    _check_parts(node, source, count)
    axis = axis_of(node.options.axis, len(source.shape))
    require(source.shape[axis] == count, f"{count} slices of {source.text} along axis {axis}")
    return Output((*source.shape[:axis], *source.shape[axis + 1 :]))


def split(node: Node) -> Output:
    """Equal parts along an axis, which comes first among the inputs."""
    source, axes, count = node.input(1), node.integers(0, "an axis"), node.options.num_splits
    _check_parts(node, source, count)
    require(len(axes) == 1, f"{len(axes)} axes")
    axis = axis_of(axes[0], len(source.shape))
    side, rest = divmod(source.shape[axis], count)
    require(rest == 0, f"{count} parts of {source.text} along axis {axis}")
    return Output((*source.shape[:axis], side, *source.shape[axis + 1 :]))


def split_v(node: Node) -> Output:
    """Parts of given sizes along an axis, one of which may be -1: what is left."""
    source, axes = node.input(0), node.integers(2, "an axis")
    sizes = node.integers(1, "sizes", most=len(node.outputs))
    _check_parts(node, source, node.options.num_splits)
    require(len(axes) == 1, f"{len(axes)} axes")
    axis = axis_of(axes[0], len(source.shape))
    side = source.shape[axis]
    require(len(sizes) == len(node.outputs), f"{len(sizes)} sizes for {len(node.outputs)} outputs")
    left = side - sum(size for size in sizes if size != -1)
    parts = [left if size == -1 else size for size in sizes]
    fits = sizes.count(-1) <= 1 and min(parts) > 0 and sum(parts) == side
    require(fits, f"parts of {sizes} of {source.text} along axis {axis}")
    shapes = tuple((*source.shape[:axis], part, *source.shape[axis + 1 :]) for part in parts)
    return Output(shapes[0], shapes=shapes)


def _check_parts(node: Node, source: Tensor, count: int) -> None:
    """Check that all outputs are of the type of `source`, and as many as the options say."""
    require_type(source, MOVED)
    require_equal_steps(source, *node.outputs)
    require(count == len(node.outputs), f"{count} parts said to be made, for {len(node.outputs)} outputs")


def gather(node: Node) -> Output:
    """The slices of an axis that indices name; kernels look at the indices while they run, and refuse."""
    source, indices = _moved(node), node.input(1)
    require_type(indices, ("int32", "int64"))
    require_within(node.options.batch_dims == 0, "batches of indices, which lenet-edge has no check for")
    axis = axis_of(node.options.axis, len(source.shape))
    known = constant_values(indices)
    if known is not None:
        outside = known[(known < 0) | (known >= source.shape[axis])]
        require(not outside.size, f"index {outside[:1].tolist()} of {source.text} along axis {axis}")
    return Output((*source.shape[:axis], *indices.shape, *source.shape[axis + 1 :]))


def shape_of(node: Node) -> Output:
    """The shape of the input, as numbers."""
    sides = node.input(0).shape
    require_type(node.output, ("int32",))
    require(node.options.out_type == _INT32 and sides, f"a shape of {node.input(0).text}")
    return Output((len(sides),), values=np.array(sides, np.int32))


def strided_slice(node: Node) -> Output:
    """Every so many values from one index to another; a dimension may be reduced to one index."""
    source, options = _moved(node), node.options
    require(not options.ellipsis_mask and not options.new_axis_mask, "dimensions that a mask adds")
    require_within(not options.offset, "ends that are offsets, which lenet-edge has no check for")
    bounds = [node.integers(number, what) for number, what in ((1, "starts"), (2, "ends"), (3, "steps"))]
    require(
        {len(one) for one in bounds} == {len(source.shape)}, f"a slice of {source.text} in other dimensions"
    )
    chosen = [_chosen(source.shape[axis], axis, node, bounds) for axis in range(len(source.shape))]
    shape = tuple(len(one) for axis, one in enumerate(chosen) if not options.shrink_axis_mask >> axis & 1)
    values = constant_values(source)
    if values is not None:
        values = values[np.ix_(*chosen)].reshape(shape)
    return Output(shape, values=values)


def _chosen(side: int, axis: int, node: Node, bounds: list[list[int]]) -> range:
    """Return the indices of a `side` that a slice takes."""
    start, end, step = (one[axis] for one in bounds)
    options = node.options
    require(step != 0, "a step of 0")
    if options.shrink_axis_mask >> axis & 1:
        require(-side <= start < side and step == 1, f"index {start} of {side}")
        return range(start % side, start % side + 1)
    begin = None if options.begin_mask >> axis & 1 else start
    chosen = range(*slice(begin, None if options.end_mask >> axis & 1 else end, step).indices(side))
    require(len(chosen) > 0, f"a slice {start}:{end}:{step} of {side}, which holds nothing")
    return chosen


def space_to_batch_nd(node: Node) -> Output:
    """Blocks of a picture as pictures, with a border of 0."""
    source, (height, width) = _moved(node), _block(node)
    borders = _pairs(node, 2, number=2)
    padded = _padded(source, [(0, 0), *borders, (0, 0)])
    require(
        padded[1] % height == 0 and padded[2] % width == 0,
        f"{shape_text(padded)} in blocks of {height}x{width}",
    )
    return Output((padded[0] * height * width, padded[1] // height, padded[2] // width, padded[3]))


def batch_to_space_nd(node: Node) -> Output:
    """Pictures as blocks of a picture, without a border."""
    source, (height, width) = _moved(node), _block(node)
    crops = _pairs(node, 2, number=2)
    count = source.shape[0]
    require(count % (height * width) == 0, f"{count} pictures in blocks of {height}x{width}")
    sides = (source.shape[1] * height - sum(crops[0]), source.shape[2] * width - sum(crops[1]))
    require(min(sides) > 0, f"a border of {crops} of {source.text}")
    return Output((count // (height * width), *sides, source.shape[3]))


def resize(node: Node) -> Output:
    """A picture in another size."""
    source, size, options = _moved(node), node.integers(1, "a size"), node.options
    require_type(source, ("float32", *QUANTIZED))
    require(len(source.shape) == 4, f"a picture of {source.text}")
    require(len(size) == 2 and all(0 < side < 1 << 15 for side in size), f"a size of {size}")
    require(not (options.align_corners and options.half_pixel_centers), "two ways to align at once")
    return Output((source.shape[0], *size, source.shape[3]))


def reduced(node: Node) -> Output:
    """MEAN, SUM and the largest or smallest value over some dimensions."""
    source, axes = node.input(0), node.integers(1, "axes")
    for tensor in (source, node.output):
        require_type(tensor, ("float32", *QUANTIZED))
    require(source.type == node.output.type, f"{source.type} and {node.output.type} together")
    gone = {axis_of(axis, len(source.shape)) for axis in axes}
    kept = [1 if axis in gone else side for axis, side in enumerate(source.shape)]
    if not node.options.keep_dims:
        kept = [side for axis, side in enumerate(source.shape) if axis not in gone]
    return Output(tuple(kept), work=math.prod(source.shape))


def largest_of(node: Node) -> Output:
    """REDUCE_MAX and REDUCE_MIN compare what is stored."""
    require_equal_steps(node.input(0), node.output)
    return reduced(node)


def _moved(node: Node) -> Tensor:
    """Return the first input, which must be of the output's type and scale."""
    source = node.input(0)
    require_type(source, MOVED)
    require_equal_steps(source, node.output)
    return source


def _pairs(node: Node, rank: int, *, number: int = 1) -> list[tuple[int, int]]:
    """Return an input's (before, after) for each of `rank` dimensions."""
    numbers = node.integers(number, "borders", rank=2)
    require(node.input(number).shape == (rank, 2), f"borders of {node.input(number).text}")
    require(all(0 <= one < 1 << 15 for one in numbers), f"borders of {numbers}")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _padded(source: Tensor, pairs: list[tuple[int, int]]) -> Shape:
    return tuple(side + sum(pair) for side, pair in zip(source.shape, pairs, strict=True))


def _block(node: Node) -> tuple[int, int]:
    block = node.integers(1, "a block")
    require(len(node.input(0).shape) == 4, f"a picture of {node.input(0).text}")
    require(len(block) == 2 and all(0 < side < 1 << 15 for side in block), f"a block of {block}")
    return block[0], block[1]
