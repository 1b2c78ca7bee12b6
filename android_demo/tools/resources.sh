#!/usr/bin/env bash
# resources.sh ANDROID_JAR TARGET: what the Android Gradle plugin makes from res, the manifest and the models, by aapt2:
# TARGET/gen/R.java, TARGET/assets, TARGET/base.apk (resources and assets, for Robolectric and for tools/apk).
# APPLICATION_ID, MIN_SDK and TARGET_SDK come from pom.xml.
set -euo pipefail
android=$1 target=$2
app=$(cd "$(dirname "$0")/../app" && pwd)
for tool in aapt2 python3; do
    command -v "$tool" > /dev/null || { echo "expected $tool (Debian: apt-get install aapt python3), got none" >&2; exit 1; }
done
rm -rf "$target/gen" "$target/res.zip"
mkdir -p "$target/gen" "$target/test-classes/com/android/tools"
python3 "$(dirname "$0")/assets.py" "$target/assets"
aapt2 compile --dir "$app/src/main/res" -o "$target/res.zip"
# Gradle puts the namespace and the versions into the manifest; here it is done by hand.
sed "s#<manifest #<manifest package=\"$APPLICATION_ID\" #" "$app/src/main/AndroidManifest.xml" > "$target/AndroidManifest.xml"
# -0 .tflite: with the dot, or else a model is compressed and cannot be memory-mapped.
# aapt2 10 is older than <uses-native-library>, about which it warns.
aapt2 link -I "$android" --manifest "$target/AndroidManifest.xml" --warn-manifest-validation --auto-add-overlay \
    --min-sdk-version "$MIN_SDK" --target-sdk-version "$TARGET_SDK" \
    --compile-sdk-version-code "$TARGET_SDK" --compile-sdk-version-name 16 \
    --version-code "${VERSION_CODE:-1}" --version-name "${VERSION_NAME:-0.1.0}" \
    -A "$target/assets" -0 .tflite --java "$target/gen" -o "$target/base.apk" "$target/res.zip" 2> "$target/link.txt" ||
    { cat "$target/link.txt" >&2; exit 1; }
grep -v uses-native-library "$target/link.txt" >&2 || true
cat > "$target/test-classes/com/android/tools/test_config.properties" <<P
android_resource_apk=$target/base.apk
android_merged_assets=$target/assets
android_merged_manifest=$target/AndroidManifest.xml
android_custom_package=$APPLICATION_ID
P
