"""Pictures that people really have: frames, margins, tables, transparency, colours, digits side by side.

Each kind is read as the same digits are on plain paper, but for a few: they are drawn anew at another size.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from lenet_edge.digits.mnist import calibration_digits
from lenet_edge.digits.opencv import cv2
from lenet_edge.on_paper.drawing import photograph
from lenet_edge.picture.files import prepare, read_images
from lenet_edge.picture.findings import Finding
from lenet_edge.picture.line.finding import LineFinding, find_line
from lenet_edge.picture.sheet import find_sheet, without_table
from lenet_edge.runtime.classifier import Classifier
from lenet_edge.runtime.string_reader import StringReader

DIGITS = calibration_digits()
CHOSEN = np.arange(0, len(DIGITS.images), 25)
FEWEST = len(CHOSEN) - 1
"""How many of the chosen digits must be read rightly: all but one."""


@pytest.fixture(scope="module")
def classifier():
    with Classifier() as classifier:
        yield classifier


@pytest.fixture(scope="module")
def reader():
    with StringReader() as reader:
        yield reader


def large(digit):
    return np.kron(digit, np.ones((8, 8), np.uint8))


def framed(digit, shape, *, width):
    image = Image.fromarray(np.pad(255 - large(digit), 88, constant_values=255))
    getattr(ImageDraw.Draw(image), shape)([60, 60, 340, 340], outline=0, width=width)
    return image


def broken(digit, shape):
    """Return a framed digit whose frame has three breaks, as long as a sixth of the digit."""
    image = framed(digit, shape, width=6)
    draw = ImageDraw.Draw(image)
    for x, y in ((200, 60), (340, 200), (60, 230)):
        draw.rectangle([x - 16, y - 16, x + 16, y + 16], fill=255)
    return image


def small_and_blurred(image):
    return image.resize((64, 64), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(1))


def turned(image, degrees, *, around):
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=around)


def in_alpha(digit, ink):
    pixels = np.full((*digit.shape, 4), ink, np.uint8)
    pixels[..., 3] = digit
    return Image.fromarray(pixels)


def coloured(digit, ink, paper):
    share = large(digit)[..., None] / 255
    return Image.fromarray((share * np.array(ink) + (1 - share) * np.array(paper)).astype(np.uint8))


def on_table(digit, *, table=30, paper=255):
    return Image.fromarray(np.pad(large(255 - digit) // (255 // paper), 110, constant_values=table))


KINDS = {
    "raised to 20": lambda digit: Image.fromarray(np.maximum(digit, 20)),
    "raised to 30": lambda digit: Image.fromarray(np.maximum(digit, 30)),
    "paper of 225": lambda digit: Image.fromarray(255 - np.maximum(digit, 30)),
    "circled": lambda digit: framed(digit, "ellipse", width=6),
    "boxed": lambda digit: framed(digit, "rectangle", width=4),
    "boxed by a thick pen": lambda digit: framed(digit, "rectangle", width=14),
    "in a broken circle": lambda digit: broken(digit, "ellipse"),
    "in a broken box": lambda digit: broken(digit, "rectangle"),
    "circled closely, small and blurred": lambda digit: small_and_blurred(framed(digit, "ellipse", width=8)),
    "a plot in its margin": lambda digit: Image.fromarray(np.pad(large(digit), 60, constant_values=255)),
    "a note on a table": on_table,
    "a turned note": lambda digit: turned(on_table(digit), 7, around=30),
    "white in alpha": lambda digit: in_alpha(digit, 255),
    "light grey in alpha": lambda digit: in_alpha(digit, 245),
    "black in alpha": lambda digit: in_alpha(digit, 0),
    "red on green": lambda digit: coloured(digit, (255, 59, 50), (60, 160, 60)),
    "green on red": lambda digit: coloured(digit, (60, 160, 60), (255, 59, 50)),
    "blue on grey": lambda digit: coloured(digit, (90, 90, 255), (109, 109, 109)),
}


def file_of(image, kind="PNG"):
    stream = io.BytesIO()
    image.save(stream, kind)
    return io.BytesIO(stream.getvalue())


@pytest.mark.parametrize("kind", KINDS)
def test_digits_are_read_as_on_plain_paper(classifier, kind):
    right = 0
    for image, label in zip(DIGITS.images[CHOSEN], DIGITS.labels[CHOSEN], strict=True):
        (picture,) = read_images(file_of(KINDS[kind](image)), name=kind)
        prepared = prepare(picture.grey)
        right += prepared.finding is Finding.DIGIT and classifier.scores(prepared.picture).argmax() == label
    assert right >= FEWEST


def test_equal_luminance_is_seen_in_a_large_jpeg_too(classifier):
    digit, label = DIGITS.images[60], DIGITS.labels[60]
    image = KINDS["red on green"](digit).resize((2240, 2240), Image.Resampling.NEAREST)
    (picture,) = read_images(file_of(image, "JPEG"), name="a photograph")
    assert max(picture.grey.shape) < 1600
    assert classifier.scores(prepare(picture.grey).picture).argmax() == label


def test_only_what_has_empty_paper_passes_unchanged():
    digit = DIGITS.images[7]
    for level in (5, 20, 40):
        raised = np.maximum(digit, level)
        assert not np.array_equal(prepare(raised).picture[2:-2, 2:-2], raised)
    assert np.array_equal(prepare(digit).picture[2:-2, 2:-2], digit)


@pytest.mark.parametrize("level", [5, 20, 60])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_digit_of_28x28_on_grey_is_only_stretched(level, inverted):
    for digit in DIGITS.images[CHOSEN]:
        raised = np.maximum(digit, level)
        prepared = prepare(np.invert(raised) if inverted else raised)
        stretched = (np.maximum(digit, level) - level) / (digit.max() - level) * 255
        assert np.abs(prepared.picture[2:-2, 2:-2] - stretched).max() <= 0.5


@pytest.mark.parametrize("inverted", [False, True])
def test_light_beside_a_shadow_is_seldom_ink(inverted):
    # On the average, light that bulges into a shadow looks like bright ink: of 20 digits, 16 were missed.
    rows, columns = np.mgrid[:200, :270]
    shadow = 0.64 * (np.hypot(columns, 200 - rows) > 120)
    right = 0
    for digit in DIGITS.images[CHOSEN]:
        page = np.full((200, 270), 190.0)
        page[20:76, 150:206] *= 1 - 0.9 * np.kron(digit, np.ones((2, 2))) / 255
        page = page * (1 - shadow) + np.random.default_rng(2).normal(0, 2, page.shape)
        grey = np.clip(page, 0, 255).astype(np.uint8)
        right += prepare(np.invert(grey) if inverted else grey).inverted is inverted
    assert right >= 0.8 * len(CHOSEN)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("seed", [(11, 20), (5001, 191)])
def test_light_that_fills_a_corner_is_no_ink(seed, inverted):
    # A small digit in shadow, beside light that stands out more. The second is on squared paper.
    for digit in DIGITS.images[CHOSEN[::4]]:
        image, _ = photograph(digit, seed=seed, shadow="cast")
        grey = np.asarray(image.convert("L").reduce(3 if max(image.size) > 800 else 1))
        assert prepare(np.invert(grey) if inverted else grey).inverted is inverted


def test_thick_strokes_on_shaded_paper_are_not_hollow():
    for digit in DIGITS.images[CHOSEN]:
        thick = np.pad(cv2.dilate(large(digit), np.ones((20, 20))), 40)
        noise = np.random.default_rng(1).normal(0, 4, thick.shape)
        photographed = np.clip(200 - 0.6 * thick + noise, 0, 255).astype(np.uint8)
        drawn, found = (prepare(grey).picture for grey in (np.invert(thick), photographed))
        assert (found[drawn > 200] > 100).mean() > 0.9


@pytest.mark.parametrize("gap", [4, 20, 34])
def test_two_ones_side_by_side_are_crowded(gap):
    page = np.full((400, 400), 255, np.uint8)
    for left in (150, 166 + gap):
        page[90:310, left : left + 16] = 0
    assert prepare(page).finding is Finding.CROWDED


def test_one_dot_in_a_zero_leaves_it_a_zero(classifier):
    page = Image.new("L", (300, 300), 255)
    draw = ImageDraw.Draw(page)
    draw.ellipse([90, 50, 210, 250], outline=0, width=16)
    draw.ellipse([140, 140, 160, 160], fill=0)
    assert classifier.scores(prepare(np.asarray(page)).picture).argmax() == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_a_sheet_is_left_alone(level, rng):
    flat = np.full((200, 300), level, np.uint8)
    noise = rng.integers(0, 256, (200, 300)).astype(np.uint8)
    stroke = np.pad(np.zeros((120, 20), np.uint8), 90, constant_values=255)
    ring = np.asarray(framed(DIGITS.images[0] * 0, "ellipse", width=10))
    squared = np.full((240, 240), 200, np.uint8)
    squared[80:84] = squared[160:164] = squared[:, 80:84] = squared[:, 160:164] = 60
    squared[100:145, 116:124] = 60  # in the middle square, the only one that is whole
    for grey in (flat, noise, stroke, ring, squared, large(DIGITS.images[3])):
        assert without_table(grey) is grey
        assert find_sheet(grey) is None


@pytest.mark.parametrize("degrees", [0, 7, -13])
@pytest.mark.parametrize("exposure", [0.4, 1.0])
def test_a_digit_on_a_turned_sheet_has_its_box_in_the_picture(degrees, exposure):
    note = np.pad(255 - large(DIGITS.images[0]), ((70, 90), (60, 120)), constant_values=255)
    table = Image.fromarray(np.pad((note * exposure).astype(np.uint8), 110, constant_values=10))
    turned_table = np.asarray(turned(table, degrees, around=10))
    ink = np.asarray(
        turned(Image.fromarray(np.pad((note < 128).astype(np.uint8), 110) * 255), degrees, around=0)
    )
    rows, columns = np.nonzero(ink > 128)
    prepared = prepare(turned_table)
    wanted = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    # The sheet is laid flat, and the box of its digit turned back is larger: by sin 13 of some 160 pixels.
    room = 8 + 160 * abs(np.sin(np.radians(degrees)))
    for own, true, way in zip(prepared.box, wanted, (-1, -1, 1, 1), strict=True):
        assert -8 <= way * (own - true) <= room


def test_rules_that_end_with_their_sheet_are_no_ink(classifier):
    digit, label = DIGITS.images[25], DIGITS.labels[25]
    sheet = np.pad(255 - large(digit), 40, constant_values=255)
    sheet[30::70] = np.minimum(sheet[30::70], 170)
    prepared = prepare(np.pad(sheet, 90, constant_values=20))
    assert classifier.scores(prepared.picture).argmax() == label


@pytest.mark.parametrize("paper", [20, 110])
def test_a_drawing_on_grey_is_one_on_black_or_white(classifier, paper):
    # A 6 so thick that on grey, taken for a photograph, its edges alone are ink.
    digit, label = DIGITS.images[42], DIGITS.labels[42]
    drawn = np.round(paper + (250 - paper) * (digit / 255)).astype(np.uint8)
    assert classifier.scores(prepare(drawn).picture).argmax() == label


def line_of(digits, *, box=False, gap=30, grey=0):
    """Return digits in a row, each in a box of its own if `box` says so."""
    width = 60 + len(digits) * (112 + gap)
    image = Image.new("L", (width, 190), 255)
    draw = ImageDraw.Draw(image)
    for place, digit in enumerate(digits):
        left = 30 + place * (112 + gap)
        cell = Image.fromarray(255 - np.kron(digit, np.ones((4, 4), np.uint8)))
        image.paste(cell, (left, 39))
        if box:
            draw.rectangle([left - gap // 2, 25, left + 112 + gap // 2, 165], outline=grey, width=3)
    return np.asarray(image)


def in_comb(digits, *, gap=30, grey=0):
    """Return digits between the teeth of a comb, as on forms."""
    image = Image.fromarray(line_of(digits, gap=gap))
    draw = ImageDraw.Draw(image)
    end = 30 + len(digits) * (112 + gap) - gap // 2
    draw.line([(30 - gap // 2, 165), (end, 165)], fill=grey, width=4)
    for place in range(len(digits) + 1):
        tooth = 30 - gap // 2 + place * (112 + gap)
        draw.line([(tooth, 25), (tooth, 165)], fill=grey, width=4)
    return np.asarray(image)


def bordered(grey, inset):
    image = Image.fromarray(np.pad(grey, 40, constant_values=255))
    ImageDraw.Draw(image).rectangle(
        [inset, inset, image.width - inset, image.height - inset], outline=0, width=4
    )
    return np.asarray(image)


LINES = {
    "plain": line_of,
    "boxes": lambda digits: line_of(digits, box=True),
    "grey boxes": lambda digits: line_of(digits, box=True, grey=150),
    "boxes apart": lambda digits: line_of(digits, box=True, gap=28),
    "one frame": lambda digits: bordered(line_of(digits), 20),
    "on a table": lambda digits: np.pad(line_of(digits), 150, constant_values=40),
    "panel": lambda digits: np.pad(255 - line_of(digits), 150, constant_values=255),
}


@pytest.mark.parametrize("kind", LINES)
def test_strings_are_read_as_on_plain_paper(reader, kind):
    right = 0
    rows = CHOSEN[:20].reshape(4, 5)
    for row in rows:
        line = find_line(LINES[kind](DIGITS.images[row]))
        text = "".join(map(str, DIGITS.labels[row]))
        right += line.finding is LineFinding.LINE and reader.read(line.picture).text == text
    assert right == len(rows)


@pytest.mark.parametrize("grey", [0, 150])
def test_a_comb_is_left_out(reader, grey):
    # The first five have two 1s, as straight as the teeth.
    for row in CHOSEN[5:20].reshape(3, 5):
        line = find_line(in_comb(DIGITS.images[row], grey=grey))
        assert reader.read(line.picture).text == "".join(map(str, DIGITS.labels[row]))
