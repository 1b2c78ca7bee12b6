"""The Gradle files, which never ran here, say what the poms say, which CI runs; and what both build is whole.

Kotlin is read by small regular expressions: the files are kept plain for that.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib

import lenet_edge

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "android_demo"
MAIN = DEMO / "app" / "src" / "main"
POM = {"m": "http://maven.apache.org/POM/4.0.0"}
CATALOG = tomllib.loads((DEMO / "gradle" / "libs.versions.toml").read_text())
BUILDS = {
    path.relative_to(DEMO).as_posix(): path.read_text() for path in sorted(DEMO.glob("**/build.gradle.kts"))
}
APP = BUILDS["app/build.gradle.kts"]
CORE = BUILDS["core/build.gradle.kts"]


def only(pattern: str, text: str) -> str:
    """Return the one thing that `pattern`'s group finds in `text`."""
    found = re.findall(pattern, text, flags=re.MULTILINE)
    assert len(found) == 1, f"expected {pattern!r} once, got {found}"
    return found[0]


def pom(module: str = "") -> ET.Element:
    return ET.parse(DEMO / module / "pom.xml").getroot()


def properties() -> dict[str, str]:
    """Return the parent pom's <properties>."""
    found = pom().find("m:properties", POM)
    assert found is not None
    return {re.sub(r"\{.*\}", "", one.tag): (one.text or "").strip() for one in found}


def dependencies(module: str) -> dict[str, str]:
    """Return the versions of a pom's own dependencies by group:artifact."""
    known = properties()
    return {
        f"{one.findtext('m:groupId', '', POM)}:{one.findtext('m:artifactId', '', POM)}": re.sub(
            r"\$\{(.*?)\}", lambda name: known.get(name[1], name[0]), one.findtext("m:version", "", POM)
        )
        for one in pom(module).findall("m:dependencies/m:dependency", POM)
    }


def catalog_version(module: str) -> str:
    """Return the version that the catalog has for group:artifact."""
    found = [one["version"]["ref"] for one in CATALOG["libraries"].values() if one["module"] == module]
    assert len(found) == 1, f"expected {module} once in the catalog, got {len(found)}"
    return CATALOG["versions"][found[0]]


def accessor(alias: str) -> str:
    """Return how a build file calls a catalog's alias."""
    return alias.replace("-", ".")


def used(kind: str) -> set[str]:
    """Return what the build files call libs.KIND. ("" for libraries)."""
    prefix = re.escape(f"libs.{kind}")
    calls = {call for text in BUILDS.values() for call in re.findall(rf"\b{prefix}([\w.]+)", text)}
    calls = {re.sub(r"\.get$", "", call) for call in calls}
    return calls if kind else {call for call in calls if not call.startswith(("plugins.", "versions."))}


def test_what_the_build_files_use_is_what_the_catalog_has():
    assert used("plugins.") == set(map(accessor, CATALOG["plugins"]))
    assert used("") == set(map(accessor, CATALOG["libraries"]))
    refs = {one["version"]["ref"] for kind in ("libraries", "plugins") for one in CATALOG[kind].values()}
    assert refs | used("versions.") == set(CATALOG["versions"])
    assert not refs & used("versions.")


def test_no_version_stands_outside_of_the_catalog():
    for name, text in BUILDS.items():
        assert not re.findall(r'"[\w.-]+:[\w.-]+:[\w.-]+"|\bversion\s+"|\bid\(|\bkotlin\("', text), name


def test_the_wrapper_names_one_gradle_and_its_hash():
    lines = (DEMO / "gradle" / "wrapper" / "gradle-wrapper.properties").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    assert len(found) == len(lines)
    url = found["distributionUrl"].replace("\\:", ":")
    assert re.fullmatch(r"https://services\.gradle\.org/distributions/gradle-[\d.]+-bin\.zip", url), url
    assert re.fullmatch(r"[0-9a-f]{64}", found["distributionSha256Sum"])
    assert found["zipStoreBase"] == found["distributionBase"] == "GRADLE_USER_HOME"
    assert found["zipStorePath"] == found["distributionPath"]


def test_the_version_is_the_packages():
    assert CATALOG["versions"]["app"] == lenet_edge.__version__
    assert only(r"^\s*versionName = (.*)$", APP) == "libs.versions.app.get()"


def test_the_sdk_levels_and_names_are_the_poms():
    known = properties()
    assert only(r"^\s*minSdk = (\d+)$", APP) == known["min.sdk"]
    assert only(r"^\s*targetSdk = (\d+)$", APP) == known["target.sdk"]
    assert only(r"^\s*compileSdk = (\d+)$", APP) == known["target.sdk"]
    assert only(r'^\s*applicationId = "(.*)"$', APP) == known["application.id"]
    assert only(r'^\s*namespace = "(.*)"$', APP) == known["application.id"]
    assert only(r"^(\d+)-robolectric-", known["android.all"]) == "16", "Android 16 is API level 36"
    assert known["target.sdk"] == "36"


@pytest.mark.parametrize("build", ["app/build.gradle.kts", "core/build.gradle.kts"])
def test_both_compile_for_the_same_java(build):
    target = properties()["kotlin.compiler.jvmTarget"]
    named = target.replace(".", "_")
    assert only(r"jvmTarget = JvmTarget\.JVM_(\w+)$", BUILDS[build]) == named
    assert only(r"sourceCompatibility = JavaVersion\.VERSION_(\w+)$", BUILDS[build]) == named
    assert only(r"targetCompatibility = JavaVersion\.VERSION_(\w+)$", BUILDS[build]) == named
    plugins = pom().findall("m:build/m:plugins/m:plugin", POM)
    kotlin = [one for one in plugins if one.findtext("m:artifactId", "", POM) == "kotlin-maven-plugin"]
    assert [one.findtext("m:configuration/m:jvmTarget", "", POM) for one in kotlin] == [target]


def test_androids_nullability_is_read_as_the_pom_reads_it():
    arguments = [one.text or "" for one in pom().iterfind(".//m:arg", POM)]
    nullability = [one for one in arguments if one.startswith("-Xnullability")]
    assert [only(r'freeCompilerArgs\.add\("(.*)"\)', APP)] == nullability


@pytest.mark.parametrize(
    ("module", "library"),
    [
        ("", "junit:junit"),
        ("core", "org.json:json"),
        ("app", "org.robolectric:robolectric"),
    ],
)
def test_a_library_that_both_use_has_one_version(module, library):
    assert dependencies(module)[library] == catalog_version(library)


def test_kotlin_has_one_version():
    kotlin = CATALOG["versions"][CATALOG["plugins"]["kotlin-jvm"]["version"]["ref"]]
    assert properties()["kotlin.version"] == kotlin
    assert dependencies("")["org.jetbrains.kotlin:kotlin-stdlib"] == kotlin


def test_the_modules_are_the_poms_without_the_one_that_unpacks():
    settings = (DEMO / "settings.gradle.kts").read_text()
    included = re.findall(r'":(\w+)"', only(r"^include\((.*)\)$", settings))
    modules = [one.text for one in pom().findall("m:modules/m:module", POM)]
    assert sorted([*included, "aars"]) == sorted(filter(None, modules))
    assert [f"{one}/build.gradle.kts" in BUILDS for one in included] == [True] * len(included)
    assert 'project(":core")' in APP


def test_both_build_gradles_own_folders():
    """Gradle's defaults: nothing is set in the Gradle files, and the pom names just those."""
    assert not [name for name, text in BUILDS.items() if "sourceSets" in text or "srcDir" in text]
    build = pom().find("m:build", POM)
    assert build is not None
    assert build.findtext("m:sourceDirectory", "", POM) == "src/main/kotlin"
    assert build.findtext("m:testSourceDirectory", "", POM) == "src/test/kotlin"
    extra = [one.text or "" for one in pom("app").iterfind(".//m:source", POM)]
    assert [one for one in extra if one.startswith("src/")] == ["src/main/java"]
    resources = (DEMO / "tools" / "resources.sh").read_text()
    assert "$app/src/main/res" in resources
    assert "$app/src/main/AndroidManifest.xml" in resources


def test_no_source_lies_where_only_one_of_them_looks():
    known = re.compile(
        r"(core|app)/src/(main|test)/(kotlin/org/lenetedge/.*\.kt|java/org/tensorflow/lite/\w+\.java)"
        r"|app/src/main/(res/[\w-]+/\w+\.(xml|png|webp)|AndroidManifest\.xml)"
    )
    found = [path.relative_to(DEMO).as_posix() for path in DEMO.glob("*/src/**/*") if path.is_file()]
    assert found
    assert [name for name in found if not known.fullmatch(name)] == []


def system_properties(module: str) -> dict[str, str]:
    """Return where in the project a pom's first surefire looks; Robolectric's own are Maven's alone."""
    found = next(one for one in pom(module).iter() if one.tag.endswith("systemPropertyVariables"))
    named = {re.sub(r"\{.*\}", "", one.tag): one.text or "" for one in found}
    return {
        name: re.sub(r"^\$\{(root|maven\.multiModuleProjectDirectory)\}/", "", path)
        for name, path in named.items()
        if not name.startswith("robolectric.")
    }


@pytest.mark.parametrize("module", ["app", "core"])
def test_the_tests_find_the_same_files(module):
    wanted = system_properties("") | (system_properties("app") if module == "app" else {})
    build = BUILDS[f"{module}/build.gradle.kts"]
    found = re.findall(r'systemProperty\("(\w+)", rootDir\.resolve\("(.*?)"\)\.path\)', build)
    wanted.pop("native", None)  # the Android library on a JVM, which Maven alone prepares
    assert dict(found) == wanted


def test_the_tests_on_the_jvm_are_mavens_alone():
    left_out = only(r'\.exclude\("(.*)/\*\*"\)', APP)
    folder = DEMO / "app" / "src" / "test" / "kotlin" / left_out
    assert list(folder.glob("*.kt"))
    named = [one.text for one in pom("app").iterfind(".//m:include", POM)]
    assert named == [f"**/{folder.name}/**"]


def test_gradle_copies_the_models_that_the_app_offers():
    copied = re.findall(r'"(\w+)"', only(r"for \(kind in listOf\((.*)\)\)", APP))
    models = (
        DEMO / "core" / "src" / "main" / "kotlin" / "org" / "lenetedge" / "core" / "Model.kt"
    ).read_text()
    assert sorted(copied) == sorted(re.findall(r'^ +[A-Z0-9_]+\("(\w+)"\)', models, flags=re.MULTILINE))
    assert copied
    for kind in copied:
        assert (ROOT / "lenet_edge" / "released" / f"lenet5_{kind}.tflite").exists()


def test_both_builds_find_the_file_for_lines_in_strings_json():
    assert 'read(strings)["file"]' in APP
    assert '_golden("strings.json")["file"]' in (DEMO / "tools" / "assets.py").read_text()
    wide = json.loads((ROOT / "lenet_edge" / "golden" / "strings.json").read_text())["file"]["name"]
    assert (ROOT / "lenet_edge" / "released" / wide).exists()
    sources = [
        *DEMO.glob("*/src/main/**/*.kt"),
        *DEMO.glob("tools/**/*.py"),
        DEMO / "app" / "build.gradle.kts",
    ]
    assert [path.name for path in sources if wide.removesuffix(".tflite") in path.read_text()] == []


@pytest.mark.parametrize("path", re.findall(r'resolve\("(\.\./[^$"]+)"\)', APP + CORE))
def test_what_gradle_takes_from_the_package_is_there(path):
    assert (DEMO / path).exists()


def test_the_manifest_asks_for_nothing():
    manifest = ET.parse(MAIN / "AndroidManifest.xml").getroot()
    assert not [one.tag for one in manifest.iter() if one.tag.startswith("uses-permission")]
    assert "package" not in manifest.attrib, "the namespace is Gradle's and the pom's"
    assert not list(manifest.iter("uses-sdk"))


def test_back_is_the_systems_own_gesture():
    """Predictive back: nothing of ours takes the gesture, or Android could not show where it leads."""
    manifest = ET.parse(MAIN / "AndroidManifest.xml").getroot()
    application = manifest.find("application")
    assert application is not None
    android = "{http://schemas.android.com/apk/res/android}"
    assert application.get(f"{android}enableOnBackInvokedCallback") == "true"
    taken = re.compile(r"\bonBackPressed\b|KEYCODE_BACK|OnBackInvokedCallback")
    assert [path.name for path in MAIN.glob("kotlin/**/*.kt") if taken.search(path.read_text())] == []


def test_agp_9_is_asked_for_nothing_that_it_has_dropped():
    """AGP 9 compiles Kotlin itself, and has no use for the switches that bring the old way back until 10."""
    assert int(CATALOG["versions"]["agp"].partition(".")[0]) == 9
    assert not [name for name, text in BUILDS.items() if "kotlin.android" in text or "kotlinOptions" in text]
    switches = (DEMO / "gradle.properties").read_text()
    assert not re.findall(r"^android\..*=", switches, flags=re.MULTILINE)


def test_the_release_build_shrinks_by_rules_that_exist():
    assert only(r"isMinifyEnabled = (\w+)$", APP) == only(r"isShrinkResources = (\w+)$", APP) == "true"
    own = only(r'getDefaultProguardFile\(".*?"\), "(.*?)"\)', APP)
    assert (DEMO / "app" / own).exists()


ENGLISH = MAIN / "res" / "values" / "strings.xml"
STRINGS = sorted(MAIN.glob("res/values*/strings.xml"))
FORMAT = re.compile(r"%(?:\d+\$)?[-#+ 0,(]*\d*(?:\.\d+)?[a-zA-Z%]")


def strings(path: Path) -> dict[tuple[str, str], list[list[str]]]:
    """Return for each resource of `path`, by kind and name, the format arguments of its texts.

    Plurals count as one text for each way of formatting: a language has the forms that it has.
    """
    found = {}
    for element in ET.parse(path).getroot():
        name = (element.tag, element.attrib["name"])
        assert name not in found, f"{name} twice in {path}"
        texts = [
            sorted(FORMAT.findall("".join(one.itertext()))) for one in element.findall("item") or [element]
        ]
        found[name] = (
            sorted({tuple(one): one for one in texts}.values()) if element.tag == "plurals" else texts
        )
    return found


def for_english_alone() -> set[tuple[str, str]]:
    every = ET.parse(ENGLISH).getroot()
    return {(one.tag, one.attrib["name"]) for one in every if one.get("translatable") == "false"}


def test_there_are_two_languages():
    assert ENGLISH in STRINGS
    assert len(STRINGS) >= 2


@pytest.mark.parametrize(
    "path", [one for one in STRINGS if one != ENGLISH], ids=lambda path: path.parent.name
)
def test_every_language_has_the_same_strings_and_arguments(path):
    wanted = {name: texts for name, texts in strings(ENGLISH).items() if name not in for_english_alone()}
    assert strings(path) == wanted


CODE = sorted(MAIN.glob("kotlin/**/*.kt"))
XML = sorted({*MAIN.glob("res/*/*.xml"), MAIN / "AndroidManifest.xml"} - set(STRINGS))


def group(kind: str) -> str:
    """Return what R and references call the values of an element."""
    return "array" if kind.endswith("array") else kind


def defined() -> set[tuple[str, str]]:
    """Return every resource of the app by kind and name, as R has them."""
    found = set()
    for path in MAIN.glob("res/*/*"):
        kind = path.parent.name.split("-")[0]
        if kind == "values":
            found |= {(group(one.tag), one.attrib["name"]) for one in ET.parse(path).getroot()}
        else:
            found.add((kind, path.stem))
    found |= {("id", name) for path in XML for name in re.findall(r"@\+id/(\w+)", path.read_text())}
    return {(kind, name.replace(".", "_")) for kind, name in found}


def references(path: Path) -> set[tuple[str, str]]:
    """Return the app's own resources that a file asks for."""
    pattern = r"(?<!android\.)\bR\.(\w+)\.(\w+)" if path.suffix == ".kt" else r"[\">]@(\w+)/([\w.]+)[\"<]"
    return {(kind, name.replace(".", "_")) for kind, name in re.findall(pattern, path.read_text())}


@pytest.mark.parametrize("path", [*CODE, *XML], ids=lambda path: path.relative_to(MAIN).as_posix())
def test_every_resource_that_is_used_exists(path):
    assert references(path) - defined() == set()


def test_every_string_is_used():
    asked = {one for path in [*CODE, *XML] for one in references(path)}
    assert {(group(kind), name) for kind, name in strings(ENGLISH)} - asked == set()


def block(begin: str, end: str, text: str) -> str:
    assert text.count(begin) == text.count(end) == 1
    return text.split(begin)[1].split(end)[0].strip("\n")


TWENTY = (DEMO / "app/src/test/kotlin/org/lenetedge/demo/onjvm/TwentyLines.kt").read_text()
DOCUMENT = (ROOT / "docs" / "android.md").read_text()


def test_the_documents_twenty_lines_are_the_ones_that_compile():
    shown = block("<!-- twenty lines: begin -->", "<!-- twenty lines: end -->", DOCUMENT)
    kept = block("// begin\n", "// end\n", TWENTY)
    assert shown == f"```kotlin\n{kept}\n```"
    assert len([line for line in kept.splitlines() if line.strip()]) <= 20
    assert max(map(len, kept.splitlines())) <= 110


def test_the_document_asks_for_the_catalogs_litert():
    wanted = [one["module"] for one in CATALOG["libraries"].values() if "litert" in one["module"]]
    shown = re.findall(r'implementation\("(com\.google\.ai\.edge\.litert:[\w-]+):(.*?)"\)', DOCUMENT)
    assert shown == [(module, CATALOG["versions"]["litert"]) for module in wanted]


@pytest.mark.parametrize("document", ["docs/android.md", "android_demo/README.md"])
def test_a_documents_links_lead_somewhere(document):
    path = ROOT / document
    targets = re.findall(r"\]\((?!http)([^)#]+)", path.read_text())
    assert targets
    assert [target for target in targets if not (path.parent / target).exists()] == []
