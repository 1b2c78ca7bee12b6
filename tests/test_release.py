"""scripts/artefacts without a build of the demos: what it refuses, and that twice gives the same bytes."""

from __future__ import annotations

import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from converters.base.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "artefacts"
DATED = "# Changelog\n\n## [0.1.2] - 2026-11-28\n\n## [0.1.0] - 2026-01-02\n"


@pytest.fixture(scope="module", autouse=True)
def modules_of_the_script():
    """The script's modules are found by their bare names here, and by no other test."""
    sys.path.insert(0, str(SCRIPT))
    yield
    sys.path.remove(str(SCRIPT))
    for name in {path.stem for path in SCRIPT.glob("*.py")} - {"__main__"}:
        sys.modules.pop(name, None)


def module(name):
    found = importlib.import_module(name)
    assert Path(found.__file__).parent == SCRIPT
    return found


def git(*arguments, folder):
    names = ("-c", "user.name=a", "-c", "user.email=b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository with a commit: a package of version 0.1.2, and a changelog."""
    root = tmp_path / "a répository"
    (root / "lenet_edge").mkdir(parents=True)
    (root / "lenet_edge" / "__init__.py").write_text('__version__ = "0.1.2"\n')
    (root / "CHANGELOG.md").write_text(DATED)
    git("init", "--quiet", folder=root)
    git("add", ".", folder=root)
    git("commit", "--quiet", "-m", "first", folder=root)
    return root


@pytest.mark.parametrize(
    ("heading", "got"),
    [
        ("## [Unreleased]", "## \\[Unreleased\\]"),
        ("## [0.1.2]", "## \\[0.1.2\\]"),
        ("## [0.1.3] - 2026-11-28", "## \\[0.1.3\\] - 2026-11-28"),
        ("## [0x1.2] - 2026-11-28", "## \\[0x1.2\\]"),
        ("", "none"),
    ],
)
def test_a_changelog_that_does_not_date_the_version_is_refused(repository, heading, got):
    commit = module("commit")
    assert commit.dated_version(repository) == "0.1.2"
    (repository / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n")
    with pytest.raises(InputError, match=f"begin with ## \\[0.1.2\\] - YEAR-MONTH-DAY, got {got}"):
        commit.dated_version(repository)


@pytest.mark.parametrize("name", ["CHANGELOG.md", "new"])
def test_what_is_not_committed_is_refused(repository, name):
    commit = module("commit")
    assert commit.read_commit(repository).seconds > 1_700_000_000
    (repository / name).write_text("changed")
    with pytest.raises(InputError, match=f"expected every change committed, got 1 not, such as .*{name}"):
        commit.read_commit(repository)


def test_a_folder_that_is_no_repository_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a clone of the repository, got .*not a git repository"):
        module("commit").read_commit(tmp_path)


def test_the_clone_is_of_the_commit_whatever_came_after(repository, tmp_path):
    commit = module("commit")
    first = commit.read_commit(repository)
    (repository / "later").write_text("")
    git("add", ".", folder=repository)
    git("commit", "--quiet", "-m", "second", folder=repository)
    (repository / "never").write_text("")
    commit.clone(repository, first, tmp_path / "clone")
    assert {path.name for path in (tmp_path / "clone").iterdir()} == {".git", "CHANGELOG.md", "lenet_edge"}


def write_sdist(path, *, mtime, owner, names, mode=0o644):
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.uname, entry.uid, entry.mode = mtime, owner, mtime, mode
            entry.size = len(name)
            archive.addfile(entry, io.BytesIO(name.encode()))


def test_an_sdist_tells_nothing_of_the_hour_and_the_person(tmp_path):
    first, second, program = (tmp_path / name for name in ("a.tar.gz", "b.tar.gz", "c.tar.gz"))
    write_sdist(first, mtime=1, owner="me", names=["x/a", "x/b"])
    write_sdist(second, mtime=2, owner="you", names=["x/b", "x/a"], mode=0o664)
    write_sdist(program, mtime=2, owner="you", names=["x/b", "x/a"], mode=0o755)
    for path in (first, second, program):
        module("sdist").with_times(path, 1_700_000_000)
    assert first.read_bytes() == second.read_bytes() != program.read_bytes()
    with tarfile.open(program) as archive:
        found = {(one.name, one.mtime, one.mode, one.uname) for one in archive.getmembers()}
        assert archive.extractfile("x/b").read() == b"x/b"
    assert found == {("x/a", 1_700_000_000, 0o755, ""), ("x/b", 1_700_000_000, 0o755, "")}


def built(folder, *, mtime):
    """Build sdist and wheel from a copy of the tree whose files are all of one time; return both."""
    tree, out = folder / "tree", folder / "out"
    for name in ("converters", "lenet_edge"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in ("*.md", "*.toml", "*.txt", "LICENSE", "NOTICE", "MANIFEST.in"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, tree)
    (tree / "tests").mkdir()
    (tree / "tests" / "test_a.py").write_text("")
    for path in tree.rglob("*"):
        os.utime(path, (mtime, mtime))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1750000000"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    module("sdist").with_times(sdist, 1_750_000_000)
    return sdist, wheel


def test_wheel_and_sdist_are_the_same_bytes_twice(tmp_path):
    found = [built(tmp_path / str(mtime), mtime=mtime) for mtime in (1_600_000_000, 1_700_000_000)]
    for first, second in zip(*found, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), first.name
    sdist, wheel = found[0]
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    released = {f"lenet_edge/released/{path.name}" for path in (ROOT / "lenet_edge" / "released").iterdir()}
    assert released | {"CHANGELOG.md", "MODEL_CARD.md", "NOTICE", "constraints.txt"} <= names
    assert not [name for name in names if name.startswith("tests")]
    with zipfile.ZipFile(wheel) as archive:
        assert released <= set(archive.namelist())
        assert not [name for name in archive.namelist() if name.startswith(("tests", "scripts"))]


@pytest.fixture
def release(tmp_path):
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("b b", "a"):
        (folder / name).write_text(name)
    module("sums").write_sums(folder)
    return folder


def test_the_sums_are_such_that_sha256sum_checks_them(release):
    command = ["sha256sum", "--check", "SHA256SUMS"]
    assert subprocess.run(command, cwd=release, capture_output=True, text=True).stdout == "a: OK\nb b: OK\n"
    (release / "a").write_text("b")
    assert subprocess.run(command, cwd=release, capture_output=True).returncode == 1


def test_what_differs_between_two_builds_is_named(release):
    sums = module("sums")
    first = sums.read_sums(release)
    assert sums.differences(first, first) == []
    (release / "a").write_text("b")
    (release / "c").write_text("")
    sums.write_sums(release)
    assert sums.differences(first, sums.read_sums(release)) == [
        "a: differs",
        "c: in one of the two builds only",
    ]


def test_models_are_copied_with_what_is_known_of_them(tmp_path):
    building = module("building")
    building.models(ROOT, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())["models"]
    assert {path.name for path in tmp_path.glob("*.tflite")} == set(manifest)
    assert {path.name for path in tmp_path.iterdir()} - set(manifest) == {
        *("MODEL_CARD.md", "CHANGELOG.md", "LICENSE", "NOTICE", "manifest.json", "thresholds.json"),
    }


def test_a_model_that_is_not_the_manifest_s_is_refused(tmp_path):
    released = tmp_path / "lenet_edge" / "released"
    released.mkdir(parents=True)
    (released / "manifest.json").write_text(json.dumps({"models": {"net.tflite": {"sha256": "0" * 64}}}))
    (released / "net.tflite").write_bytes(b"TFL3")
    with pytest.raises(InputError, match=r"expected net.tflite of manifest.json's sha256, got another"):
        module("building").models(tmp_path, tmp_path)


@pytest.fixture
def only(tmp_path, monkeypatch):
    """Return a function that makes what it is given the only programs, beside the shell's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "sh", "dirname", "grep", "mktemp", "rm", "sed", "tee", "env"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))

    def programs(**bodies):
        for name, body in bodies.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)

    return programs


ANDROID = {
    **dict.fromkeys(("java", "mvn", "aapt2", "gcc", "nm", "python3"), ""),
    **{"javac": "echo javac 17.0.15", "zipalign": "", "apksigner": "", "keytool": ""},
}


def test_what_cannot_be_built_here_is_named_with_the_tool(only):
    lacking = module("demos").lacking
    assert lacking(ROOT) == {
        "apk": "android: expected java javac mvn aapt2 gcc nm python3 on this machine, got none",
        "page": "web: expected Node.js 20.19 or newer with npm, got none",
    }
    only(**{**ANDROID, "npm": "", "node": ""})
    assert lacking(ROOT) == {}


@pytest.mark.parametrize("name", ["zipalign", "apksigner", "keytool"])
def test_a_tool_that_only_the_last_step_needs_is_missed_at_once(only, name):
    only(**{tool: body for tool, body in ANDROID.items() if tool != name}, npm="", node="")
    found = module("demos").lacking(ROOT)
    assert list(found) == ["apk"]
    assert found["apk"].startswith(f"android: expected {name} (Debian: apt-get install ")


def test_a_keystore_that_cannot_be_used_is_refused_before_the_build(only, tmp_path, monkeypatch):
    check = module("demos").check_keystore
    keystore = tmp_path / "key.p12"
    with pytest.raises(InputError, match=r"expected a keystore, got .*key.p12"):
        check(keystore)
    keystore.write_bytes(b"")
    monkeypatch.delenv("APK_KEYSTORE_PASSWORD", raising=False)
    with pytest.raises(InputError, match=r"key.p12's password in APK_KEYSTORE_PASSWORD, got none"):
        check(keystore)
    monkeypatch.setenv("APK_KEYSTORE_PASSWORD", "a secret")
    only(keytool="echo keytool error: wrong password; exit 1")
    with pytest.raises(InputError, match="got keytool error: wrong password") as refused:
        check(keystore)
    assert "a secret" not in str(refused.value)
    only(keytool="")
    check(keystore)


def test_the_demo_s_tool_takes_the_password_from_the_same_variable():
    text = (ROOT / "android_demo" / "tools" / "apk" / "pack.py").read_text()
    assert f'PASSWORD = "{module("demos").PASSWORD}"' in text


def test_a_build_that_fails_is_told_by_its_last_lines_and_the_caller_s_make_is_not_handed_on(monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "-j2")
    code = "import os; print(os.environ.get('MAKEFLAGS'), os.environ['A']); raise SystemExit(3)"
    with pytest.raises(InputError, match="to work, got status 3:\nNone b$"):
        module("outside").run(sys.executable, "-c", code, env={"A": "b"})
