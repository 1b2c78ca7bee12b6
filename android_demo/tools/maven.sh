#!/usr/bin/env bash
# maven.sh GOAL...: Maven on this project, after a check that its tools are there.
# Ends with 77 when this machine lacks a tool, with 1 and a line when the Maven repository cannot be reached.
set -uo pipefail
cd "$(dirname "$0")/.."

missing=()
for tool in java javac mvn aapt2 gcc nm python3; do
    command -v "$tool" > /dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "android: expected ${missing[*]} on this machine, got none" >&2
    echo "  Debian: apt-get install openjdk-17-jdk-headless maven aapt gcc libegl1 libgles2 libegl-mesa0 libgl1-mesa-dri" >&2
    exit 77
fi
version=$(javac -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')
if [ "$version" -lt 17 ]; then
    echo "android: expected Java 17 or newer (Robolectric's), got $version" >&2
    exit 77
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Shown: modules, tests, warnings and errors. TensorFlow Lite and Robolectric print much more.
mvn --batch-mode --no-transfer-progress -Dstyle.color=never "$@" 2>&1 | tee "$log" |
    grep --line-buffered -E '^\[INFO\] (Building [a-z]+ [0-9]|Tests run: .* -- in )|^\[(WARNING|ERROR)\]|^[a-z].*\.kts?:[0-9]'
status=${PIPESTATUS[0]}
unreached='Could not transfer artifact [^ ]+|artifact [^ ]+ has not been downloaded'
if [ "$status" -ne 0 ] && grep -qE "$unreached" "$log"; then
    echo "android: expected Maven's repository to be reached, got: $(grep -m1 -oE "$unreached" "$log")" >&2
fi
exit "$status"
