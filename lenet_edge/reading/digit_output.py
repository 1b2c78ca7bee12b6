"""Write the answers of `classify` as text, CSV or JSON."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator

from converters.base.words import printable
from lenet_edge.picture.findings import Finding
from lenet_edge.reading.digit_answer import Answer
from lenet_edge.reading.output import Output, open_output
from lenet_edge.reading.terminal import draw_text

COLUMNS = ("file", "index", "digit", "probability", "sure", "finding", "reason")
"""The columns of the CSV; a value that does not apply is empty."""

_LINE_END = "\r\n"
_SEVERAL = "`lenet-edge read` reads several digits"


class Results:
    """Writes answers to `output` as `form`: "text", "csv" or "json".

    `draw` adds a drawing of each digit to text. CSV begins with a line of `COLUMNS`.
    """

    def __init__(self, output: Output, *, form: str = "text", draw: bool = False) -> None:
        self._output, self._draw = output, draw
        self._line = FORMS[form]
        if form == "csv":
            self._output.write_heading(_row(COLUMNS))

    def write(self, answer: Answer) -> None:
        """Write one answer; raises OSError, with the name of the output, if that fails."""
        encoding = self._output.encoding
        self._output.write_answer(self._line(answer, encoding))
        if self._draw and answer.prepared.box is not None:
            self._output.write_answer(draw_text(answer.prepared.picture, encoding=encoding))


@contextlib.contextmanager
def open_results(
    out: str | None, *, form: str = "text", draw: bool = False, append: bool = False
) -> Iterator[Results]:
    """Open the file `out`, or standard output (None), as Results; `append` and errors as `open_output`."""
    with open_output(out, append=append) as output:
        yield Results(output, form=form, draw=draw)


def _json_facts(answer: Answer) -> dict[str, object]:
    """Return the JSON object of an answer; `finding` and `reason` say why there is no digit."""
    facts: dict[str, object] = {"file": answer.name}
    if answer.index is not None:
        facts["index"] = answer.index
    facts["digit"] = answer.digit
    facts["probability"] = None if answer.probability is None else round(answer.probability, 6)
    facts["sure"] = answer.sure
    if answer.digit is None:
        facts["finding"] = answer.prepared.finding.value
        facts["reason"] = answer.prepared.reason
    return facts


def _text_line(answer: Answer, encoding: str | None) -> str:
    """Return an answer as a line of text."""
    name = printable(answer.name, encoding)
    if answer.index is not None:
        name += f"[{answer.index}]"
    if answer.digit is None or answer.probability is None:
        finding = answer.prepared.finding
        hint = f"; {_SEVERAL}" if finding is Finding.CROWDED else ""
        return f"{name}: {finding.value} ({answer.prepared.reason}{hint})"
    unsure = "" if answer.sure else "  unsure"
    return f"{name}: {answer.digit}  {100 * answer.probability:.1f} %{unsure}"


def _csv_line(answer: Answer, encoding: str | None) -> str:
    fields = _json_facts(answer)
    fields["finding"] = answer.prepared.finding.value
    fields["sure"] = str(answer.sure).lower()
    line = _row([fields.get(column) for column in COLUMNS])
    return line.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")


def _row(values: Iterable[object]) -> str:
    line = io.StringIO()
    # The writer quotes what has a character of its line's end in it, such as the newline of a file's name.
    csv.writer(line, lineterminator=_LINE_END).writerow(values)
    return line.getvalue().removesuffix(_LINE_END)


FORMS: dict[str, Callable[[Answer, str | None], str]] = {
    "text": _text_line,
    "csv": _csv_line,
    "json": lambda answer, encoding: json.dumps(_json_facts(answer)),
}
"""The output forms by name: each formats an answer for an encoding."""
