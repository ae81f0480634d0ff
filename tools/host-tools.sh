#!/bin/sh
# Installs what only the host tests need: host-tools.sh VALIDATOR PACKAGE... with LibreOffice and
# its Python bridge as Debian packages and the workbook validator from npm.
set -eu
validator=$1
shift

say() { printf 'portbal: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

command -v npm >/dev/null 2>&1 || set -- "$@" npm
missing=
for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || fail "install by hand:$missing"
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    say "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root apt-get install -y -qq --no-install-recommends $missing
fi
if [ "$(cat node_modules/.portbal 2>/dev/null)" != "$validator" ]; then
    say "installing $validator into node_modules"
    npm install --prefix . --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
        "$validator"
    printf '%s' "$validator" > node_modules/.portbal
fi
say "LibreOffice: $(soffice --version 2>/dev/null | head -n 1)"
say "validator: node_modules/.bin/ooxml-validator"
