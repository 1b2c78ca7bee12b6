"""`python3 android_demo/tools/apk`: a signed .apk for each processor from what Maven compiled, and checked.

What the Android Gradle plugin does for a release, where no Gradle runs: R8 with the same rules, aapt2, the
native libraries of the .aar files, and the debug key unless another is given. `make apk` calls it after
`mvn package`.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from built import APK, ROOT, Built
from check import check
from pack import DEBUG_KEY, PASSWORD, native_libraries, packed, sign, with_libraries
from rules import check_rules
from shrink import Shrinker
from sizes import sizes, write

ABIS = {
    "arm64-v8a": ["arm64-v8a"],
    "armeabi-v7a": ["armeabi-v7a"],
    "x86_64": ["x86_64"],
    "universal": ["arm64-v8a", "armeabi-v7a", "x86_64"],
}
"""What each .apk is called, and the processors that it is for."""


def main() -> None:
    """Build, check and weigh every .apk; end with a line at the first thing that is not as it should be."""
    parser = argparse.ArgumentParser(prog="apk", description="Write and check build/apk/lenet-edge-*.apk.")
    parser.add_argument("--record", action="store_true", help="write results/android_sizes.json too")
    parser.add_argument(
        "--keystore",
        type=Path,
        metavar="FILE",
        help=f"sign with its key, whose password is in {PASSWORD} (default: {DEBUG_KEY})",
    )
    options = parser.parse_args()
    if options.keystore and not (options.keystore.is_file() and os.environ.get(PASSWORD)):
        raise SystemExit(f"apk: expected a keystore, and its password in {PASSWORD}, got {options.keystore}")
    shutil.rmtree(APK, ignore_errors=True)
    built = Built.by_maven()
    resources = built.resources()
    shrinker = Shrinker(built, resources.rules)
    check_rules(built, shrinker)
    dex = shrinker.dex(APK / "dex")
    common = packed(resources.apk, dex, APK / "common.apk")
    weights = {}
    for name, abis in ABIS.items():
        apk = APK / f"lenet-edge-{name}.apk"
        unsigned = with_libraries(common, native_libraries(built, abis), APK / "unsigned.apk")
        sign(unsigned, apk, options.keystore)
        check(apk, abis, built)
        weights[name] = sizes(apk)
        print(f"{apk.relative_to(ROOT)}: {apk.stat().st_size:,} bytes, checked")
    write(weights, built.version, APK / "sizes.json")
    if options.record:
        write(weights, built.version, ROOT / "results" / "android_sizes.json")


if __name__ == "__main__":
    main()
