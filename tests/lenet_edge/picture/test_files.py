"""Pictures from files: any bytes give a grey picture, or one line that names the file."""

from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from types import SimpleNamespace

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont, ImageOps, features

from converters.base.errors import InputError
from lenet_edge.digits.idx import idx_bytes
from lenet_edge.picture.files import (
    MOST_PIXELS,
    list_pictures,
    picture_files,
    prepare,
    read_images,
    skipped_text,
)
from lenet_edge.picture.findings import Finding
from lenet_edge.picture.kinds import is_idx
from lenet_edge.picture.line.finding import LineFinding, find_line

NAME = "some-picture"
no_deadline = settings(deadline=None)  # nothing here says how fast a machine is


def slope(height: int = 24, width: int = 40) -> np.ndarray:
    """A picture without symmetry: every turn of it is another one."""
    rows, columns = np.mgrid[:height, :width]
    return (rows * 3 + columns * 4).astype(np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def read(content: bytes) -> np.ndarray:
    (picture,) = read_images(io.BytesIO(content), name=NAME)
    assert (picture.name, picture.index) == (NAME, None)
    return picture.grey


def assert_refused(content: bytes, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        list(read_images(io.BytesIO(content), name=NAME))
    message = str(caught.value)
    assert NAME in message
    assert "\n" not in message
    assert all(word in message for word in ("expected", "got", *words)), message


PNG = encoded(Image.fromarray(slope()))
JPEG = encoded(Image.fromarray(slope()), "JPEG", quality=90)
GIF = encoded(Image.fromarray(slope()), "GIF")
BMP = encoded(Image.fromarray(slope()), "BMP")
PGM = encoded(Image.fromarray(slope()), "PPM")


@pytest.mark.parametrize("content", [PNG, BMP, PGM, GIF])
def test_lossless_formats_give_the_same_grey(content):
    np.testing.assert_array_equal(read(content), slope())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_give_nearly_the_same_grey(kind):
    if kind == "WEBP" and not features.check("webp"):
        pytest.skip("Pillow was built without WebP")
    # A smooth slope has little in the high frequencies: quality 95 quantises the rest by a few levels.
    difference = read(encoded(Image.fromarray(slope()), kind, quality=95)).astype(int) - slope()
    assert np.abs(difference).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
def test_sixteen_bits_become_eight(kind):
    deep = Image.fromarray(slope().astype(np.uint16) * 257)
    try:
        content = encoded(deep, kind)
    except OSError as error:  # the Pillow of Debian 12
        pytest.skip(f"this Pillow makes no such file: {error}")
    np.testing.assert_array_equal(read(content), slope())


def test_colour_and_palette_become_grey():
    grey = Image.fromarray(slope())
    for mode in ("RGB", "P"):
        np.testing.assert_array_equal(read(encoded(grey.convert(mode))), slope())


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparent_parts_are_white(mode):
    black = Image.new("L", (40, 24), 0)
    opacity = Image.fromarray(255 - slope())
    image = Image.merge("LA", (black, opacity)).convert(mode)
    assert np.abs(read(encoded(image)).astype(int) - slope()).max() <= 1  # of rounding


def test_transparent_palette_colour_is_white():
    image = Image.fromarray(np.repeat([[0, 1]], 10, axis=0).repeat(10, axis=1).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 9, 9, 9])
    grey = read(encoded(image, transparency=0))
    assert (grey[:, :10] == 255).all()
    assert (grey[:, 10:] == 9).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_followed(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(slope()), exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(read(content), upright)
    assert (orientation == 1) == (upright.shape == slope().shape and (upright == slope()).all())


def test_large_pictures_come_reduced_but_not_below_800_pixels():
    for kind in ("JPEG", "PNG"):
        grey = read(encoded(Image.new("L", (3000, 2000), 128), kind))
        assert 800 <= max(grey.shape) < 1600
        assert grey.shape[1] / grey.shape[0] == pytest.approx(1.5, abs=0.01)
        assert (grey == 128).all()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises a picture and whose data are one row of it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(width + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 20_000, 1 << 30])
def test_too_many_pixels_are_refused_by_the_header(side):
    assert_refused(png_of(side, side), f"{MOST_PIXELS} pixels")


def test_the_most_pixels_are_not_too_many():
    side = int(MOST_PIXELS**0.5)
    assert 800 <= max(read(encoded(Image.new("1", (side, side)))).shape) < 1600


@pytest.mark.parametrize("size", [(7, 30), (30, 7), (1, 1), (8, 161), (2000, 99)])
def test_pictures_that_can_hold_no_digit_are_refused(size):
    assert_refused(encoded(Image.new("L", size)), f"{size[0]}x{size[1]}")


def test_floating_point_is_refused():
    known = int(PIL.__version__.split(".")[0]) >= 10  # an older one takes it for no picture
    assert_refused(b"Pf\n10 10\n-1.0\n" + bytes(400), "floating point" if known else "a picture")


@pytest.mark.parametrize("content", [b"", b"no picture", b"%PDF-1.7", b"\x7fELF" + bytes(99)])
def test_what_is_no_picture_is_refused(content):
    assert_refused(content, "a picture")


@no_deadline
@given(st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_refused(content):
    try:
        for picture in read_images(io.BytesIO(content), name=NAME):
            assert picture.grey.dtype == np.uint8
            assert picture.grey.ndim == 2
    except InputError as error:
        assert NAME in str(error)
        assert "\n" not in str(error)


@no_deadline
@given(st.sampled_from([PNG, JPEG, GIF, BMP, PGM]), st.data())
def test_cut_off_files_are_refused(content, data):
    kept = data.draw(st.integers(0, len(content) - 1))
    # The last bytes of a file may be ones that no pixel needs; what is read then is the whole picture.
    try:
        (picture,) = read_images(io.BytesIO(content[:kept]), name=NAME)
    except InputError as error:
        assert NAME in str(error)
    else:
        assert len(content) - kept <= 20
        np.testing.assert_array_equal(picture.grey, read(content))


@no_deadline
@given(st.sampled_from([PNG, JPEG, GIF, BMP, PGM]), st.data())
def test_damaged_files_are_a_picture_or_refused(content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        for picture in read_images(io.BytesIO(bytes(damaged)), name=NAME):
            assert picture.grey.ndim == 2
    except InputError as error:
        assert NAME in str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_each_image_of_an_idx_file(pack):
    images = np.stack([slope(9, 11), slope(9, 11) + 1, slope(9, 11) + 2])
    pictures = list(read_images(io.BytesIO(pack(idx_bytes(images))), name=NAME))
    assert [picture.index for picture in pictures] == [0, 1, 2]
    np.testing.assert_array_equal([picture.grey for picture in pictures], images)


def test_idx_files_that_hold_no_images_are_refused():
    assert_refused(idx_bytes(np.zeros(5, np.uint8)), "3 dimensions")
    assert_refused(idx_bytes(np.zeros((2, 28, 28), np.uint8))[:-1], "1568 values")
    assert_refused(idx_bytes(np.zeros((2, 3, 28), np.uint8)), "28x3")


def test_files_are_read_by_path_and_named_by_it(tmp_path):
    path = tmp_path / "digit.png"
    path.write_bytes(PNG)
    (picture,) = read_images(path)
    assert picture.name == str(path)
    with pytest.raises(InputError, match="expected to read .*missing"):
        list(read_images(tmp_path / "missing.png"))
    with pytest.raises(InputError, match="expected to read"):
        list(read_images(tmp_path))


def test_a_folder_is_its_pictures_by_name(tmp_path):
    for name in ("b.png", "a.JPG", "c.txt", "t10k-images-idx3-ubyte.gz", "d.png.gz", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "inner.png").mkdir()
    (tmp_path / "inner.png" / "e.png").write_bytes(b"")
    assert [path.name for path in picture_files(tmp_path)] == ["a.JPG", "b.png", "t10k-images-idx3-ubyte.gz"]
    assert picture_files(tmp_path / "c.txt") == [tmp_path / "c.txt"]


def test_a_folder_says_what_it_skips_and_a_pipe_in_it_is_not_waited_for(tmp_path):
    for name in ("a.png", "b.txt", "c.avif", "d.mov", "e.zip", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "inner").mkdir()
    os.mkfifo(tmp_path / "0.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    listing = list_pictures(tmp_path)
    assert [path.name for path in listing.files] == ["a.png", "gone.png"]
    assert listing.skipped == ["0.png", "b.txt", "c.avif", "d.mov", "e.zip"]
    assert skipped_text(listing) == "0.png, b.txt, c.avif and 2 more"


KINDS = {
    "HEIC": b"\0\0\0\x18ftypheic" + bytes(100),
    "AVIF": b"\0\0\0\x20ftypavif" + bytes(100),
    "a film": b"\0\0\0\x20ftypisom" + bytes(100),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "ICO": b"\0\0\1\0\1\0" + bytes(100),
    "TGA": b"\0\0\x0a" + bytes(9) + b"\x28\0\x28\0\x18\0" + bytes(100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_not_read_is_called_what_it_is(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    line = (
        'expected what reads HEIC, got none: pip install "lenet-edge[heic]"'
        if kind == "HEIC"
        else f"got {kind}"
    )
    assert_refused(KINDS[kind], line)


def test_what_pillow_writes_in_other_formats_is_called_what_it_is():
    for name, kind in {"ICO": "ICO", "TGA": "TGA", "JPEG2000": "JPEG 2000"}.items():
        for mode in ("L", "RGB"):
            assert_refused(encoded(Image.fromarray(slope()).convert(mode), name), f"got {kind}")


def test_idx_files_are_not_taken_for_other_kinds():
    for kind in (np.uint8,):
        assert is_idx(idx_bytes(np.zeros((2, 28, 28), kind)))
    assert not any(is_idx(content) for content in KINDS.values())


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_tiff_is_read(mode):
    image = (
        Image.fromarray(slope().astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(slope()).convert(mode)
    )
    np.testing.assert_array_equal(read(encoded(image, "TIFF")), slope())


class Heif:
    """What pillow_heif.open_heif returns."""

    size = 40, 24

    def to_pillow(self):
        image = Image.fromarray(slope())
        image.info["exif"] = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
        return image


class Panorama(Heif):
    size = 20_000, 5_000


def test_heic_is_read_by_its_package_which_turns_it_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(open_heif=lambda stream: Heif()))
    np.testing.assert_array_equal(read(KINDS["HEIC"]), slope())
    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(open_heif=lambda stream: Panorama()))
    assert_refused(KINDS["HEIC"], "20000x5000")
    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(open_heif=lambda stream: 1 / 0))
    assert_refused(KINDS["HEIC"], "a whole HEIC file, got a broken one")


def test_nothing_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="got nothing there"):
        picture_files(tmp_path / "missing")
    with pytest.raises(InputError, match="expected pictures in .*, got none"):
        picture_files(tmp_path)
    with pytest.raises(InputError, match="expected"):
        picture_files("a\0b")


def in_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_opencv_is_imported_only_for_a_page():
    code = """
import sys
import tracemalloc
import numpy as np
import lenet_edge.classify
from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.picture.files import prepare
digit = calibration_digits().images[0]
prepare(digit)
before = "cv2" in sys.modules
prepare(np.pad(digit, 40))
print(before, "cv2" in sys.modules)
"""
    assert in_python(code) == (0, "False True\n", "")


def test_without_opencv_a_page_is_a_line_that_says_how_to_install_it(tmp_path):
    Image.new("L", (90, 90), 255).save(tmp_path / "page.png")
    code = f"""
import sys
import tracemalloc
sys.modules["cv2"] = None
from lenet_edge import cli
sys.exit(cli.main(["COMMAND", {str(tmp_path / "page.png")!r}]))
"""
    for command in ("classify", "read"):
        status, out, err = in_python(code.replace("COMMAND", command))
        assert (status, out) == (2, "")
        (line,) = err.splitlines()
        assert "expected OpenCV, got none: pip install opencv-python-headless" in line


@pytest.mark.parametrize("way", ["cli", "-m"])
def test_without_pillow_a_command_is_a_line_that_says_how_to_install_it(tmp_path, way):
    Image.new("L", (90, 90), 255).save(tmp_path / "page.png")
    for command in ("classify", "read"):
        started = (
            f"from lenet_edge import cli; sys.exit(cli.main([{command!r}, *sys.argv[1:]]))"
            if way == "cli"
            else f"runpy.run_module('lenet_edge.{command}', run_name='__main__')"
        )
        code = f"import runpy, sys; sys.modules['PIL'] = None; sys.argv[1:] = ['page.png']; {started}"
        status, out, err = in_python(code)
        assert (status, out) == (2, "")
        (line,) = err.splitlines()
        assert "expected Pillow, got none: pip install pillow" in line


def test_read_without_opencv_is_a_line_before_anything_is_read(tmp_path):
    for number in range(3):
        Image.new("L", (90, 90), 255).save(tmp_path / f"{number}.png")
    code = f"""
import runpy, sys
sys.modules["cv2"] = None
sys.argv[1:] = [{str(tmp_path)!r}]
runpy.run_module("lenet_edge.read", run_name="__main__")
"""
    status, out, err = in_python(code)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert "expected OpenCV, got none: pip install opencv-python-headless" in line


def test_a_panorama_is_refused_before_it_is_decoded():
    stream = io.BytesIO()
    Image.new("1", (20_000, 5_000)).save(stream, "PNG")
    stream.seek(0)
    tracemalloc.start()
    with pytest.raises(InputError, match="expected 50000000 pixels at most, got 20000x5000"):
        list(read_images(stream, name="a panorama"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20  # its pixels would take 100 times as much


def test_of_an_animated_picture_the_first_frame_is_read():
    frames = [Image.new("L", (60, 60), grey) for grey in (255, 0, 90)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    stream.seek(0)
    (picture,) = read_images(stream, name="animated")
    assert picture.grey.min() == 255


def test_a_page_of_text_has_no_digit_and_no_sure_line():
    image = Image.new("L", (420, 200), 255)
    font = ImageFont.load_default()
    small = Image.new("L", (140, 66), 255)
    for row, text in enumerate(("please turn over", "and sign below", "thank you")):
        ImageDraw.Draw(small).text((4, 4 + 20 * row), text, font=font, fill=0)
    image.paste(small.resize((420, 198)))
    assert prepare(np.asarray(image)).finding is Finding.CROWDED
    assert find_line(np.asarray(image)).finding is LineFinding.LINES
