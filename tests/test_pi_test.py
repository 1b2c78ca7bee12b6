"""scripts/pi without QEMU and without a download: answers to bad input, what apt is told, verdicts."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from converters.base.errors import InputError
from converters.file.graph import read_graph
from converters.proof.exact_arithmetic import ideal_outputs
from lenet_edge.digits.mnist import pad, test_digits
from lenet_edge.packaged.files import released_folder
from lenet_edge.picture.files import prepare, read_images

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "pi"
FILES = ["lenet5_float32.tflite", "lenet5_int8_qat.tflite"]
METADATA = """\
Metadata-Version: 2.4
Name: lenet-edge
Requires-Dist: numpy>=1.26
Requires-Dist: tflite-runtime>=2.14; python_version < "3.12" and extra == "tflite"
Requires-Dist: ai-edge-litert>=2.1; python_version >= "3.12" and extra == "tflite"
Requires-Dist: tflite-micro; platform_machine == "x86_64"
"""


@pytest.fixture(scope="module", autouse=True)
def modules_of_the_script():
    """The script's modules are found by their bare names here, and by no other test."""
    before = set(sys.modules)
    sys.path.insert(0, str(SCRIPT))
    yield
    sys.path.remove(str(SCRIPT))
    for name in {path.stem for path in SCRIPT.glob("*.py")} - before:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def judge():
    return importlib.import_module("judge").Judge(released_folder().parents[1])


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "lenet_edge-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lenet_edge-0.1.0.dist-info/METADATA", METADATA)
    return path


def target(python="3.11", machine="aarch64"):
    return importlib.import_module("wheels").Target(python, machine, 36)


def command(*arguments, **variables):
    line = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env={**os.environ, **variables})


@pytest.mark.parametrize(
    ("name", "content"),
    [("none.whl", None), ("lenet_edge-1.whl", b"no zip"), ("other-1.whl", b"PK\5\6" + b"\0" * 18)],
)
def test_what_is_no_wheel_of_the_project_is_answered_in_a_line(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = command(path)
    assert done.returncode == 2
    assert done.stderr == f"pi: expected a wheel of this project (make wheel), got {path}\n"


@pytest.mark.parametrize("arguments", [(), ("a.whl", "--arch", "x86"), ("a.whl", "--runtime", "tensorflow")])
def test_arguments_that_it_does_not_know_are_refused(arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_without_qemu_it_is_skipped_with_the_line_that_installs_it(wheel, tmp_path):
    done = command(wheel, "--cache", tmp_path / "cache", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (77, "")
    assert done.stdout == (
        "pi: skipped: expected qemu-aarch64-static, got none: apt-get install qemu-user-static\n"
    )
    assert not (tmp_path / "cache").exists()


def test_without_qemu_require_makes_it_an_error(wheel, tmp_path):
    done = command(wheel, "--board", "2", "--require", PATH=str(tmp_path))
    assert done.stderr.startswith("pi: expected qemu-arm-static, got none")
    done = command(wheel, "--arch", "all", "--require", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pi: expected qemu-aarch64-static, qemu-arm-static, got none")


def test_without_apt_it_is_skipped(wheel, tmp_path):
    (tmp_path / "qemu-aarch64-static").write_text("#!/bin/sh\n")
    (tmp_path / "qemu-aarch64-static").chmod(0o755)
    done = command(wheel, PATH=str(tmp_path))
    assert done.returncode == 77
    assert "a Debian or Ubuntu with apt-get, apt-cache, dpkg-deb, got none" in done.stdout


def test_apt_is_told_another_architecture_and_place_and_keeps_its_checks(tmp_path):
    text = importlib.import_module("debian").configuration(tmp_path, "armhf")
    if shutil.which("apt-config"):
        (tmp_path / "apt.conf").write_text(text)
        dump = ["apt-config", "-c", str(tmp_path / "apt.conf"), "dump"]
        text = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
        assert 'APT::Update::Post-Invoke:: "' not in text
        assert 'APT::Architectures:: "armhf";' in text
    assert 'APT::Architecture "armhf";' in text
    for name, place in (("State", "state"), ("State::status", "status"), ("Cache", "cache")):
        assert f'Dir::{name} "{tmp_path}/{place}";' in text
    own = importlib.import_module("debian").configuration(tmp_path, "arm64")
    for word in ("Unauthenticated", "Insecure", "Verify", "Weak", "trusted", "Dir::Etc"):
        assert word.lower() not in own.lower()


def test_another_release_is_asked_of_the_same_sources_with_the_same_keys(tmp_path, monkeypatch):
    debian = importlib.import_module("debian")
    monkeypatch.setattr(debian.platform, "freedesktop_os_release", lambda: {"VERSION_CODENAME": "bookworm"})
    machine, etc = tmp_path / "machine", tmp_path / "etc"
    (machine / "sources.list.d").mkdir(parents=True)
    (machine / "sources.list.d" / "debian.sources").write_text(
        "Suites: bookworm bookworm-updates\nSigned-By: /keys/debian.gpg\n"
    )
    debian._copy_sources(etc, "trixie", machine=machine)
    text = (etc / "sources.list.d" / "debian.sources").read_text()
    assert text == "Suites: trixie trixie-updates\nSigned-By: /keys/debian.gpg\n"
    assert f'Dir::Etc::sourceparts "{tmp_path}/etc/sources.list.d";' in debian.configuration(
        tmp_path, "arm64", own_sources=True
    )


@pytest.mark.parametrize(
    ("python", "machine", "runtime"),
    [("3.11", "aarch64", "tflite-runtime"), ("3.13", "aarch64", "ai-edge-litert")],
)
def test_requirements_are_those_of_the_target(wheel, tmp_path, python, machine, runtime):
    wheels = importlib.import_module("wheels")
    package = wheels.unpacked(wheels.checked_wheel(wheel), tmp_path)
    found = wheels.requirements(package, target(python, machine), extra="tflite")
    assert {one.name for one in found} == {"numpy", runtime}


@pytest.mark.parametrize(("python", "version"), [("3.11", "==1.26.4"), ("3.13", "==2.5.5")])
def test_pins_are_those_of_the_target(tmp_path, python, version):
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(
        '# a remark\n\nnumpy==1.26.4; python_version < "3.12"\nnumpy==2.5.5; python_version >= "3.12" # new\n'
    )
    (pin,) = importlib.import_module("wheels").pins(constraints, target(python))
    assert (pin.name, str(pin.specifier)) == ("numpy", version)


def test_wheels_for_a_newer_c_library_than_the_board_s_are_not_taken():
    options = target().options()
    assert "--platform=manylinux_2_36_aarch64" in options
    assert "--platform=manylinux2014_aarch64" in options
    assert not [option for option in options if "2_37" in option or "x86" in option]
    assert "--only-binary=:all:" in options


def test_a_folder_of_the_cache_is_there_whole_or_not_at_all(tmp_path):
    made_once = importlib.import_module("folders").made_once

    def broken(folder):
        (folder / "half").write_text("")
        raise InputError("expected more, got half")

    with pytest.raises(InputError):
        made_once(tmp_path / "made", broken)
    assert list(tmp_path.iterdir()) == []
    made_once(tmp_path / "made", lambda folder: (folder / "whole").write_text("1"))
    assert made_once(tmp_path / "made", broken) == tmp_path / "made"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["whole"]


def test_the_board_s_python_is_started_in_the_emulator_with_its_own_cpuinfo(tmp_path, monkeypatch):
    board = importlib.import_module("boards").BOARDS[0]
    (tmp_path / "bin").mkdir()
    emulator = tmp_path / "bin" / board.emulator
    emulator.write_text('#!/bin/sh\necho "$PYTHONPATH"\nfor each in "$@"; do echo "$each"; done\n')
    emulator.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    folder, root = tmp_path / "board", tmp_path / "root"
    (tmp_path / "two words").mkdir()
    make = importlib.import_module("emulated").Emulated
    pi = make(board, root, "3.11", path=[tmp_path / "site"], folder=folder)
    pi = make(board, root, "3.11", path=[tmp_path / "site"], folder=folder)  # again, as with a warm cache
    said = pi.run(["-c", "two words"], cwd=tmp_path, more=[tmp_path / "tools"], timeout=60).stdout
    path, *arguments = said.splitlines()
    assert path == f"{tmp_path}/site{os.pathsep}{tmp_path}/tools"
    assert arguments == [
        *("-cpu", "cortex-a72", "-0", str(pi.executable), "-L", str(folder)),
        *("-E", f"PYTHONHOME={root}/usr", f"{root}/usr/bin/python3.11", "-s", "-S", "-c", "two words"),
    ]
    assert "CPU part\t: 0xd08\n" in (folder / "proc" / "cpuinfo").read_text()


@pytest.mark.parametrize(
    ("status", "out", "counts", "failed"),
    [
        (0, "..\n2 passed, 1 skipped in 3.2s\n", "2 passed, 1 skipped", 0),
        (1, "FAILED a.py::b - no\n1 failed, 2 passed in 3.2s\n", "1 failed, 2 passed", 1),
        (139, "..", "", 1),
    ],
)
def test_what_pytest_says_on_the_board_is_told(tmp_path, status, out, counts, failed):
    class Pi:
        def run(self, arguments, **_):
            return subprocess.CompletedProcess(arguments, status, out, "")

    found = importlib.import_module("trial").run_tests(Pi(), ["a.py"], tmp_path, tmp_path)
    assert (found[0], len(found[1])) == (counts, failed)


def test_the_tests_that_are_run_on_a_board_exist():
    trial = importlib.import_module("trial")
    for name in (*trial.OF_EVERY_RUNTIME, *trial.OF_THE_ARCHITECTURE):
        assert (trial.ROOT / "tests" / name).is_file(), name
    for name in (*trial._SLOW, *trial._OF_THIS_MACHINE):
        path, test = name.partition("[")[0].split("::")
        assert f"def {test}(" in (trial.ROOT / path).read_text(), name


@pytest.fixture(scope="module")
def ideal(judge):
    """What exact arithmetic gives for four test digits, by file."""
    return {name: judge._tolerance(name, 4).ideal.astype(np.float32) for name in FILES}


def test_scores_within_their_tolerance_are_within(judge, ideal):
    other = {name: np.roll(rows, 1, axis=1) for name, rows in ideal.items()}
    verdict = judge.digits(ideal, other)
    assert (verdict.files, verdict.differ, verdict.why) == (2, 8, [])
    assert verdict.used < 1
    assert judge.digits(ideal, ideal).differ == 0


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("wrong", [0.2, np.nan])
def test_one_score_out_of_tolerance_is_found(judge, ideal, name, wrong):
    found = {file: rows.copy() for file, rows in ideal.items()}
    found[name][2, 5] = found[name][2, 5] + wrong
    verdict = judge.digits(found, ideal)
    assert len(verdict.why) == 1
    assert verdict.why[0].startswith(name)
    assert verdict.used > 100


def golden_scores(judge):
    """Return the scores in golden.json as a Classifier gives them."""
    found = {}
    for name, file in judge._golden["files"].items():
        step, zero = file["output"].get("scale", 1.0), file["output"].get("zero_point", 0)
        found[name] = ((np.array(file["scores"]) - zero) * step).astype(np.float32)
    return found


def test_golden_scores_are_held_to_their_limits(judge):
    scores = golden_scores(judge)
    assert judge.golden(scores) == []
    for name in FILES:
        scores[name][3] = np.roll(scores[name][3], 1)
    assert judge.golden(scores) == [f"{name}: golden pictures [3] are out of their limits" for name in FILES]
    del scores[FILES[0]]
    with pytest.raises(InputError, match="expected scores of every golden file"):
        judge.golden(scores)


@pytest.fixture(scope="module")
def answered(judge, tmp_path_factory):
    """What `classify --json` would say of a picture on this machine."""
    path = tmp_path_factory.mktemp("pictures") / "7.png"
    Image.fromarray(255 - pad(test_digits().images[:1])[0]).save(path)
    pixels = prepare(next(iter(read_images(path))).grey).picture[None, ..., None].astype(np.float32)
    (scores,) = ideal_outputs(read_graph(judge.released(FILES[1]).read_bytes()), pixels)
    return {"file": str(path), "digit": int(scores.argmax()), "probability": float(scores.max())}


@pytest.mark.parametrize(
    ("change", "out"),
    [({}, 0), ({"probability": 0.2}, 1), ({"digit": 3}, 1), ({"file": "elsewhere.png"}, 1)],
)
def test_answers_of_classify_are_compared(judge, answered, change, out):
    blank = {"file": "blank.png", "digit": None, "probability": None, "finding": "blank"}
    found = judge.answers([{**answered, **change}, blank], [answered, blank], FILES[1])
    assert len(found) == out


def test_an_answer_of_classify_that_is_missing_is_found(judge, answered):
    assert judge.answers([], [answered], FILES[1]) == ["classify: expected 1 answers, got 0"]


def test_the_table_tells_what_is_out():
    trial, table = importlib.import_module("trial"), importlib.import_module("table").table
    good = trial.Outcome("Raspberry Pi 4", "arm64", "tflite-runtime 2", used=12.34)
    assert "all is within." in table([good])
    assert "12.3" in table([good])
    bad = trial.Outcome("Raspberry Pi 5", "arm64", "ai-edge-litert 2", why=["a digit is off"])
    assert table([good, bad]).endswith("out:\nRaspberry Pi 5, ai-edge-litert 2: a digit is off")
