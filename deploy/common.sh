# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
#
# common.sh - what the scripts of deploy/ share; read with "."
#
# The caller has set `root`, the top of the source tree.
: "${root:?}"

say() {
    printf '%s\n' "$*" >&2
}

stop() {
    say "$0: $*"
    exit 2
}

# The packages of the named uses (build, test, lint) that are not installed.
missing_packages() {
    for use in "$@"; do
        sed -n "s/^$use  *//p" "$root/deploy/packages"
    done | while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            printf '%s ' "$package"
    done
}

# Installs what is missing. Servers that come along are not started: tests start their own.
install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root=$(command -v sudo) || as_root=none
    fi
    if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
        stop "these Debian packages are missing and cannot be installed from here; as root run:
    apt-get install $missing"
    fi
    say "Installing $missing"
    $as_root apt-get -qq update
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -qq install -y --no-install-recommends $missing >/dev/null ||
        stop "installing failed; as root run: apt-get install $missing"
}

# Says what is missing instead of installing it.
require_packages() {
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || stop "these Debian packages are missing; as root run:
    apt-get install $missing"
}

# build_in FOLDER CONFIGURE_ARGUMENT...: configures when the arguments changed, and builds.
build_in() {
    folder=$1
    shift
    # a configure that is there but out of date is made again by make itself
    [ -x "$root/configure" ] || (cd "$root" && autoreconf -i >/dev/null 2>&1) ||
        stop "autoreconf failed"
    mkdir -p "$folder"
    if [ "$(cat "$folder/.configured" 2>/dev/null)" != "$*" ] || [ ! -f "$folder/Makefile" ]; then
        (cd "$folder" && "$root/configure" "$@" >configure.out 2>&1) ||
            stop "configure failed; $folder/configure.out says why"
        printf '%s' "$*" >"$folder/.configured"
    fi
    make -C "$folder" -j "$(nproc)" >"$folder/make.out" 2>&1 || {
        tail -n 30 "$folder/make.out" >&2
        stop "the build failed; $folder/make.out has all of it"
    }
}
