#!/bin/bash
# build.sh FOLDER SO... : FOLDER is then a java.library.path, and an LD_LIBRARY_PATH, from which a JVM on Linux loads
# the given x86_64 Android libraries: they are linked there, beside a stand-in for Android's own (android_libc.c).
# It fails with one line if a library asks for something that is missing.
#
# The GPU's libraries are OpenGL ES and EGL of this machine (Debian: libegl1 libgles2 libegl-mesa0 libgl1-mesa-dri).
# Without them, a library that needs them is left out, with a message.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

fail() {
    echo "tools/bionic: $*" >&2
    exit 1
}

# Writes, for each name on stdin, a function NAME of version LIBC that jumps to glibc's NAME. It jumps because a call
# would hide the caller from dlopen and dlsym.
jumps() {
    echo '.text'
    while read -r name; do
        echo ".globl to_$name
.type to_$name,@function
to_$name: jmp *$name@GOTPCREL(%rip)
.symver to_$name,$name@LIBC"
    done
    echo '.section .note.GNU-stack,"",@progbits'
}

links_open_gl() {
    local egl gles
    egl=$(/sbin/ldconfig -p | sed -n 's/.*libEGL\.so\.1 .*x86-64.*=> //p' | head -n 1)
    gles=$(/sbin/ldconfig -p | sed -n 's/.*libGLESv2\.so\.2 .*x86-64.*=> //p' | head -n 1)
    [ -n "$egl" ] && [ -n "$gles" ] && ln -sf "$egl" libEGL.so && ln -sf "$gles" libGLESv3.so
}

[ $# -ge 2 ] || fail "expected a folder and the libraries, got $# arguments"
[ "$(uname -sm)" = "Linux x86_64" ] || fail "expected Linux on x86_64, got $(uname -sm)"
for tool in gcc nm objcopy readelf ldd; do
    command -v "$tool" >/dev/null || fail "$tool is missing (Debian: apt-get install gcc binutils libc-bin)"
done
folder=$1
shift
for library in "$@"; do
    [ -s "$library" ] || fail "expected a library, got $library, which is missing or empty"
    [[ $(readelf -h "$library" 2>&1) == *X86-64* ]] || fail "expected an x86_64 library, got $library"
done
mapfile -t libraries < <(realpath "$@")
mkdir -p "$folder"
cd "$folder"
rm -f ./*.so

kept=()
for library in "${libraries[@]}"; do
    if [[ $(readelf -d "$library") == *libEGL.so* ]] && ! links_open_gl; then
        echo "tools/bionic: no libEGL.so.1 and libGLESv2.so.2 here, so $(basename "$library") is left out"
    else
        ln -sf "$library" .
        kept+=("$(basename "$library")")
    fi
done

gcc -O2 -fPIC -U_FORTIFY_SOURCE -Wall -Wextra -Werror -c -o android_libc.o "$here/android_libc.c" 2>errors ||
    fail "android_libc.c does not compile: $(grep -m 1 error errors)"
nm --defined-only android_libc.o | sed -n 's/.* bionic_//p' | sort >own
# One @ only: NAME@@LIBC would be what NAME means, and what calls glibc's NAME here would call itself. The libraries
# ask for the log's function without a version.
sed '/^__android_log/! s/.*/bionic_& &@LIBC/; s/^__android_log.*/bionic_& &/' own >renamed
objcopy --redefine-syms=renamed android_libc.o
nm -D --undefined-only "${kept[@]}" | sed -n 's/^ *U \(.*\)@LIBC$/\1/p' | sort -u | comm -23 - own | jumps >jumps.S
echo 'LIBC { global: *; local: to_*; };' >versions
gcc -shared -Wl,-z,defs -Wl,--version-script=versions -Wl,-soname,libc.so -o libc.so android_libc.o jumps.S -lm -ldl \
    2>errors || fail "neither glibc nor android_libc.c has $(sed -n 's/.*undefined reference to //p' errors | sort -u | paste -sd ' ')"
for name in libm libdl liblog; do ln -sf libc.so "$name.so"; done
rm -f android_libc.o own renamed jumps.S versions errors

for library in "${kept[@]}"; do
    missing=$(LD_LIBRARY_PATH=$PWD ldd -r "$library" 2>&1 | grep -E 'undefined symbol|not found' || true)
    [ -z "$missing" ] || fail "$library does not load: $(head -n 1 <<<"$missing")"
done
