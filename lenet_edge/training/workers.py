"""Train one model in several processes: each learns from its part of every batch, all take the same steps.

Keras 3 cannot fit a model that was made in the scope of MultiWorkerMirroredStrategy (keras-team/keras, issue
20585). So the model in each process is an ordinary one. All begin with the chief's values, and the strategy
means their gradients at each step, so they stay equal. A checkpoint is that of one process: it does not
matter how many go on from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.base.environment import tf
from converters.base.errors import TemporaryFailure, said_first
from converters.base.untyped import KerasOptimizer, TfTensor
from lenet_edge.training.cluster import ALONE, Cluster


@dataclass(frozen=True, kw_only=True, eq=False)
class Workers:
    """The processes of a `cluster` that train together, of which this is one.

    `strategy`: the tf.distribute.MultiWorkerMirroredStrategy that joins them; None for one process. What is
    called on one of several processes must be called on all of them, in the same order.
    """

    cluster: Cluster
    strategy: Any = None

    @property
    def several(self) -> bool:
        """Whether there are more processes than this one."""
        return self.strategy is not None

    @property
    def is_chief(self) -> bool:
        """Whether this process measures, writes and shows progress."""
        return self.cluster.is_chief

    def part(self, size: int) -> slice:
        """Return which digits of a batch of `size` this process learns from."""
        self.cluster.check_batch_size(size)
        share = size // self.cluster.count
        return slice(self.cluster.place * share, (self.cluster.place + 1) * share)

    def mean(self, tensors: Sequence[TfTensor]) -> list[TfTensor]:
        """Return the mean over the processes of each of `tensors`, all of one float type."""
        if not self.several:
            return list(tensors)
        return [total / self.cluster.count for total in self._sums(tensors)]

    def from_chief(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the chief's `values`; numbers of 32 bits, and whole ones of up to 53, arrive exactly."""
        if not self.several:
            return list(values)
        # The others add nothing. As float64, because one sum takes one type.
        own = [value if self.is_chief else np.zeros_like(value) for value in values]
        sums = self._sums([tf.constant(np.asarray(value, np.float64)) for value in own])
        return [total.numpy().astype(value.dtype) for total, value in zip(sums, values, strict=True)]

    def wait_for_chief(self) -> None:
        """Return when the chief gets here too, so that all end together: none can come back alone."""
        self.from_chief([np.zeros(1)])

    def averaging(self, optimizer: KerasOptimizer) -> KerasOptimizer:
        """Return the class `optimizer`, of Keras 3, so that it steps along the mean of all gradients."""
        if not self.several:
            return optimizer

        def apply(itself: KerasOptimizer, gradients: Sequence[TfTensor], variables: Any = None) -> None:
            optimizer.apply(itself, self.mean(gradients), variables)

        return type(f"Averaging{optimizer.__name__}", (optimizer,), {"apply": apply})

    def _sums(self, tensors: Sequence[TfTensor]) -> list[TfTensor]:
        """Return the sum over the processes of each of `tensors`, sent as one: there are many small ones."""

        def summed(parts: Sequence[TfTensor]) -> TfTensor:
            flat = tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, flat)

        sizes = [int(np.prod(tensor.shape)) for tensor in tensors]
        sums = tf.split(self.strategy.run(summed, args=(list(tensors),)), sizes)
        return [tf.reshape(total, tensor.shape) for total, tensor in zip(sums, tensors, strict=True)]


ONE_PROCESS = Workers(cluster=ALONE)


@contextlib.contextmanager
def joined(cluster: Cluster) -> Iterator[Workers]:
    """Yield the workers of `cluster` once all are there; at the end wait for the chief.

    To be called before TensorFlow computes anything. Raises TemporaryFailure if this process cannot join, or
    if another one ends before the training does: TensorFlow takes none back, so all have to start again.
    """
    if cluster.count == 1:
        yield ONE_PROCESS
        return
    try:
        workers = Workers(cluster=cluster, strategy=_strategy(cluster))
        yield workers
        workers.wait_for_chief()
    except tf.errors.OpError as error:
        raise TemporaryFailure(
            f"expected {cluster.count} workers to the end, got: {said_first(error)}"
        ) from error


def _strategy(cluster: Cluster) -> Any:
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.addresses)}),
        task_type="worker",
        task_id=cluster.place,
        rpc_layer="grpc",
    )
    return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
