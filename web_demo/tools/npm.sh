#!/bin/sh
# Runs npm in web_demo with what package-lock.json names; 77 and a line where Node.js or Chromium is missing.
# `npm.sh node` and `npm.sh browser` only look for what the page and its tests need.
set -eu
cd "$(dirname "$0")/.."

absent() {
    echo "web: expected $1" >&2
    exit 77
}

command -v npm > /dev/null || absent "Node.js 20.19 or newer with npm, got none"
# Vite's own: ^20.19.0 || >=22.12.0.
node -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' ||
    absent "Node.js 20.19, 22.12 or newer, got $(node --version)"
case "${1:-}" in
node) exit 0 ;;
test | browser) [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || absent "Chromium at ${CHROMIUM:-/usr/bin/chromium}, got none" ;;
esac
[ "${1:-}" = browser ] && exit 0
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --no-fund --no-audit
exec npm "$@"
