"""Read grey frames from a camera: picamera2 on a Raspberry Pi, OpenCV elsewhere and for USB cameras."""

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
from lenet_edge.reading.stop_signals import StopSignals

INSTALL = (
    "sudo apt install python3-picamera2 (on a Raspberry Pi, in a venv with --system-site-packages)"
    " or pip install opencv-python-headless"
)

_SIZE = (1024, 768)  # pixels; the ISP pads rows to multiples of 64, and the reader reduces sides above 800
_TIMEOUT = 10.0  # seconds to wait for a frame
_BUFFERED = 4  # old frames that Video4Linux still holds


class Camera(Protocol):
    """A source of frames."""

    name: str

    def frame(self) -> NDArray[np.uint8]:
        """Return the next frame, uint8 (h, w), 0 black to 255 white; InputError if there is none."""

    def close(self) -> None:
        """Release the camera."""


def open_camera(which: str = "0") -> Camera:
    """Open the camera `which`: its number, its model's name (picamera2 only) or a device such as /dev/video0.

    Device paths open in OpenCV; numbers and names in picamera2 if it is installed, else in OpenCV. Raises
    InputError when the library is missing (the message says how to install it) or there is no such camera.
    """
    device = "/" in which
    if not device and importlib.util.find_spec("picamera2"):
        return PiCamera(which)
    expect(importlib.util.find_spec("cv2"), "OpenCV" if device else "picamera2 or OpenCV", f"none: {INSTALL}")
    return UsbCamera(which)


def frames(camera: Camera, *, every: float, stop: StopSignals) -> Iterator[Picture]:
    """Yield a frame of `camera`, pause for `every` seconds, and repeat until a `stop` signal."""
    index = 0
    while not stop.requested:
        yield Picture(camera.name, index, camera.frame())
        index += 1
        stop.wait(every)


class PiCamera:
    """A libcamera camera, through picamera2: the Pi's own, or a USB camera that libcamera supports."""

    def __init__(self, which: str) -> None:
        library = _import("picamera2")
        number = _camera_number(which, library.Picamera2.global_camera_info())
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
        """Return the next frame; InputError if none arrives in time."""
        from concurrent.futures import TimeoutError  # not the same class as the built-in in Python 3.10

        job = self._camera.capture_array("main", wait=False)
        try:
            planes = job.get_result(timeout=_TIMEOUT)
        except TimeoutError:
            raise InputError(f"expected a frame of {self.name} in {_TIMEOUT:g} s, got none") from None
        except RuntimeError as error:
            raise InputError(f"expected a frame of {self.name}, got: {error}") from error
        # Rows of brightness come first, then half as many of colour; rows may be padded.
        return np.ascontiguousarray(planes[: _SIZE[1], : _SIZE[0]])

    def close(self) -> None:
        """Release the camera."""
        self._camera.stop()
        self._camera.close()


class UsbCamera:
    """A camera of the operating system, through OpenCV."""

    def __init__(self, which: str) -> None:
        self._library = _import("cv2")
        self.name = f"camera {which}"
        with quiet():  # a missing camera is reported below
            self._camera = self._library.VideoCapture(int(which) if which.isdecimal() else which)
        expect(self._camera.isOpened(), self.name, "none: it is missing or in use by another program")

    def frame(self) -> NDArray[np.uint8]:
        """Return the next frame; InputError if there is none."""
        for _ in range(_BUFFERED):
            self._camera.grab()
        success, colours = self._camera.read()
        expect(success, f"a frame of {self.name}", "none")
        return self._library.cvtColor(colours, self._library.COLOR_BGR2GRAY)

    def close(self) -> None:
        """Release the camera."""
        self._camera.release()


def _camera_number(which: str, cameras: list[dict[str, Any]]) -> int:
    """Return the number of the camera `which` in libcamera's list."""
    models = [str(camera.get("Model", "?")) for camera in cameras]
    matching = [number for number, model in enumerate(models) if which in (str(number), model)]
    found = ", ".join(f"{number} {model}" for number, model in enumerate(models))
    expect(matching, f"camera {which}", f"none: {f'there is {found}' if found else 'no camera is connected'}")
    return matching[0]


def _import(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:  # installed, but a dependency is not
        raise InputError(f"expected {package} to load, got: {error}") from error
