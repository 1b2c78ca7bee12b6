"""`lenet-edge bulk`: bad input is a line before anything is read; what runs on Ray is in tests/bulk."""

from __future__ import annotations

import socket
import sys

import pytest

from converters.base.errors import exit_status
from lenet_edge import bulk
from lenet_edge.bulk_reading import ray_engine


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--part", "0"], "expected --part of 1 or more, got 0"),
        (["--workers", "0"], "expected --workers of 1 or more, got 0"),
        (["--threshold", "2"], "expected --threshold of 0 to 1, got 2.0"),
        ([], 'expected Ray, got none: pip install "lenet-edge[ray]"'),
    ],
)
def test_bad_input_is_one_line(words, message, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert exit_status(bulk.main, ["none", "out", *words], name="bulk") == 2
    assert capsys.readouterr().err == f"bulk: {message}\n"


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "ray://head:port"])
def test_an_address_that_is_none_is_one_line(address, monkeypatch, capsys):
    monkeypatch.setattr(ray_engine, "check_ray", lambda: None)
    assert exit_status(bulk.main, ["none", "out", "--address", address], name="bulk") == 2
    assert (
        capsys.readouterr().err == f"bulk: expected an address HOST:PORT or ray://HOST:PORT, got {address}\n"
    )


def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(ray_engine, "check_ray", lambda: None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert exit_status(bulk.main, ["none", "out", "--address", address], name="bulk") == 2
    assert f"expected a cluster at {address}, got: " in capsys.readouterr().err
