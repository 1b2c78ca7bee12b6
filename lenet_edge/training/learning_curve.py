"""Draw the learning curve of a training: loss and errors by epoch."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from converters.base.files import write_atomically

_ERRORS = {
    "training_error": "digits trained on",
    "held_out_error": "held-out digits",
    "held_out_normal_error": "held-out strings of four",
    "held_out_touching_error": "held-out strings of four, touching",
    "held_out_cheque_error": "held-out scanned amounts",
}


def draw(history: Sequence[dict[str, float]], path: Path) -> None:
    """Write the curve as a PNG to `path`; rows of `history`: epoch, loss, errors in percent."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    epochs = [row["epoch"] for row in history]
    figure, (loss, error) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    loss.plot(epochs, [row["loss"] for row in history], color="tab:blue")
    loss.set(xlabel="epoch", ylabel="loss", title="loss while training", yscale="log")
    shown = [name for name in _ERRORS if name in history[0]]
    for name, colour in zip(shown, ("tab:orange", "tab:green", "tab:red", "tab:purple"), strict=False):
        error.plot(epochs, [row[name] for row in history], color=colour, label=_ERRORS[name])
    if len(shown) > 1:
        error.legend()
    error.set(
        xlabel="epoch",
        ylabel="error, %",
        title=f"misread {_ERRORS[shown[0]]}" if len(shown) == 1 else "misread",
        yscale="log",
    )
    for axes in (loss, error):
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(ticker.NullFormatter())
        axes.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    pyplot.close(figure)
    write_atomically(path, picture.getvalue())
