"""An .apk from its parts: the same parts give the same bytes, apart from the key's signature."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from built import APK, Built
from outside import run


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


def sign(unsigned: Path, apk: Path) -> None:
    """Sign by the second and third scheme with a debug key, which is made if there is none yet."""
    key = APK / "debug.keystore"
    password = "android"  # as every debug key has it
    if not key.exists():
        who = ["-alias", "androiddebugkey", "-dname", "CN=Android Debug", "-validity", "10000"]
        kind = ["-keyalg", "RSA", "-keysize", "2048", "-storepass", password, "-keypass", password]
        run("keytool", "-genkeypair", "-keystore", key, *who, *kind)
    wanted = {"v1": "false", "v2": "true", "v3": "true", "v4": "false"}
    schemes = [part for scheme, yes in wanted.items() for part in (f"--{scheme}-signing-enabled", yes)]
    run("apksigner", "sign", "--ks", key, "--ks-pass", f"pass:{password}", *schemes, "--out", apk, unsigned)
    unsigned.unlink()
