#!/bin/sh
# with_python.sh PYTHON SCRIPT ARGUMENTS...: runs SCRIPT by PYTHON if that is one of the project's; else a line and 2.
# A shell script, since an older Python cannot even read ours.
python=$1
shift
refuse() {
    echo "expected Python 3.10 to 3.13, got $1: make PYTHON=python3.12" >&2
    exit 2
}
command -v "$python" > /dev/null || refuse "no $python"
got=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) ||
    refuse "$python, which does not run"
case $got in
3.1[0-3]) exec "$python" "$@" ;;
*) refuse "$got" ;;
esac
