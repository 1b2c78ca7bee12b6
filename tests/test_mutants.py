"""The faults that scripts/mutants.py plants: each can be planted, every room has one, and one is found."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
FAULTS = runpy.run_path(str(SCRIPTS / "planted_faults.py"))["FAULTS"]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield runpy.run_path(str(SCRIPTS / "mutants.py"))
    sys.modules.pop("planted_faults", None)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault):
    source = (ROOT / fault.file).read_text()
    assert source.count(fault.text) == 1
    compile(source.replace(fault.text, fault.becomes), fault.file, "exec")
    assert fault.becomes != fault.text
    assert all((ROOT / "tests" / test).is_file() for test in fault.tests)
    assert fault.tests


def test_no_two_faults_have_one_name():
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 40


def test_every_room_has_a_fault():
    rooms = {
        file.parent.relative_to(ROOT).as_posix()
        for package in ("converters", "lenet_edge")
        for file in (ROOT / package).glob("*/*.py")
    }
    covered = {"/".join(Path(fault.file).parts[:2]) for fault in FAULTS}
    assert rooms <= covered


def test_a_planted_fault_is_found_and_leaves_the_package_alone(script):
    fault = next(fault for fault in FAULTS if fault.name == "mcnemar-tail")
    before = (ROOT / fault.file).read_text()
    outcome = script["tried"](fault)
    assert outcome.found
    assert outcome.by.startswith("converters/proof/test_mcnemar.py::")
    assert (ROOT / fault.file).read_text() == before


def test_what_no_test_finds_is_not_found(script, tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    assert script["failing"]([str(tmp_path / "test_nothing.py")], tmp_path, limit=60) == ""


def test_an_unknown_fault_is_refused(script):
    from converters.base.errors import InputError

    with pytest.raises(InputError, match="expected --only one of .*, got none-such"):
        script["main"](["--only", "none-such"])


def test_a_run_that_was_stopped_goes_on_where_it_stopped(script, tmp_path, capsys):
    """The second fault of the list was not tried yet; the tests without any fault passed before."""
    names = ("mcnemar-tail", "zero-point")
    faults = [fault for fault in FAULTS if fault.name in names]
    results = tmp_path / "mutants.json"
    done = script["Outcome"](name=faults[0].name, file="a.py", meaning="b", by="c", seconds=1.0)
    used = script["main"].__globals__
    used.update(RESULTS=results, FAULTS=faults, _commit=lambda: "abc", _check_untouched=None)
    used["_keep"]([done], "abc")
    assert script["main"]([]) == 0
    report = json.loads(results.read_text())
    assert [row["name"] for row in report["mutants"]] == [fault.name for fault in faults]
    assert "2 of 2 planted faults were found" in capsys.readouterr().out
    assert used["_earlier"]("abc") == []  # it ended
    assert used["_earlier"]("abcd") == []
