"""What was read of digits, as lines of text, CSV or JSON."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator

from lenet_edge.picture.segment import Finding
from lenet_edge.reading.digit_answer import Answer
from lenet_edge.reading.output import Output, open_output
from lenet_edge.reading.terminal import drawn, printable

COLUMNS = ("file", "index", "digit", "probability", "finding", "reason")
"""Of the CSV; empty where they do not apply."""

_SEVERAL = "`lenet-edge read` takes several digits"


class Results:
    """Writes answers to `output` as `form`: "text", "csv" or "json".

    Text may have each digit drawn beneath it (`draw`). CSV has a line of `COLUMNS` above.
    """

    def __init__(self, output: Output, *, form: str = "text", draw: bool = False) -> None:
        self._output, self._draw = output, draw
        self._line = FORMS[form]
        if form == "csv":
            self._output.head(_row(COLUMNS))

    def write(self, answer: Answer) -> None:
        """Write one answer; raises OSError, naming what is written to, when that takes no more."""
        encoding = self._output.encoding
        self._output.put(self._line(answer, encoding))
        if self._draw and answer.prepared.box is not None:
            self._output.put(drawn(answer.prepared.picture, encoding=encoding))


@contextlib.contextmanager
def open_results(
    out: str | None, *, form: str = "text", draw: bool = False, append: bool = False
) -> Iterator[Results]:
    """Open the file `out`, or standard output (None), as Results; `append` and errors as `open_output`."""
    with open_output(out, append=append) as output:
        yield Results(output, form=form, draw=draw)


def _facts(answer: Answer) -> dict[str, object]:
    """Return what JSON has of an answer; `finding` and `reason` tell why there is no digit."""
    facts: dict[str, object] = {"file": answer.name}
    if answer.index is not None:
        facts["index"] = answer.index
    facts["digit"] = answer.digit
    facts["probability"] = None if answer.probability is None else round(answer.probability, 6)
    if answer.digit is None:
        facts["finding"] = answer.prepared.finding.value
        facts["reason"] = answer.prepared.reason
    return facts


def _text_line(answer: Answer, encoding: str | None) -> str:
    """Return an answer as a line for people."""
    name = printable(answer.name, encoding)
    if answer.index is not None:
        name += f"[{answer.index}]"
    if answer.digit is None or answer.probability is None:
        finding = answer.prepared.finding
        hint = f"; {_SEVERAL}" if finding is Finding.CROWDED else ""
        return f"{name}: {finding.value} ({answer.prepared.reason}{hint})"
    return f"{name}: {answer.digit}  {100 * answer.probability:.1f} %"


def _csv_line(answer: Answer, encoding: str | None) -> str:
    known = _facts(answer)
    known["finding"] = answer.prepared.finding.value
    line = _row([known.get(column) for column in COLUMNS])
    return line.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")


def _row(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


FORMS: dict[str, Callable[[Answer, str | None], str]] = {
    "text": _text_line,
    "csv": _csv_line,
    "json": lambda answer, encoding: json.dumps(_facts(answer)),
}
"""How an answer is written, by name."""
