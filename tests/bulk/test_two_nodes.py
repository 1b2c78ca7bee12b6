"""`lenet-edge bulk` on a Ray cluster of two nodes on this machine, one of them lost in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from bulk_answers import actors, bulk_command, classified, many, rows
from ray.cluster_utils import Cluster

PICTURES = 240


@pytest.fixture
def cluster():
    """Two nodes of one processor each; they start as Ray's own tests start them."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.mark.parametrize("lost", ["nothing", "an actor", "a node"])
def test_every_picture_is_answered_once_whatever_is_lost(lost, cluster, tmp_path):
    source, out = many(tmp_path / "many", PICTURES), tmp_path / "answers"
    words = bulk_command(source, out, "--part", "10", "--quiet", "--address", cluster.address)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as running:
        while not list(out.glob("*.parquet")) and running.poll() is None:
            time.sleep(0.05)
        raylets = {actor.pid: actor.ppid() for actor in actors(os.getpid())}  # the nodes are our children
        (other,) = cluster.worker_nodes
        (raylet,) = (one.process.pid for one in other.all_processes["raylet"])
        there = [pid for pid, parent in raylets.items() if parent == raylet]
        assert 0 < len(there) < len(raylets), raylets  # each node reads
        if lost == "an actor":
            os.kill(there[0], signal.SIGKILL)
        elif lost == "a node":
            cluster.remove_node(other, allow_graceful=False)
        _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    found, expected = rows(out), classified()
    assert len(found) == PICTURES
    for path, row in found.items():
        line = expected[Path(path).name[4:]]
        assert (row["digits"], row["sure"]) == (str(line["digit"]), line["sure"])
        assert row["probability"] == pytest.approx(line["probability"], abs=1e-4)  # printed with four places
