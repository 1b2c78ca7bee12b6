"""android_demo/tools/apk without a build: an .apk that nobody should install is refused, and told why."""

from __future__ import annotations

import hashlib
import importlib
import struct
import sys
import zipfile
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent.parent / "android_demo" / "tools" / "apk"
MODEL = b"TFL3" * 100
PROMISED = {"net.tflite": hashlib.sha256(MODEL).hexdigest()}
CONTENT = {
    "assets/net.tflite": MODEL,
    "classes.dex": b"dex",
    "lib/arm64-v8a/libnet.so": b"\x7fELF",
    "resources.arsc": b"table",
}
STORED = zipfile.ZIP_STORED
BADGING = """\
package: name='org.lenetedge.demo' versionCode='102' versionName='0.1.2' compileSdkVersion='36'
sdkVersion:'26'
targetSdkVersion:'36'
launchable-activity: name='org.lenetedge.demo.MainActivity'  label='' icon=''
"""
SIGNED = """\
Verifies
Verified using v1 scheme (JAR signing): false
Verified using v2 scheme (APK Signature Scheme v2): true
Verified using v3 scheme (APK Signature Scheme v3): true
"""


@pytest.fixture(scope="module")
def tool():
    """Return a function that imports a module of the tool; its bare names are taken away afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(TOOL))
    yield importlib.import_module
    sys.path.remove(str(TOOL))
    for name in set(sys.modules) - before:
        if str(TOOL) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def built(tool):
    properties = {"application.id": "org.lenetedge.demo", "min.sdk": "26", "target.sdk": "36"}
    return tool("built").Built(properties, Path("repository"), "0.1.2")


def write(path, content, *, compressed=(), shifted=()):
    """Write `content` to an .apk; all is stored at a multiple of 4096, but for `compressed` and `shifted`."""
    with path.open("wb") as stream, zipfile.ZipFile(stream, "w") as apk:
        for name, data in content.items():
            info = zipfile.ZipInfo(name)
            begins = stream.tell() + 30 + len(name) + 4
            padding = -begins % 4096 + (2 if name in shifted else 0)
            info.extra = struct.pack("<HH", 0xFFFF, padding) + bytes(padding)
            apk.writestr(info, data, zipfile.ZIP_DEFLATED if name in compressed else STORED)
    return path


def test_what_is_as_it_should_be_passes(tool, built, tmp_path):
    check = tool("check")
    check.check_content(write(tmp_path / "a.apk", CONTENT), ["arm64-v8a"], PROMISED)
    check.check_badging(BADGING, built)
    check.check_signature(SIGNED)


@pytest.mark.parametrize(
    ("line", "content", "how"),
    [
        ("expected classes.dex, got none", {"classes.dex": None}, {}),
        ("expected net.tflite of the golden vectors' sha256", {"assets/net.tflite": b"TFL3"}, {}),
        ("expected the models .*, got \\[\\]", {"assets/net.tflite": None}, {}),
        ("expected the models", {"assets/other.tflite": MODEL}, {}),
        ("expected libraries for .*'x86'", {"lib/x86/libnet.so": b"\x7fELF"}, {}),
        ("expected libraries for .*\\[\\]", {"lib/arm64-v8a/libnet.so": None}, {}),
        ("expected assets/net.tflite stored", {}, {"compressed": ["assets/net.tflite"]}),
        ("expected lib/arm64-v8a/libnet.so stored", {}, {"compressed": ["lib/arm64-v8a/libnet.so"]}),
        ("expected resources.arsc stored", {}, {"compressed": ["resources.arsc"]}),
        ("expected assets/net.tflite to begin at a multiple of 4,", {}, {"shifted": ["assets/net.tflite"]}),
        ("expected lib/.*so to begin at a multiple of 4096,", {}, {"shifted": ["lib/arm64-v8a/libnet.so"]}),
    ],
)
def test_content_that_is_not_as_it_should_be_is_refused(tool, tmp_path, line, content, how):
    parts = {name: data for name, data in {**CONTENT, **content}.items() if data is not None}
    check = tool("check")
    with pytest.raises(check.Unfit, match=line):
        check.check_content(write(tmp_path / "a.apk", parts, **how), ["arm64-v8a"], PROMISED)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("'org.lenetedge.demo' version", "'org.example' version"),
        ("versionCode='102'", "versionCode='1'"),
        ("versionName='0.1.2'", "versionName='0.1.0'"),
        ("sdkVersion:'26'\n", "sdkVersion:'24'\n"),
        ("targetSdkVersion:'36'", "targetSdkVersion:'35'"),
        ("launchable-activity", "activity"),
        ("sdkVersion:'26'\n", "sdkVersion:'26'\nuses-permission: name='android.permission.INTERNET'\n"),
    ],
)
def test_badging_that_is_not_as_it_should_be_is_refused(tool, built, there, instead):
    assert there in BADGING
    check = tool("check")
    with pytest.raises(check.Unfit, match="expected"):
        check.check_badging(BADGING.replace(there, instead), built)


@pytest.mark.parametrize("scheme", ["v2", "v3"])
def test_a_missing_signature_is_refused(tool, scheme):
    check = tool("check")
    without = SIGNED.replace(f"Signature Scheme {scheme}): true", f"Signature Scheme {scheme}): false")
    assert without != SIGNED
    with pytest.raises(check.Unfit, match=f"scheme {scheme}, got none"):
        check.check_signature(without)


@pytest.fixture
def signed(tool, tmp_path, monkeypatch):
    """Return a function that signs with a keystore, and the commands that it ran."""
    pack, commands = tool("pack"), []

    def run(*command):
        commands.append([str(part) for part in command])
        if command[0] == "keytool":
            pack.DEBUG_KEY.write_text("")

    monkeypatch.setattr(pack, "run", run)
    monkeypatch.setattr(pack, "DEBUG_KEY", tmp_path / ".android" / "debug.keystore")

    def sign(keystore):
        (tmp_path / "unsigned.apk").write_text("")
        pack.sign(tmp_path / "unsigned.apk", tmp_path / "a.apk", keystore)
        return commands

    return sign


def test_a_keystore_s_password_is_on_no_command_line(signed, tmp_path, monkeypatch):
    monkeypatch.setenv("APK_KEYSTORE_PASSWORD", "a secret")
    ((program, _, *options),) = signed(tmp_path / "key.p12")
    assert program == "apksigner"
    assert options[:4] == ["--ks", str(tmp_path / "key.p12"), "--ks-pass", "env:APK_KEYSTORE_PASSWORD"]
    assert "a secret" not in options


def test_the_debug_key_is_made_once_and_kept(signed):
    signed(None)
    assert [command[0] for command in signed(None)] == ["keytool", "apksigner", "apksigner"]


@pytest.mark.parametrize(("version", "code"), [("0.1.0", 100), ("1.2.3", 10203)])
def test_a_later_version_has_the_greater_code(tool, version, code):
    assert tool("built").Built({}, Path("repository"), version).version_code == code


def test_sizes_add_up_to_the_whole(tool, tmp_path):
    apk = write(tmp_path / "a.apk", CONTENT)
    found = tool("sizes").sizes(apk)
    assert found["native"] == {"arm64-v8a/libnet.so": 4}
    assert (found["dex"], found["models"], found["resources"]) == (3, len(MODEL), 5)
    assert found["bytes"] == apk.stat().st_size == 3 + len(MODEL) + 5 + 4 + found["other"]
