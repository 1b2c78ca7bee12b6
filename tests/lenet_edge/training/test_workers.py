"""Two processes train as one does: the same weights, one of them writes, and both go on after one died."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from worker_program import halves

from converters.base.arrays import read_npz
from converters.base.environment import tf
from converters.base.errors import InputError
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.training import loop
from lenet_edge.training.cluster import Cluster
from lenet_edge.training.distorted_passes import Passes
from lenet_edge.training.loop import Recipe
from lenet_edge.training.string_training import StringPasses, string_batches
from lenet_edge.training.workers import ONE_PROCESS, Workers

PROGRAM = Path(__file__).parents[2] / "reference" / "worker_program.py"
RECIPE = Recipe(epochs=4, batch_size=50, seed=7)
ARGUMENTS = [
    *("--epochs", str(RECIPE.epochs), "--batch-size", str(RECIPE.batch_size), "--seed", str(RECIPE.seed)),
    *("--passes", "2", "--gentle-passes", "0", "--threads", "1"),
]


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Pair:
    """Two processes that train together in `folder`; each has an --out of its own, as on two machines."""

    def __init__(self, folder, *arguments):
        self.folder = folder
        addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
        self.processes = [self._start(place, addresses, arguments) for place in (0, 1)]

    def _start(self, place, addresses, arguments):
        task = {"type": "worker", "index": place}
        environment = {
            **os.environ,
            "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task}),
            "XDG_CACHE_HOME": str(self.folder.parent / "cache"),
        }
        command = [sys.executable, PROGRAM, self.weights_file(place), *ARGUMENTS, *arguments]
        command += ["--out", self.out(place)]
        return subprocess.Popen(
            [*map(str, command)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def out(self, place):
        return self.folder / f"out-{place}"

    def weights_file(self, place):
        return self.folder / f"model-{place}.npz"

    def weights(self, place):
        arrays = read_npz(self.weights_file(place))
        return [arrays[f"arr_{number}"] for number in range(len(arrays))]

    def ended(self):
        """Return the status, standard output and standard error of each process."""
        said = [process.communicate(timeout=300) for process in self.processes]
        return [(process.returncode, *texts) for process, texts in zip(self.processes, said, strict=True)]

    def wait_for_an_epoch(self):
        while not (self.out(0) / "checkpoints" / "history.json").exists():
            assert [process.poll() for process in self.processes] == [None, None], self.ended()
            time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def pair(folder):
    """A whole training in two processes."""
    (folder / "whole").mkdir()
    pair = Pair(folder / "whole")
    pair.said = pair.ended()
    assert [status for status, *_ in pair.said] == [0, 0], pair.said
    return pair


@pytest.fixture(scope="module")
def in_one_process(folder):
    """Train in this process on the digits of each batch in the order, or choice, `order`."""
    training, held_out = halves(calibration_digits())
    passes = Passes(digits=training, folder=folder / "passes", seed=RECIPE.seed, count=2, gentle_count=0)
    whole = loop.batches

    def trained(order):
        def batches(*arguments, **options):
            dataset = whole(*arguments, **options)
            return dataset.map(
                lambda pictures, answers: (tf.gather(pictures, order), tf.gather(answers, order))
            )

        out = folder / f"one-{len(list(folder.iterdir()))}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "batches", batches)
            model, history = loop.train(RECIPE, passes, held_out, out=out, verbose=0)
        return model.get_weights(), history

    return trained


def apart(left, right):
    """Return the largest difference of two lists of weights."""
    return max(float(np.abs(one - other).max()) for one, other in zip(left, right, strict=True))


def test_two_processes_train_as_one_does(pair, in_one_process):
    """They add the same numbers in another order, so the tolerance is what another order does in one process.

    It is the largest difference among three trainings whose batches are shuffled, each within itself, times
    three: theirs are three samples of the order's effect, and the two processes are a fourth.
    """
    weights, history = in_one_process(np.arange(50))
    orders = [np.random.default_rng(seed).permutation(50) for seed in range(3)]
    shuffled = [in_one_process(order) for order in orders]
    tolerance = 3 * max(apart(weights, others) for others, _ in shuffled)
    assert apart(weights, pair.weights(0)) <= tolerance
    one_digit_twice = np.r_[0, np.arange(49)]  # and the last one not at all: the least that can be wrong
    assert apart(weights, in_one_process(one_digit_twice)[0]) > 3 * tolerance
    losses = [row["loss"] for row in json.loads((pair.out(0) / "report.json").read_text())["history"]]
    spread = 3 * max(
        abs(a["loss"] - b["loss"]) for _, rows in shuffled for a, b in zip(rows, history, strict=True)
    )
    np.testing.assert_allclose(losses, [row["loss"] for row in history], rtol=0, atol=spread)


def test_both_end_with_the_same_weights_to_the_bit(pair):
    for chief, other in zip(pair.weights(0), pair.weights(1), strict=True):
        np.testing.assert_array_equal(chief, other)


def test_the_chief_alone_writes_and_shows_progress(pair):
    names = {path.name for path in pair.out(0).iterdir()}
    assert names == {"checkpoints", "tensorboard", "weights.npz", "report.json", "learning_curve.png"}
    assert json.loads((pair.out(0) / "report.json").read_text())["workers"] == 2
    assert not pair.out(1).exists()
    (_, chief_said, chief_err), (_, *other_said) = pair.said
    assert "8/8" in chief_said
    assert "held-out error: " in chief_said
    assert chief_err == "waits for 1 more worker\n"
    assert other_said == ["", ""]


@pytest.mark.parametrize("killed", [0, 1])
def test_when_one_dies_both_start_again_and_end_as_if_nothing_was(killed, pair, folder):
    """TensorFlow takes no worker back, so the other ends too; the same words then go on."""
    home = folder / f"killed-{killed}"
    home.mkdir()
    first = Pair(home, "--resume")
    first.wait_for_an_epoch()
    first.processes[killed].send_signal(signal.SIGKILL)
    said = first.ended()
    status, _, err = said[1 - killed]
    assert status == 75, said
    assert err.splitlines()[-1].startswith("lenet-edge train: expected 2 workers to the end, got: "), said
    assert "Traceback" not in err
    assert not (first.out(0) / "weights.npz").exists()
    done = len(json.loads((first.out(0) / "checkpoints" / "history.json").read_text()))
    assert 1 <= done < RECIPE.epochs
    second = Pair(home, "--resume")
    said = second.ended()
    assert [status for status, *_ in said] == [0, 0], said
    assert f"Epoch {done + 1}/{RECIPE.epochs}" in said[0][1]
    assert f"Epoch {done}/{RECIPE.epochs}" not in said[0][1]
    for whole, resumed in zip(pair.weights(0), second.weights(0), strict=True):
        np.testing.assert_array_equal(whole, resumed)


def workers_of(count):
    """Return each of `count` workers as it is before it joined: enough for its part of a batch."""
    cluster = Cluster(addresses=tuple(f"a:{port}" for port in range(1, count + 1)))
    return [Workers(cluster=dataclasses.replace(cluster, place=place)) for place in range(count)]


def test_the_parts_of_the_workers_are_the_batch(tmp_path):
    training, _ = halves(calibration_digits())
    options = {"digits": training, "folder": tmp_path, "seed": 1, "count": 1, "gentle_count": 0}
    recipe = Recipe(epochs=1, batch_size=12)
    for batches, passes in ((loop.batches, Passes(**options)), (string_batches, StringPasses(**options))):
        whole = next(iter(batches(passes, recipe)))
        parts = [next(iter(batches(passes, recipe, workers=worker))) for worker in workers_of(3)]
        for tensor, pieces in zip(whole, zip(*parts, strict=True), strict=True):
            assert {len(piece) for piece in pieces} == {4}
            np.testing.assert_array_equal(np.concatenate(pieces), tensor)


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(InputError, match="expected a --batch-size that 3 workers share equally, got 128"):
        workers_of(3)[0].part(128)


def test_one_process_computes_nothing_in_addition():
    values = [np.ones(2, np.float32)]
    assert ONE_PROCESS.from_chief(values)[0] is values[0]
    assert ONE_PROCESS.mean(values)[0] is values[0]
    assert ONE_PROCESS.averaging(dict) is dict
