"""Whether an .apk is what it should be: by Android's own tools, and by looking into it."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
from pathlib import Path

from built import ROOT, Built
from outside import run

MOST_BYTES = {"arm64-v8a": 6_200_000}
"""What an .apk for one processor may have."""

_MAPPED = {".so": 4096, ".tflite": 4, ".arsc": 4}
"""What Android maps into memory as it lies in the .apk, and what it has to begin at a multiple of."""


class Unfit(SystemExit):
    """An .apk that nobody should install; the line says why."""


def check(apk: Path, abis: list[str], built: Built) -> None:
    """Raise `Unfit` unless `apk`, for the processors `abis`, is signed, complete and small enough."""
    run("zipalign", "-c", "-p", "4", apk)
    signed = run("apksigner", "verify", "--verbose", apk)
    check_signature(signed)
    check_badging(run("aapt2", "dump", "badging", apk), built)
    models = {path.name for path in (built.target / "assets").glob("*.tflite")}
    golden = golden_sha256()
    check_content(apk, abis, {name: golden[name] for name in models})
    most = MOST_BYTES.get("-".join(abis))
    _expect(most is None or apk.stat().st_size <= most, f"{most} bytes or less", apk.stat().st_size)


def golden_sha256() -> dict[str, str]:
    """Return the sha256 of each model that the golden vectors are for, by its name."""
    digits, strings = (
        json.loads((ROOT / "lenet_edge" / "golden" / name).read_text())
        for name in ("golden.json", "strings.json")
    )
    files = {**digits["files"], strings["file"]["name"]: strings["file"]}
    return {name: facts["sha256"] for name, facts in files.items()}


def check_signature(said: str) -> None:
    """Raise `Unfit` unless `said` by `apksigner verify --verbose` names the second and third scheme."""
    for scheme in ("v2", "v3"):
        found = re.search(rf"^Verified using {scheme} scheme .*: true$", said, re.MULTILINE)
        _expect(found, f"a signature by scheme {scheme}", "none")


def check_badging(said: str, built: Built) -> None:
    """Raise `Unfit` unless aapt2 `said` the package, its versions and an activity, and no permission."""
    name = built.properties["application.id"]
    for line in (
        f"package: name='{name}' versionCode='{built.version_code}' versionName='{built.version}' ",
        f"sdkVersion:'{built.properties['min.sdk']}'",
        f"targetSdkVersion:'{built.properties['target.sdk']}'",
        f"launchable-activity: name='{name}.",
    ):
        _expect(f"\n{line}" in f"\n{said}", f"aapt2 to say {line}", said)
    permission = re.search(r"^uses-permission.*", said, re.MULTILINE)
    _expect(permission is None, "no permission", permission and permission[0])


def check_content(apk: Path, abis: list[str], promised: dict[str, str]) -> None:
    """Raise `Unfit` unless `apk` has code, libraries of `abis` only and models of the `promised` sha256.

    What is mapped into memory has to be stored, and to begin at a multiple: Android 11 refuses it otherwise.
    """
    with zipfile.ZipFile(apk) as content:
        names = content.namelist()
        _expect("classes.dex" in names, "classes.dex", "none")
        got = sorted({name.split("/")[1] for name in names if name.startswith("lib/")})
        _expect(got == sorted(abis), f"libraries for {sorted(abis)}", got)
        models = {Path(name).name: name for name in names if name.endswith(".tflite")}
        _expect(set(models) == set(promised), f"the models {sorted(promised)}", sorted(models))
        for name, path in models.items():
            same = hashlib.sha256(content.read(path)).hexdigest() == promised[name]
            _expect(same, f"{name} of the golden vectors' sha256", "another")
        for info in content.infolist():
            multiple = _MAPPED.get(Path(info.filename).suffix)
            if multiple:
                _check_mapped(apk, info, multiple)


def _check_mapped(apk: Path, info: zipfile.ZipInfo, multiple: int) -> None:
    _expect(info.compress_type == zipfile.ZIP_STORED, f"{info.filename} stored", "it compressed")
    with apk.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", stream.read(4))
    begins = info.header_offset + 30 + name + extra
    _expect(begins % multiple == 0, f"{info.filename} to begin at a multiple of {multiple}", begins)


def _expect(condition: object, expected: str, got: object) -> None:
    if not condition:
        raise Unfit(f"apk: expected {expected}, got {got}")
