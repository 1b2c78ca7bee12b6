"""Read training data as batches, in any of the usual forms."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from converters.base.arrays import shape_fits, shape_of_many
from converters.base.errors import expect
from converters.base.untyped import KerasModel, TrainingData
from converters.model.graph import type_name

Array = NDArray[Any]

_ENDLESS = -1  # a tf.data.Dataset says so
_FORMS = "arrays of inputs or (inputs, labels), or batches of them"


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Inputs (n, ...) in the type of the model's input, and their labels (n, ...), if there are any."""

    inputs: Array
    labels: Array | None


class Batches(Protocol):
    """Batches to train on.

    `steps`: how many an epoch has, None where that is not known before it has been read.
    """

    steps: int | None

    def epoch(self) -> Iterator[Batch]:
        """Yield the batches of the next epoch."""

    def first(self) -> Batch:
        """Return a batch; it is read again with the others."""

    def samples(self, count: int) -> Array:
        """Return about `count` inputs, or all where they are fewer; they are read again with the others."""


def batches_of(
    data: TrainingData,
    model: KerasModel,
    *,
    batch_size: int,
    epochs: int = 1,
    steps_per_epoch: int | None = None,
    seed: int | None = None,
) -> Batches:
    """Return `data` as batches for `model`, which has one input.

    `data`: an array of inputs (n, ...), a tuple of such an array and one of labels (n, ...), or anything that
    yields such arrays or tuples as batches: a tf.data.Dataset, a PyDataset, a list, a generator.
    `batch_size`, and `seed`, from which the order is drawn each epoch (None: as they stand), are for arrays.
    `steps_per_epoch`: how many batches make an epoch, for those that yield batches.

    Raises InputError: another form, inputs that are none for the model, labels of another number, an endless
    stream without `steps_per_epoch`, a generator that is to be read more than once.
    """
    reader = _Reader(model)
    if isinstance(data, (tuple, np.ndarray)) or _is_tensor(data):
        expect(steps_per_epoch is None, "steps_per_epoch for data that comes in batches", "arrays")
        return ArrayBatches(reader.batch(data), batch_size=batch_size, seed=seed)
    return StreamedBatches(data, reader, epochs=epochs, steps=steps_per_epoch)


class ArrayBatches:
    """Batches of arrays."""

    def __init__(self, whole: Batch, *, batch_size: int, seed: int | None) -> None:
        expect(len(whole.inputs), "at least one input to train on", "none")
        self.whole, self.batch_size = whole, batch_size
        self.steps: int | None = -(-len(whole.inputs) // batch_size)
        self._random = None if seed is None else np.random.default_rng(seed)

    def epoch(self) -> Iterator[Batch]:
        """As in Batches."""
        count = len(self.whole.inputs)
        order = np.arange(count) if self._random is None else self._random.permutation(count)
        for start in range(0, count, self.batch_size):
            yield self._of(order[start : start + self.batch_size])

    def first(self) -> Batch:
        """As in Batches."""
        return self._of(np.arange(min(self.batch_size, len(self.whole.inputs))))

    def samples(self, count: int) -> Array:
        """As in Batches; they are spread over the array, which may be sorted."""
        total = len(self.whole.inputs)
        return self.whole.inputs[np.linspace(0, total - 1, min(count, total)).astype(int)]

    def _of(self, rows: NDArray[np.integer[Any]]) -> Batch:
        labels = self.whole.labels
        return Batch(inputs=self.whole.inputs[rows], labels=None if labels is None else labels[rows])


class StreamedBatches:
    """Batches as a Dataset, a list or a generator yields them."""

    def __init__(self, data: TrainingData, reader: _Reader, *, epochs: int, steps: int | None) -> None:
        known = hasattr(data, "__iter__") and not isinstance(data, (str, bytes, dict))
        expect(known, _FORMS, type(data).__name__)
        self._data: Iterable[Any] = data
        self._reader = reader
        self._once = iter(self._data) is self._data
        endless = steps is None and _is_endless(data)
        expect(not endless, "steps_per_epoch for data that never ends", "none")
        again = steps is not None or epochs == 1 or not self._once
        expect(again, f"data that can be read {epochs} times, or steps_per_epoch", "a generator")
        self.steps = steps
        self._stream = self._cycle()

    def epoch(self) -> Iterator[Batch]:
        """As in Batches; with a number of steps, an epoch goes on where the last one ended."""
        if self.steps is not None:
            return self._next(self.steps)
        return self._stream if self._once else map(self._reader.batch, self._data)

    def first(self) -> Batch:
        """As in Batches."""
        (batch,) = self._peeked(1)
        return batch

    def samples(self, count: int) -> Array:
        """As in Batches: those of the first batches."""
        batches: list[Batch] = []
        while sum(len(batch.inputs) for batch in batches) < count:
            more = self._peeked(len(batches) + 1)
            if len(more) == len(batches):
                break
            batches = more
        return np.concatenate([batch.inputs for batch in batches])[:count]

    def _peeked(self, count: int) -> list[Batch]:
        batches = list(itertools.islice(self._stream, count))
        self._stream = itertools.chain(batches, self._stream)
        expect(batches, "at least one batch to train on", "none")
        return batches

    def _cycle(self) -> Iterator[Batch]:
        while True:
            yield from map(self._reader.batch, self._data)
            if self._once or self.steps is None:
                return

    def _next(self, count: int) -> Iterator[Batch]:
        """Yield the next `count` batches."""
        for number in range(count):
            batch = next(self._stream, None)
            expect(batch is not None, f"{count} batches for each epoch", f"{number} for the last")
            assert batch is not None
            yield batch


class _Reader:
    """Reads what one batch holds, or arrays as one batch."""

    def __init__(self, model: KerasModel) -> None:
        self.shape = tuple(model.inputs[0].shape[1:])
        self.type = type_name(model.inputs[0])

    def batch(self, content: TrainingData) -> Batch:
        """Return inputs, or (inputs, labels), as a Batch; raises InputError for another content."""
        parts = content if isinstance(content, (tuple, list)) else (content,)
        expect(len(parts) in (1, 2), _FORMS, f"{len(parts)} arrays")
        inputs, labels = (None if part is None else np.asarray(part) for part in (*parts, None)[:2])
        assert inputs is not None
        fits = inputs.ndim > 0 and shape_fits(inputs.shape[1:], self.shape)
        expect(fits, f"inputs of shape {shape_of_many(self.shape)}", inputs.shape)
        expect(np.issubdtype(inputs.dtype, np.number), "inputs that are numbers", inputs.dtype)
        inputs = inputs.astype(self.type, copy=False)
        expect(np.isfinite(inputs).all(), "finite inputs", "NaN or infinity")
        if labels is not None:
            count = len(labels) if labels.ndim else 0
            expect(count == len(inputs), f"{len(inputs)} labels for {len(inputs)} inputs", count)
        return Batch(inputs=inputs, labels=labels)


def _is_tensor(data: TrainingData) -> bool:
    return hasattr(data, "shape") and hasattr(data, "dtype")


def _is_endless(data: TrainingData) -> bool:
    """Return whether `data` is a tf.data.Dataset that repeats for ever."""
    return hasattr(data, "cardinality") and int(data.cardinality()) == _ENDLESS
