"""What Maven compiled and downloaded, and the resources linked for this version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from outside import run

DEMO = Path(__file__).resolve().parents[2]
ROOT = DEMO.parent
APK = DEMO / "build" / "apk"
AARS = ("tensorflow-lite", "tensorflow-lite-api", "tensorflow-lite-gpu", "tensorflow-lite-gpu-api")

_MAVEN = ("mvn", "-B", "-q", "-N", "-f", str(DEMO / "pom.xml"))
_HELP = "org.apache.maven.plugins:maven-help-plugin:3.5.1:evaluate"


@dataclass(frozen=True)
class Resources:
    """An .apk without code: resources, manifest, models; and the keep rules of what these name."""

    apk: Path
    rules: Path


@dataclass(frozen=True)
class Built:
    """A finished `mvn package`: `properties` of pom.xml, Maven's `repository`, the package's `version`."""

    properties: dict[str, str]
    repository: Path
    version: str

    @classmethod
    def by_maven(cls) -> Built:
        """Return what stands in the folders `target`; end with a line when something is not there yet."""
        pom = ElementTree.parse(DEMO / "pom.xml").getroot().find("{*}properties")
        assert pom is not None
        properties = {one.tag.rpartition("}")[2]: one.text or "" for one in pom}
        told = APK / "repository.txt"  # Maven adds colours to what it prints
        run(*_MAVEN, _HELP, "-Dexpression=settings.localRepository", f"-Doutput={told}")
        repository = Path(told.read_text().strip())
        text = (ROOT / "lenet_edge" / "__init__.py").read_text()
        found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
        assert found
        built = cls(properties, repository, found[1])
        for path in (*built.own_jars(), built.aar("tensorflow-lite"), built.target / "res.zip"):
            if not path.exists():
                raise SystemExit(f"apk: expected {path.relative_to(ROOT)}, got none: mvn package -DskipTests")
        return built

    @property
    def target(self) -> Path:
        """The app's output folder."""
        return DEMO / "app" / "target"

    @property
    def version_code(self) -> int:
        """What Android compares: 0.1.0 is 100, 1.2.3 is 10203."""
        major, minor, patch = (int(part) for part in self.version.split("."))
        return 10000 * major + 100 * minor + patch

    def own_jars(self) -> list[Path]:
        """Return the classes of this project."""
        return [self.target / "app-1.jar", DEMO / "core" / "target" / "core-1.jar"]

    def aar(self, name: str) -> Path:
        """Return the folder of an unpacked .aar."""
        return DEMO / "aars" / "target" / "aar" / name

    def jar(self, group: str, artifact: str, version: str) -> Path:
        """Return a .jar of Maven's repository, fetched if it is not there."""
        path = self.repository.joinpath(*group.split("."), artifact, version, f"{artifact}-{version}.jar")
        if not path.exists():
            coordinates = f"-Dartifact={group}:{artifact}:{version}"
            run(*_MAVEN, "dependency:get", "-Dtransitive=false", coordinates)
        return path

    def resources(self) -> Resources:
        """Link the resources with the version; the numbers in R.java must be those that were compiled."""
        folder, android = APK / "resources", self.target / "sdk" / "android-resources.jar"
        environment = {
            "APPLICATION_ID": self.properties["application.id"],
            "MIN_SDK": self.properties["min.sdk"],
            "TARGET_SDK": self.properties["target.sdk"],
            "VERSION_CODE": str(self.version_code),
            "VERSION_NAME": self.version,
        }
        run("bash", DEMO / "tools" / "resources.sh", android, folder, env=environment)
        if _numbers(folder) != _numbers(self.target):
            raise SystemExit("apk: expected R.java as it was compiled, got another: mvn package -DskipTests")
        return Resources(folder / "base.apk", _rules(folder, android, environment["MIN_SDK"]))


def _numbers(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("gen/**/R.java"))]


def _rules(folder: Path, android: Path, min_sdk: str) -> Path:
    """Let aapt2 write the rules for the classes that the manifest and the layouts name, as Gradle does."""
    rules, thrown_away = folder / "named_in_resources.pro", folder / "linked_for_rules.apk"
    inputs: list[str | Path] = [
        "-I",
        android,
        "--manifest",
        folder / "AndroidManifest.xml",
        folder / "res.zip",
    ]
    options = ["--warn-manifest-validation", "--auto-add-overlay", "--min-sdk-version", min_sdk]
    run("aapt2", "link", *inputs, *options, "--proguard", rules, "-o", thrown_away)
    return rules
