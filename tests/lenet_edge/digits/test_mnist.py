"""MNIST: the packaged digits, the split, where files are looked for, and what a download leaves behind."""

from __future__ import annotations

import gzip
import hashlib
import importlib.resources
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from pooch import HTTPDownloader, os_cache
from requests.exceptions import ReadTimeout

from converters.base.errors import InputError
from lenet_edge.digits import idx, mnist
from lenet_edge.digits.mnist import Digits, MnistFile

REAL_DATA = os.environ.get(mnist.DATA_VARIABLE)
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"

# The split with seed 1998, computed once with NumPy 1.26.4: the held-out digits' numbers.
HELD_OUT_BEGINS = [24992, 9346, 54767, 49921, 8960]
HELD_OUT_MD5 = "d48301ddaa61b8f8fdd298d14b851a85"

needs_training_files = pytest.mark.skipif(
    not REAL_DATA, reason=f"needs MNIST's training files: name their folder by {mnist.DATA_VARIABLE}"
)


def digits(count: int = 20) -> Digits:
    generator = np.random.default_rng(count)
    images = generator.integers(0, 256, (count, 28, 28), np.uint8)
    return Digits(images, (np.arange(count) % 10).astype(np.uint8))


def contents() -> dict[str, bytes]:
    """Return small files under MNIST's names."""
    made = {}
    for stem, some in (("train", digits(20)), ("t10k", digits(12))):
        made[f"{stem}-images-idx3-ubyte"] = idx.idx_bytes(some.images)
        made[f"{stem}-labels-idx1-ubyte"] = idx.idx_bytes(some.labels)
    return made


def published(content: bytes) -> MnistFile:
    return MnistFile(len(content), hashlib.md5(content).hexdigest())


def put(folder: Path, *names: str, wrap: Callable[[bytes], bytes] = bytes, suffix: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}{suffix}").write_bytes(wrap(contents()[name]))
    return folder


def message(caught: pytest.ExceptionInfo[InputError]) -> str:
    line = str(caught.value)
    assert line.startswith("expected "), line
    assert "\n" not in line
    return line


class Server:
    """Mirrors on this machine: `answers` by path, and the paths that were `asked` for."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                server.asked.append(path)
                server.answers.get(path, lambda handler: handler.send_error(404))(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def mirror(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{folder}/"

    def offer(self, path: str, body: bytes, *, length: int | None = None) -> None:
        """Answer `path` with `body`, and say that it is `length` bytes long."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body) if length is None else length))
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the small files be the published ones."""
    monkeypatch.setattr(mnist, "FILES", {name: published(data) for name, data in contents().items()})


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the cache folder, not yet there."""
    folder = tmp_path / "cache" / "lenet-edge"
    monkeypatch.setattr(mnist, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server with two mirrors, a and b."""
    running = Server()
    monkeypatch.setattr(mnist, "MIRRORS", (running.mirror("a"), running.mirror("b")))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield running
    running.close()


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mnist.DATA_VARIABLE, raising=False)
    monkeypatch.delenv(mnist.MIRROR_VARIABLE, raising=False)


# What ships


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_the_packaged_test_digits_are_the_published_ones(name: str) -> None:
    zipped = (importlib.resources.files("lenet_edge") / "data" / f"{name}.gz").read_bytes()
    assert published(gzip.decompress(zipped)) == mnist.FILES[name]


def test_the_packaged_test_digits_are_read_in_their_order() -> None:
    test = mnist.test_digits()
    assert test.images.shape == (10_000, 28, 28)
    assert test.images.dtype == test.labels.dtype == np.uint8
    md5 = hashlib.md5(idx.idx_bytes(test.images)).hexdigest()
    assert md5 == mnist.FILES["t10k-images-idx3-ubyte"].md5
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_the_calibration_digits_are_50_of_each_class() -> None:
    calibration = mnist.calibration_digits()
    assert calibration.images.shape == (500, 28, 28)
    assert np.bincount(calibration.labels).tolist() == [50] * 10


def test_no_calibration_digit_is_a_test_digit() -> None:
    test = {image.tobytes() for image in mnist.test_digits().images}
    assert not any(image.tobytes() in test for image in mnist.calibration_digits().images)


@needs_training_files
def test_the_calibration_digits_are_chosen_from_the_training_digits() -> None:
    chosen = mnist.choose_calibration(mnist.training_digits(data=REAL_DATA))
    for packaged, expected in zip(mnist.calibration_digits(), chosen, strict=True):
        np.testing.assert_array_equal(packaged, expected)


def test_calibration_is_chosen_by_class_without_repeats() -> None:
    some = digits(1_000)  # a hundred of each class, no two images alike
    chosen = mnist.choose_calibration(some)
    assert np.bincount(chosen.labels).tolist() == [50] * 10
    position = {image.tobytes(): at for at, image in enumerate(some.images)}
    at = [position[image.tobytes()] for image in chosen.images]
    assert at == sorted(set(at))
    np.testing.assert_array_equal(chosen.labels, some.labels[at])


# The split


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each training image be its number in the file, and each label the number's last figure."""
    numbers = np.arange(60_000)
    monkeypatch.setattr(mnist, "_from_files", lambda names, data: Digits(numbers, numbers % 10))


@pytest.mark.usefixtures("numbered")
def test_the_split_is_55_000_and_5_000_and_together_all() -> None:
    training, held_out = mnist.training_digits(), mnist.held_out_digits()
    assert (len(training.images), len(held_out.images)) == (55_000, 5_000)
    together = np.concatenate([training.images, held_out.images])
    np.testing.assert_array_equal(np.sort(together), np.arange(60_000))
    for part in (training, held_out):
        np.testing.assert_array_equal(part.labels, part.images % 10)


@pytest.mark.usefixtures("numbered")
def test_the_split_is_that_of_the_released_weights() -> None:
    # Another split would let held-out digits be trained on: those of one release would select the next.
    held_out = mnist.held_out_digits().images
    assert held_out[:5].tolist() == HELD_OUT_BEGINS
    assert hashlib.md5(np.sort(held_out).astype(">u4").tobytes()).hexdigest() == HELD_OUT_MD5


@needs_training_files
def test_the_training_files_are_read() -> None:
    training = mnist.training_digits(data=REAL_DATA)
    held_out = mnist.held_out_digits(data=REAL_DATA)
    assert training.images.shape == (55_000, 28, 28)
    assert held_out.images.shape == (5_000, 28, 28)
    # How many there are of each class in the 60,000.
    counts = np.bincount(training.labels) + np.bincount(held_out.labels)
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


# Reading


def test_padding_keeps_the_digit_in_the_middle() -> None:
    images = digits(3).images
    padded = mnist.pad(images)
    assert padded.shape == (3, 32, 32)
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], images)
    assert padded.sum() == images.sum()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("wrap", "suffix"), [(bytes, ""), (gzip.compress, ".gz"), (bytes, ".gz")])
def test_named_files_are_read_plain_or_gzipped(
    tmp_path: Path, wrap: Callable[[bytes], bytes], suffix: str
) -> None:
    folder = put(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", wrap=wrap, suffix=suffix)
    for got, expected in zip(mnist.test_digits(data=folder), digits(12), strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)


@pytest.mark.usefixtures("small")
def test_a_file_with_another_md5_is_refused_with_both(tmp_path: Path) -> None:
    path = put(tmp_path, LABELS) / LABELS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    for wrap in (bytes, gzip.compress):
        path.write_bytes(wrap(content))
        with pytest.raises(InputError) as caught:
            mnist.read_file(path, LABELS)
        line = message(caught)
        assert str(path) in line
        assert mnist.FILES[LABELS].md5 in line
        assert hashlib.md5(content).hexdigest() in line


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda data: data + b"\0", id="longer"),
        pytest.param(lambda data: gzip.compress(data)[:-1], id="truncated gzip"),
        pytest.param(lambda data: b"", id="empty"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = put(tmp_path, IMAGES, wrap=change) / IMAGES
    with pytest.raises(InputError) as caught:
        mnist.read_file(path, IMAGES)
    assert str(path) in message(caught)


@pytest.mark.usefixtures("small")
def test_a_name_that_mnist_lacks_is_refused(tmp_path: Path) -> None:
    for look in (mnist.find_file, lambda name: mnist.read_file(tmp_path / name, name)):
        with pytest.raises(InputError) as caught:
            look("train-images")
        assert IMAGES in message(caught)


def test_other_digits_are_read(tmp_path: Path) -> None:
    some = digits(7)
    (tmp_path / "images").write_bytes(gzip.compress(idx.idx_bytes(some.images)))
    (tmp_path / "labels").write_bytes(idx.idx_bytes(some.labels))
    for got, expected in zip(mnist.read_digits(tmp_path / "images", tmp_path / "labels"), some, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("images", "labels", "at_fault", "words"),
    [
        ((7, 28, 28), [0] * 6, "labels", "7 labels"),
        ((7, 28, 28), [0] * 8, "labels", "shape (8,)"),
        ((2, 28, 28), [9, 10], "labels", "from 0 to 9"),
        ((2, 28, 27), [0, 0], "images", "28x28"),
        ((2, 784), [0, 0], "images", "3 dimensions"),
        ((2, 28, 28), [[0, 0]], "labels", "1 dimension"),
    ],
)
def test_labels_that_do_not_fit_the_images_are_refused(
    tmp_path: Path, images: tuple[int, ...], labels: list, at_fault: str, words: str
) -> None:
    (tmp_path / "images").write_bytes(idx.idx_bytes(np.zeros(images, np.uint8)))
    (tmp_path / "labels").write_bytes(idx.idx_bytes(np.array(labels, np.uint8)))
    with pytest.raises(InputError) as caught:
        mnist.read_digits(tmp_path / "images", tmp_path / "labels")
    line = message(caught)
    assert words in line
    assert str(tmp_path / at_fault) in line


# Where files are looked for


@pytest.mark.usefixtures("small")
def test_each_place_is_looked_in_before_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path, server: Server
) -> None:
    server.offer(f"/a/{IMAGES}.gz", gzip.compress(contents()[IMAGES]))
    assert mnist.find_file(IMAGES) == cache / f"{IMAGES}.gz"
    assert len(server.asked) == 1
    assert mnist.find_file(IMAGES) == cache / f"{IMAGES}.gz"
    assert len(server.asked) == 1

    variable = put(tmp_path / "variable", IMAGES)
    monkeypatch.setenv(mnist.DATA_VARIABLE, str(variable))
    assert mnist.find_file(IMAGES) == variable / IMAGES

    argument = put(tmp_path / "argument", IMAGES)
    assert mnist.find_file(IMAGES, data=argument) == argument / IMAGES
    assert len(server.asked) == 1


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_file_missing_in_a_named_folder_is_an_error_and_not_looked_for_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path, server: Server, by_variable: bool
) -> None:
    server.offer(f"/a/{LABELS}.gz", gzip.compress(contents()[LABELS]))
    cache.parent.mkdir()
    put(cache, IMAGES, LABELS)
    named = put(tmp_path / "named", IMAGES)
    if by_variable:
        monkeypatch.setenv(mnist.DATA_VARIABLE, str(named))
    else:
        monkeypatch.setenv(mnist.DATA_VARIABLE, str(cache))
    with pytest.raises(InputError) as caught:
        mnist.training_digits(data=None if by_variable else named)
    line = message(caught)
    assert f"{LABELS}.gz" in line
    assert str(named) in line
    assert not server.asked


@pytest.mark.usefixtures("small", "cache")
@pytest.mark.parametrize("name", ["", "none", "a-file"])
def test_a_named_folder_that_does_not_exist_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    for look in (mnist.training_digits, mnist.held_out_digits, mnist.test_digits):
        with pytest.raises(InputError) as caught:
            look(data=name)
        assert "data to be a folder" in message(caught)
    if name:
        monkeypatch.setenv(mnist.DATA_VARIABLE, name)
        with pytest.raises(InputError) as caught:
            mnist.find_file(IMAGES)
        assert f"{mnist.DATA_VARIABLE} to be a folder, got {name}" in message(caught)
    assert not server.asked


@pytest.mark.usefixtures("small")
def test_an_empty_variable_is_one_not_set(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    cache.parent.mkdir()
    put(cache, IMAGES)
    monkeypatch.setenv(mnist.DATA_VARIABLE, "")
    assert mnist.find_file(IMAGES) == cache / IMAGES


@pytest.mark.usefixtures("small")
def test_a_damaged_file_in_the_cache_is_named(cache: Path) -> None:
    cache.parent.mkdir()
    put(cache, IMAGES, LABELS)
    (cache / LABELS).write_bytes(b"damaged")
    with pytest.raises(InputError) as caught:
        mnist.training_digits()
    assert str(cache / LABELS) in message(caught)


@pytest.mark.parametrize("xdg", [None, "", "  ", "/some/where"])
def test_the_cache_folder_is_the_one_pooch_would_take(
    monkeypatch: pytest.MonkeyPatch, xdg: str | None
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert mnist.cache_folder() == Path(os_cache("lenet-edge"))


# Downloading


def test_the_mirrors_deliver_over_tls() -> None:
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in mnist.MIRRORS)


@pytest.mark.usefixtures("small")
def test_a_download_is_kept_and_read(cache: Path, server: Server) -> None:
    for name in (IMAGES, LABELS):
        server.offer(f"/a/{name}.gz", gzip.compress(contents()[name]))
    images, labels = (mnist.read_file(mnist.find_file(name), name) for name in (IMAGES, LABELS))
    np.testing.assert_array_equal(images, digits(20).images)
    np.testing.assert_array_equal(labels, digits(20).labels)
    assert server.asked == [f"/a/{IMAGES}.gz", f"/a/{LABELS}.gz"]
    assert sorted(path.name for path in cache.iterdir()) == [f"{IMAGES}.gz", f"{LABELS}.gz"]


def wrong(content: bytes) -> bytes:
    return gzip.compress(content[:-1] + b"\xff")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("fault", ["404", "wrong md5", "no gzip", "truncated", "truncated gzip"])
def test_the_next_mirror_is_tried(cache: Path, server: Server, fault: str) -> None:
    name, content = LABELS, contents()[LABELS]
    whole = gzip.compress(content)
    faulty = f"/a/{name}.gz"
    if fault == "wrong md5":
        server.offer(faulty, wrong(content))
    elif fault == "no gzip":
        server.offer(faulty, b"<html>log in first</html>")
    elif fault == "truncated":
        server.offer(faulty, whole[:-9], length=len(whole))
    elif fault == "truncated gzip":
        server.offer(faulty, whole[:-9])
    # Taken from b only if what a sent was not taken.
    server.offer(f"/b/{name}.gz", whole)
    path = mnist.find_file(name)
    assert server.asked == [faulty, f"/b/{name}.gz"]
    assert path.read_bytes() == whole
    assert list(cache.iterdir()) == [path]


@pytest.mark.usefixtures("small")
def test_a_mirror_that_does_not_respond_times_out(
    monkeypatch: pytest.MonkeyPatch, cache: Path, server: Server
) -> None:
    class Impatient(HTTPDownloader):
        def __call__(self, url: str, *rest: object) -> None:
            # requests waits for ever unless told otherwise.
            assert 0 < self.kwargs["timeout"] <= 60
            if url.startswith(server.mirror("a")):
                raise ReadTimeout("read timed out")
            super().__call__(url, *rest)

    monkeypatch.setattr("pooch.HTTPDownloader", Impatient)
    server.offer(f"/b/{LABELS}.gz", gzip.compress(contents()[LABELS]))
    assert mnist.find_file(LABELS).parent == cache
    assert server.asked == [f"/b/{LABELS}.gz"]


@pytest.mark.usefixtures("small")
def test_when_no_mirror_delivers_each_is_named_and_nothing_is_left(cache: Path, server: Server) -> None:
    server.offer(f"/a/{LABELS}.gz", wrong(contents()[LABELS]))
    with pytest.raises(InputError) as caught:
        mnist.find_file(LABELS)
    line = message(caught)
    for words in (LABELS, server.mirror("a"), mnist.FILES[LABELS].md5, server.mirror("b"), "404"):
        assert words in line
    assert f"name it by --data or {mnist.DATA_VARIABLE}" in line  # what to do instead
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("small", "cache")
def test_a_missing_network_is_a_short_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mnist.MIRROR_VARIABLE, "http://127.0.0.1:9/")
    with pytest.raises(InputError) as caught:
        mnist.find_file(LABELS)
    assert message(caught) == (
        f"expected to download {LABELS}, got nothing from http://127.0.0.1:9/ (no connection): "
        f"put {LABELS} (plain or .gz) in a folder and name it by --data or {mnist.DATA_VARIABLE}"
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_mirror_that_was_named_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch, cache: Path, server: Server, slash: str
) -> None:
    monkeypatch.setenv(mnist.MIRROR_VARIABLE, server.mirror("own").rstrip("/") + slash)
    with pytest.raises(InputError):
        mnist.find_file(LABELS)
    server.offer(f"/own/{LABELS}.gz", gzip.compress(contents()[LABELS]))
    assert mnist.find_file(LABELS).parent == cache
    assert server.asked == [f"/own/{LABELS}.gz"] * 2


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("mirror", ["file:///etc/", "somewhere/", "ftp://127.0.0.1/"])
def test_a_mirror_of_another_kind_is_refused(
    monkeypatch: pytest.MonkeyPatch, cache: Path, mirror: str
) -> None:
    monkeypatch.setenv(mnist.MIRROR_VARIABLE, mirror)
    with pytest.raises(InputError) as caught:
        mnist.find_file(LABELS)
    assert mnist.MIRROR_VARIABLE in message(caught)
    assert not cache.exists()


@pytest.mark.usefixtures("small", "server")
def test_an_interrupted_download_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    class Interrupted:
        def __init__(self, **_: object) -> None:
            """Take the options of pooch's downloader."""

        def __call__(self, url: str, output_file: str, pooch: None) -> None:
            Path(output_file).write_bytes(gzip.compress(contents()[LABELS])[:-9])
            raise KeyboardInterrupt

    monkeypatch.setattr("pooch.HTTPDownloader", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        mnist.find_file(LABELS)
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("small")
def test_without_pooch_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, cache: Path, server: Server
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(InputError) as caught:
        mnist.find_file(LABELS)
    assert "lenet-edge[train]" in message(caught)
    assert not server.asked
    assert not cache.exists()
