"""An .apk from its parts: the same parts give the same bytes, apart from the key's signature."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from built import Built
from outside import run

DEBUG_KEY = Path.home() / ".android" / "debug.keystore"
"""Where Android Studio keeps its own: an .apk of either can then be installed over the other's."""

PASSWORD = "APK_KEYSTORE_PASSWORD"
"""The environment variable with the password of a keystore that is not the debug key's."""


def native_libraries(built: Built, abis: list[str]) -> dict[str, Path]:
    """Return by its name in the .apk each library that the .aar files have for `abis`."""
    return {
        f"lib/{abi}/{path.name}": path
        for abi in abis
        for name in ("tensorflow-lite", "tensorflow-lite-gpu")
        for path in (built.aar(name) / "jni" / abi).glob("*.so")
    }


def packed(base: Path, dex: list[Path], output: Path) -> Path:
    """Write `base` (resources, models) and code to `output`, compressed by Zopfli where `base` compresses."""
    with zipfile.ZipFile(base) as source, zipfile.ZipFile(output, "w") as apk:
        parts = {info.filename: (source.read(info), info.compress_type) for info in source.infolist()}
        parts |= {path.name: (path.read_bytes(), zipfile.ZIP_DEFLATED) for path in dex}
        for name, (content, kind) in sorted(parts.items()):
            apk.writestr(_entry(name), content, kind)
    smaller = output.with_suffix(".small.apk")
    run("zipalign", "-f", "-z", "4", output, smaller)
    return smaller.replace(output)


def with_libraries(common: Path, libraries: dict[str, Path], output: Path) -> Path:
    """Write `common` with `libraries` to `output`, everything stored where it can be mapped into memory."""
    loose = output.with_suffix(".loose.apk")
    shutil.copyfile(common, loose)
    with zipfile.ZipFile(loose, "a") as apk:
        for name, path in sorted(libraries.items()):
            apk.writestr(_entry(name), path.read_bytes())
    run("zipalign", "-f", "-p", "4", loose, output)
    loose.unlink()
    return output


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry of 1980, whenever it is made: the same parts give the same bytes."""
    return zipfile.ZipInfo(name)


def sign(unsigned: Path, apk: Path, keystore: Path | None) -> None:
    """Sign by the second and third scheme with the key in `keystore`, or else with the debug key.

    An RSA key signs the same bytes alike each time; an EC key does not.
    """
    wanted = {"v1": "false", "v2": "true", "v3": "true", "v4": "false"}
    schemes = [part for scheme, yes in wanted.items() for part in (f"--{scheme}-signing-enabled", yes)]
    run("apksigner", "sign", *_key(keystore), *schemes, "--out", apk, unsigned)
    unsigned.unlink()


def _key(keystore: Path | None) -> list[str | Path]:
    """Return apksigner's options for a key; the debug key is made if there is none yet."""
    if keystore:
        return ["--ks", keystore, "--ks-pass", f"env:{PASSWORD}"]
    password = "android"  # as every debug key has it
    if not DEBUG_KEY.exists():
        DEBUG_KEY.parent.mkdir(exist_ok=True)
        who = ["-alias", "androiddebugkey", "-dname", "CN=Android Debug", "-validity", "10000"]
        kind = ["-keyalg", "RSA", "-keysize", "2048", "-storepass", password, "-keypass", password]
        run("keytool", "-genkeypair", "-keystore", DEBUG_KEY, *who, *kind)
    return ["--ks", DEBUG_KEY, "--ks-pass", f"pass:{password}"]
