"""Cameras: grey frames from either library, and a one-line error without one."""

from __future__ import annotations

import importlib.machinery
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from converters.base.errors import InputError, exit_status
from lenet_edge import classify
from lenet_edge.picture.files import read_images
from lenet_edge.reading import stop_signals
from lenet_edge.reading.camera import frames, open_camera
from lenet_edge.reading.stop_signals import StopSignals

DATA = Path(__file__).resolve().parents[2] / "data"


def page(name: str) -> np.ndarray:
    (picture,) = read_images(next(DATA.glob(f"{name}*")))
    return picture.grey


class FakeCamera:
    """Shows `pages` one after the other, then raises."""

    name = "camera 0"

    def __init__(self, *pages) -> None:
        self._pages, self.closed = iter(pages), False

    def frame(self):
        for frame in self._pages:
            return frame
        raise InputError("expected a frame of camera 0, got none")

    def close(self):
        self.closed = True


@pytest.fixture
def seen(monkeypatch, capsys):
    """Run `classify --camera` on frames; return the status, the output, the errors and the camera."""

    def run(*arguments, pages):
        camera = FakeCamera(*pages)
        monkeypatch.setattr(classify, "open_camera", lambda which: camera)
        status = exit_status(
            classify.main, ["--camera", "--every", "0", *arguments], name="lenet-edge classify"
        )
        return status, *capsys.readouterr(), camera

    return run


def test_text_shows_only_changes(seen):
    pages = [page("5"), page("5"), page("blank"), page("5"), page("7")]
    status, out, err, camera = seen("--count", "5", pages=pages)
    assert (status, err, camera.closed) == (0, "", True)
    assert [line.split(": ")[0] for line in out.splitlines()] == [f"camera 0[{n}]" for n in (0, 2, 3, 4)]
    assert [line.split(": ")[1].split()[0] for line in out.splitlines()] == ["5", "blank", "5", "7"]


def test_json_has_every_frame(seen):
    status, out, _, _ = seen("--json", "--count", "3", pages=[page("5")] * 3)
    rows = [json.loads(line) for line in out.splitlines()]
    assert (status, [(row["index"], row["digit"]) for row in rows]) == (0, [(0, 5), (1, 5), (2, 5)])


def test_a_camera_that_stops_gives_one_line_after_its_answers(seen):
    status, out, err, camera = seen("--csv", pages=[page("5")])
    assert (status, len(out.splitlines()), camera.closed) == (2, 2, True)
    assert err == "lenet-edge classify: expected a frame of camera 0, got none\n"


def test_frames_pause_and_end_on_a_stop_signal():
    waits: list[float] = []

    class StopsAfterThree(StopSignals):
        def wait(self, seconds):
            waits.append(seconds)
            self.requested = len(waits) == 3

    pictures = list(frames(FakeCamera(*[page("5")] * 9), every=2.5, stop=StopsAfterThree()))
    assert [picture.index for picture in pictures] == [0, 1, 2]
    assert waits == [2.5] * 3


def test_a_wait_ends_on_time_or_at_a_stop_signal(monkeypatch):
    clock, stop = [0.0], StopSignals()
    monkeypatch.setattr(stop_signals.time, "monotonic", lambda: clock[0])

    def sleep(seconds):
        clock[0] += seconds
        stop.requested = clock[0] >= 2

    monkeypatch.setattr(stop_signals.time, "sleep", sleep)
    stop.wait(1.1)
    assert clock[0] == pytest.approx(1.1)
    stop.wait(60)
    assert clock[0] < 3


def library(monkeypatch, name, **content):
    """Install a module of that name, or take it away when it has no content."""
    for known in ("picamera2", "cv2"):
        monkeypatch.delitem(sys.modules, known, raising=False)
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(content)
    monkeypatch.setattr(
        "lenet_edge.reading.camera.importlib.util.find_spec",
        lambda wanted: module.__spec__ if content and wanted == name else None,
    )
    if content:
        monkeypatch.setitem(sys.modules, name, module)


def test_without_a_library_the_error_has_both_ways_to_install_one(monkeypatch):
    library(monkeypatch, "cv2")
    with pytest.raises(InputError, match=r"got none: sudo apt install python3-picamera2 .* or pip install "):
        open_camera()


class FakeJob:
    def __init__(self, planes) -> None:
        self._planes = planes

    def get_result(self, timeout):
        if isinstance(self._planes, Exception):
            raise self._planes
        return self._planes


class FakePicamera2:
    """As much of Picamera2 as is used; frames are YUV420 in rows of 1,088 bytes."""

    planes: object = np.repeat(np.arange(1152, dtype=np.uint16).astype(np.uint8)[:, None], 1088, axis=1)
    calls: list

    def __init__(self, number) -> None:
        type(self).calls = [number]

    @staticmethod
    def global_camera_info():
        return [{"Model": "imx708", "Num": 0}, {"Model": "ov5647", "Num": 1}]

    def create_preview_configuration(self, main):
        assert main["format"] == "YUV420"
        return main

    def configure(self, main):
        self.calls.append("configure")

    def start(self):
        self.calls.append("start")

    def capture_array(self, name, wait):
        assert (name, wait) == ("main", False)
        return FakeJob(self.planes)

    def stop(self):
        self.calls.append("stop")

    def close(self):
        self.calls.append("close")


@pytest.mark.parametrize(("which", "number"), [("0", 0), ("1", 1), ("ov5647", 1)])
def test_picamera2_gives_the_brightness_without_the_padding(monkeypatch, which, number):
    library(monkeypatch, "picamera2", Picamera2=FakePicamera2)
    camera = open_camera(which)
    frame = camera.frame()
    camera.close()
    assert (frame.shape, frame.dtype) == ((768, 1024), np.uint8)
    np.testing.assert_array_equal(frame[:, 0], np.arange(768).astype(np.uint8))
    assert FakePicamera2.calls == [number, "configure", "start", "stop", "close"]


@pytest.mark.parametrize(
    ("cameras", "line"),
    [
        ([], "expected camera 2, got none: no camera is connected"),
        (FakePicamera2.global_camera_info(), "expected camera 2, got none: there is 0 imx708, 1 ov5647"),
    ],
)
def test_a_camera_unknown_to_libcamera_is_an_error(monkeypatch, cameras, line):
    monkeypatch.setattr(FakePicamera2, "global_camera_info", lambda: cameras)
    library(monkeypatch, "picamera2", Picamera2=FakePicamera2)
    with pytest.raises(InputError) as caught:
        open_camera("2")
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("failure", "line"), [(TimeoutError(), "in 10 s, got none"), (RuntimeError("it is gone"), "it is gone")]
)
def test_no_frame_from_picamera2_is_an_error(monkeypatch, failure, line):
    import concurrent.futures

    if isinstance(failure, TimeoutError):
        failure = concurrent.futures.TimeoutError()  # before Python 3.11 it is not the built-in one
    monkeypatch.setattr(FakePicamera2, "planes", failure)
    library(monkeypatch, "picamera2", Picamera2=FakePicamera2)
    with pytest.raises(InputError, match=f"expected a frame of camera 0.*{line}"):
        open_camera().frame()


def test_a_camera_that_does_not_open_is_an_error(monkeypatch):
    def refuse(self, main):
        raise RuntimeError("Camera in use")

    monkeypatch.setattr(FakePicamera2, "configure", refuse)
    library(monkeypatch, "picamera2", Picamera2=FakePicamera2)
    with pytest.raises(InputError, match="expected to open camera 0, got: Camera in use"):
        open_camera()


class FakeCapture:
    """A cv2.VideoCapture of `frames` frames, of which the last is wanted: those before it are old."""

    def __init__(self, which, *, frames=5) -> None:
        self.which, self._left, self._now = which, frames, 0

    def isOpened(self):
        return self.which != 9

    def grab(self):
        self._now += 1
        return self._now <= self._left

    def read(self):
        return self.grab(), np.full((4, 6, 3), self._now, np.uint8)

    def release(self):
        self.which = None


def opencv(monkeypatch):
    library(
        monkeypatch,
        "cv2",
        VideoCapture=FakeCapture,
        COLOR_BGR2GRAY="grey",
        cvtColor=lambda colours, code: colours[..., 0] if code == "grey" else None,
    )


@pytest.mark.parametrize("which", ["0", "/dev/video0"])
def test_opencv_gives_the_newest_frame_in_grey_until_there_is_none(monkeypatch, which):
    opencv(monkeypatch)
    camera = open_camera(which)
    np.testing.assert_array_equal(camera.frame(), np.full((4, 6), 5))
    with pytest.raises(InputError, match=f"expected a frame of camera {which}, got none"):
        camera.frame()


def test_a_camera_that_opencv_cannot_open_is_an_error(monkeypatch):
    opencv(monkeypatch)
    with pytest.raises(InputError, match="expected camera 9, got none: it is missing"):
        open_camera("9")


def test_a_device_is_opened_by_opencv_though_picamera2_is_there(monkeypatch):
    library(monkeypatch, "picamera2", Picamera2=FakePicamera2)
    with pytest.raises(InputError, match="expected OpenCV, got none"):
        open_camera("/dev/video0")


def test_a_library_that_does_not_load_is_an_error(monkeypatch):
    library(monkeypatch, "picamera2", Picamera2=FakePicamera2)
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(InputError, match="expected picamera2 to load, got: "):
        open_camera()
