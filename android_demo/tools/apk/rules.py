"""The keep rules, tried: classes shrunk by them read the golden pictures on this machine's JVM.

R8 writes class files by the same rules as the code in the .apk. With the Android library (tools/bionic stands
in for its C library) they must work; without the rules they must not, or nobody needs these.
"""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from built import APK, DEMO, ROOT, Built
from outside import run
from shrink import OWN_RULES, Shrinker

FOLDER = APK / "rules"
START = Path(__file__).resolve().parent / "ReadGolden"


def check_rules(built: Built, shrinker: Shrinker) -> None:
    """End with a line unless the shrunk classes read the golden pictures with the rules, and not without."""
    FOLDER.mkdir(parents=True)
    json = built.jar("org.json", "json", built.properties["org.json.version"])
    start = _compiled(built, json)
    tries = {
        "all rules": [OWN_RULES, *shrinker.aar_rules()],
        "app/proguard-rules.pro without -keep": [_without_keeping(), *shrinker.aar_rules()],
        "app/proguard-rules.pro alone": [OWN_RULES],
    }

    def attempt(number: int, rules: list[Path]) -> subprocess.CompletedProcess[str]:
        jar = shrinker.classes(FOLDER / f"{number}.jar", [START.with_suffix(".pro"), *rules], start, json)
        return _read_golden(built, jar, json)

    with ThreadPoolExecutor(max_workers=2) as pool:
        done = dict(zip(tries, pool.map(attempt, range(len(tries)), tries.values()), strict=True))
    for title, one in done.items():
        expected = "the golden pictures read" if title == "all rules" else "a failure"
        if (one.returncode == 0) != (title == "all rules"):
            raise SystemExit(f"apk: expected {expected} by classes shrunk with {title}, got:\n{one.stdout}")
    print(f"{OWN_RULES.relative_to(ROOT)}: enough for the golden pictures on this JVM, and needed")


def _compiled(built: Built, json: Path) -> list[Path]:
    """Compile ReadGolden, from which R8 reaches what the app reaches of TensorFlow Lite."""
    classes = FOLDER / "start"
    path = os.pathsep.join(
        str(jar) for jar in (*built.own_jars(), json, DEMO / "aars" / "target" / "classes")
    )
    run("javac", "-nowarn", "-cp", path, "-d", classes, START.with_suffix(".java"))
    return sorted(classes.glob("*.class"))


def _without_keeping() -> Path:
    lines = OWN_RULES.read_text().splitlines()
    path = FOLDER / "without_keeping.pro"
    path.write_text("\n".join(line for line in lines if not line.startswith("-keep")) + "\n")
    return path


def _read_golden(built: Built, jar: Path, json: Path) -> subprocess.CompletedProcess[str]:
    """Run ReadGolden of `jar`, with what app/pom.xml gives its tests on the JVM."""
    native = str(built.target / "native")
    environment = {"LD_LIBRARY_PATH": native, "EGL_PLATFORM": "surfaceless", "LIBGL_ALWAYS_SOFTWARE": "1"}
    command = ["java", f"-Djava.library.path={native}", "-cp", f"{jar}{os.pathsep}{json}", "ReadGolden"]
    return subprocess.run(
        [*command, str(built.target / "assets")],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
