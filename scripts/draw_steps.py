"""Draw the four steps from a Keras model to a .tflite file, for docs/inside.md: an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from converters.base.errors import exit_status
from converters.base.files import check_writable, write_atomically
from converters.base.options import command_parser

NAME = "draw_steps.py"
WIDTH, MARGIN = 480, 16
LINE, CARD, ARROW = 22, 106, 44
"""Heights in pixels: a line of text, a step, the arrow to the next with what it carries."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A card of the drawing: what is done, how it is proven, and what comes out."""

    title: str
    call: str
    does: str
    proven: str
    gives: str


STEPS = (
    Step(
        title="1. Train",
        call="lenet-edge train",
        does="the few weights of each layer, on distorted digits",
        proven="the paper in plain NumPy, number by number",
        gives="the original: the paper's layers, trained",
    ),
    Step(
        title="2. Fold",
        call="fold(model)",
        does="scaling and shifting move into the weights",
        proven="the same function, up to float32's rounding",
        gives="the same layers with plain tanh and softmax",
    ),
    Step(
        title="3. Quantise",
        call="fine_tune(model, data)",
        does="rounds where the file will, and learns to live with it",
        proven="its twin computes the model's numbers",
        gives="a model that rounds as its int8 file",
    ),
    Step(
        title="4. Convert",
        call="to_tflite(model), lower(content)",
        does="kernels become constants, laid out for fast ones",
        proven="each weight and each score, in every runtime",
        gives="a .tflite file of stock operators",
    ),
)

STYLE = """text{font:14px system-ui,sans-serif;fill:#1c2733}
.title{font-weight:600;font-size:17px}.call{font:13px ui-monospace,monospace;fill:#4a5a6a}
.proven{fill:#17633a}.gives{font-style:italic;fill:#4a5a6a}"""


def drawing() -> str:
    """Return the SVG."""
    parts, top = [], MARGIN
    for step in STEPS:
        parts += [_card(step, top), _arrow(step.gives, top + CARD)]
        top += CARD + ARROW
    height = top + MARGIN - 8
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">',
            "<title>Train, fold, quantise, convert: what each step gives, and how it is proven</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#f6f8fa"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _card(step: Step, top: int) -> str:
    left, right = 2 * MARGIN, WIDTH - 2 * MARGIN
    return "\n".join(
        [
            f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{CARD}" rx="8" '
            'fill="#fff" stroke="#b9c4cf"/>',
            _text(left, top + 28, step.title, "title"),
            f'<text x="{right}" y="{top + 28}" class="call" text-anchor="end">{escape(step.call)}</text>',
            _text(left, top + 28 + 1.3 * LINE, step.does),
            _text(left, top + 28 + 2.5 * LINE, f"Proven: {step.proven}", "proven"),
        ]
    )


def _arrow(gives: str, top: int) -> str:
    x, end = 3 * MARGIN, top + ARROW
    return (
        f'<path d="M{x} {top}V{end - 8}M{x - 6} {end - 10}l6 8 6 -8" fill="none" stroke="#4a5a6a" '
        f'stroke-width="2"/>{_text(x + MARGIN, top + 27, gives, "gives")}'
    )


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{escape(words)}</text>'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = command_parser(name=NAME, description=__doc__)
    parser.add_argument("out", type=Path, metavar="FILE.svg", help="where to draw it")
    out = parser.parse_args(argv).out
    check_writable(out)
    write_atomically(out, drawing())
    return 0


if __name__ == "__main__":
    raise SystemExit(exit_status(main, name=NAME))
