#!/bin/sh
# Makes the virtual environment FOLDER with portbal and its tools in it: venv.sh FOLDER [PYTHON].
# FOLDER/ready is written by the caller when this succeeds; without it the folder is a half-made
# one and is made anew.
set -eu
folder=$1
python=${2:-}

say() { printf 'portbal: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }
fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

choose() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if fits "$name"; then
            python=$name
            return
        fi
    done
    found=$(python3 --version 2>/dev/null) || fail "there is no python3; install Python 3.11 to 3.14"
    fail "python3 is $found; install Python 3.11 to 3.14, or run make PYTHON=/path/to/python"
}

create() {
    rm -rf "$folder"
    if "$python" -c 'from ensurepip import bootstrap' 2>/dev/null; then
        "$python" -m venv "$folder"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$folder"
        "$python" -m pip --python "$folder/bin/python" install --quiet pip
    else
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$python cannot make a virtual environment; install python$version-venv" \
            "(apt-get install python$version-venv), then run make again"
    fi
}

if [ -n "$python" ]; then
    fits "$python" || fail "$python is no Python 3.11 to 3.14"
else
    choose
fi
if [ ! -e "$folder/ready" ] || ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    say "making $folder with $("$python" --version)"
    create
fi
say "installing the packages of constraints.txt into $folder (about a minute)"
pip="$folder/bin/python -m pip --disable-pip-version-check --quiet"
$pip install --constraint constraints.txt hatchling editables
$pip install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
