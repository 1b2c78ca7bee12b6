"""`lenet-edge bulk`: bad input is a line before anything is read; what runs on Ray is in tests/bulk."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading

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


@contextlib.contextmanager
def listening(answer):
    """Yield an address at which one client is answered, and told nothing more: with None, nothing at all."""
    done = threading.Event()

    def serve():
        with server.accept()[0] as client:
            client.recv(100)
            if answer is not None:
                client.sendall(answer)
                client.shutdown(socket.SHUT_WR)
            done.wait()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "timed out"),  # a head that hangs: the connection is taken, by the system
        (b"", "the answer of something else, b''"),
        (b"HTTP/1.1 400 Bad Request\r\n", "the answer of something else, b'HTTP'"),
    ],
)
def test_what_answers_but_is_no_cluster_is_one_line(answer, message, monkeypatch, capsys):
    monkeypatch.setattr(ray_engine, "check_ray", lambda: None)
    monkeypatch.setattr(ray_engine, "_PATIENCE", 0.5)
    with listening(answer) as address:
        assert exit_status(bulk.main, ["none", "out", "--address", address], name="bulk") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"bulk: expected a cluster at {address}, got")
    assert said.endswith(f"{message}\n")


def test_the_greeting_of_a_cluster_is_taken():
    with listening(b"\0\0\x12\4\0\0\0\0\0") as address:
        ray_engine.check_address(f"ray://{address}")


def test_an_address_that_does_not_answer_is_given_up_within_thirty_seconds():
    """Connecting, then the answer, each take `_PATIENCE` at most."""
    assert 2 * ray_engine._PATIENCE <= 30


def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(ray_engine, "check_ray", lambda: None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert exit_status(bulk.main, ["none", "out", "--address", address], name="bulk") == 2
    assert f"expected a cluster at {address}, got: " in capsys.readouterr().err
