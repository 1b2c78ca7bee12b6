"""R8 over the app, its core, Kotlin's library and the .aar files, as Gradle's Android plugin calls it."""

from __future__ import annotations

import shutil
from pathlib import Path

from built import AARS, DEMO, Built
from outside import run

R8 = "9.5.28"
OWN_RULES = DEMO / "app" / "proguard-rules.pro"

# Half a minute's work on two processors: the second compiler of the JVM would not pay.
_JAVA = ("java", "-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Shrinker:
    """Removes what nothing reaches and renames the rest, but for what the rules keep.

    The rules are `resource_rules` (aapt2's), those that the .aar files bring, and the app's own.
    """

    def __init__(self, built: Built, resource_rules: Path) -> None:
        self._built = built
        self._resource_rules = resource_rules
        self._inputs = [
            *built.own_jars(),
            built.jar("org.jetbrains.kotlin", "kotlin-stdlib", built.properties["kotlin.version"]),
            built.jar("org.jetbrains", "annotations", "13.0"),
            *(built.aar(name) / "classes.jar" for name in AARS),
        ]
        self._android = built.jar("org.robolectric", "android-all", built.properties["android.all"])

    def dex(self, folder: Path) -> list[Path]:
        """Write classes.dex (and classes2.dex, ...) and mapping.txt to `folder`; return the former."""
        folder.mkdir(parents=True)
        rules = [self._resource_rules, OWN_RULES, *self.aar_rules()]
        level = self._built.properties["min.sdk"]
        self._r8("--min-api", level, *_rules(rules), *_libraries(self._android), output=folder)
        return sorted(folder.glob("classes*.dex"))

    def classes(self, jar: Path, rules: list[Path], start: list[Path], library: Path) -> Path:
        """Write to `jar`, for a JVM, what is reached from the classes `start`, by `rules`; return it."""
        self._r8("--classfile", *_rules(rules), *_libraries(library), *start, output=jar)
        return jar

    def aar_rules(self) -> list[Path]:
        """Return the rules that come with the .aar files, which Gradle adds by itself."""
        return [path for name in AARS if (path := self._built.aar(name) / "proguard.txt").exists()]

    def _r8(self, *options: str | Path, output: Path) -> None:
        r8 = self._built.jar("com.android.tools", "r8", R8)
        mapping = (output if output.is_dir() else output.parent / output.stem) / "mapping.txt"
        mapping.parent.mkdir(exist_ok=True)
        where: list[str | Path] = ["--no-data-resources", "--pg-map-output", mapping, "--output", output]
        run(*_JAVA, "-cp", r8, "com.android.tools.r8.R8", "--release", *options, *where, *self._inputs)


def _rules(paths: list[Path]) -> list[str | Path]:
    return [part for path in paths for part in ("--pg-conf", path)]


def _libraries(library: Path) -> list[str | Path]:
    """Name a `library` that stands for the device, and the JDK, which has the java.* that it lacks."""
    return ["--lib", library, "--lib", _java_home()]


def _java_home() -> Path:
    javac = shutil.which("javac") or "javac"
    return Path(javac).resolve().parents[1]
