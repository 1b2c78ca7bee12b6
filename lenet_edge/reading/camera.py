"""Frames of a camera as grey pictures: picamera2 on a Raspberry Pi, OpenCV elsewhere and for USB cameras."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from converters.base.errors import InputError, expect
from converters.base.quiet import quiet
from lenet_edge.picture.files import Picture
from lenet_edge.reading.stop_signals import Stop

INSTALL = (
    "sudo apt install python3-picamera2 (on a Raspberry Pi, in a venv with --system-site-packages)"
    ' or pip install "lenet-edge[camera]"'
)

_SIZE = (1024, 768)  # pixels; the ISP's rows are multiples of 64, and more than 800 would be reduced
_PATIENCE = 10.0  # seconds that a frame may take
_QUEUED = 4  # frames that Video4Linux keeps: older than the one that is wanted


class Camera(Protocol):
    """What gives frames."""

    name: str

    def frame(self) -> NDArray[np.uint8]:
        """Return the next frame, uint8 (h, w), 0 black to 255 white; InputError when none comes."""

    def close(self) -> None:
        """Give the camera back."""


def open_camera(which: str = "0") -> Camera:
    """Open the camera `which`: its number, its model's name (picamera2 only) or a device such as /dev/video0.

    Devices are OpenCV's; for the rest picamera2 is used if it is installed, else OpenCV. Raises InputError
    when neither is installed (the line says what installs them) or there is no such camera.
    """
    device = "/" in which
    if not device and importlib.util.find_spec("picamera2"):
        return PiCamera(which)
    expect(importlib.util.find_spec("cv2"), "OpenCV" if device else "picamera2 or OpenCV", f"none: {INSTALL}")
    return UsbCamera(which)


def frames(camera: Camera, *, every: float, stop: Stop) -> Iterator[Picture]:
    """Yield a frame of `camera` every `every` seconds, counted from 0, until asked to `stop`."""
    index = 0
    while not stop.asked:
        yield Picture(camera.name, index, camera.frame())
        index += 1
        stop.rest(every)


class PiCamera:
    """A camera of libcamera, through picamera2: a Pi's own or, of those that it knows, a USB camera."""

    def __init__(self, which: str) -> None:
        library = _imported("picamera2")
        number = _numbered(which, library.Picamera2.global_camera_info())
        self.name = f"camera {which}"
        try:
            self._camera = library.Picamera2(number)
            self._camera.configure(
                self._camera.create_preview_configuration(main={"format": "YUV420", "size": _SIZE})
            )
            self._camera.start()
        except RuntimeError as error:
            raise InputError(f"expected to open {self.name}, got: {error}") from error

    def frame(self) -> NDArray[np.uint8]:
        """Return the next frame; InputError when none comes in time."""
        from concurrent.futures import TimeoutError  # Python 3.10's own is another

        job = self._camera.capture_array("main", wait=False)
        try:
            planes = job.get_result(timeout=_PATIENCE)
        except TimeoutError:
            raise InputError(f"expected a frame of {self.name} in {_PATIENCE:g} s, got none") from None
        except RuntimeError as error:
            raise InputError(f"expected a frame of {self.name}, got: {error}") from error
        # Brightness comes first, then half as many rows of colour; rows may be longer than the picture.
        return np.ascontiguousarray(planes[: _SIZE[1], : _SIZE[0]])

    def close(self) -> None:
        """Give the camera back."""
        self._camera.stop()
        self._camera.close()


class UsbCamera:
    """A camera of the system, through OpenCV."""

    def __init__(self, which: str) -> None:
        self._library = _imported("cv2")
        self.name = f"camera {which}"
        with quiet():  # a missing camera is said below, in one line
            self._camera = self._library.VideoCapture(int(which) if which.isdecimal() else which)
        expect(self._camera.isOpened(), self.name, "none: it is not there, or another program has it")

    def frame(self) -> NDArray[np.uint8]:
        """Return the next frame; InputError when none comes."""
        for _ in range(_QUEUED):
            self._camera.grab()
        there, colours = self._camera.read()
        expect(there, f"a frame of {self.name}", "none")
        return self._library.cvtColor(colours, self._library.COLOR_BGR2GRAY)

    def close(self) -> None:
        """Give the camera back."""
        self._camera.release()


def _numbered(which: str, cameras: list[dict[str, Any]]) -> int:
    """Return the number of the camera `which` among those that libcamera sees."""
    models = [str(camera.get("Model", "?")) for camera in cameras]
    matching = [number for number, model in enumerate(models) if which in (str(number), model)]
    seen = ", ".join(f"{number} {model}" for number, model in enumerate(models))
    expect(matching, f"camera {which}", f"none: {f'there is {seen}' if seen else 'no camera is connected'}")
    return matching[0]


def _imported(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:  # installed, and what it stands on is not
        raise InputError(f"expected {package} to load, got: {error}") from error
