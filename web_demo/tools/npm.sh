#!/bin/sh
# Runs npm in web_demo with what package-lock.json names; 77 and a line where Node.js or Chromium is missing.
set -eu
cd "$(dirname "$0")/.."

absent() {
    echo "$1" >&2
    exit 77
}

command -v npm > /dev/null || absent "expected Node.js 20.19 or newer with npm, got none"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    absent "expected Node.js 20.19 or newer, got $(node --version)"
if [ "${1:-}" = test ] || [ "${1:-}" = tools ]; then
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || absent "expected Chromium at ${CHROMIUM:-/usr/bin/chromium}, got none"
fi
[ "${1:-}" = tools ] && exit 0
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --no-fund --no-audit
exec npm "$@"
