#!/bin/sh
# Makes .venv with the locked packages: `sh requirements/setup.sh runtime`, `... window`, `... tpm` or `... dev`.
#
# Needs Python 3.11 or newer with venv, and the package registry that pip is set to. As root on Debian it installs what
# of Python and of debian-*.txt is missing; otherwise it says what to install. Nothing is done again while locks and place stay the same.
set -eu

profile=${1:-runtime}
cd "$(dirname "$0")/.."
root=$(pwd)
venv=$root/.venv
log=$venv/setup.log

case $profile in
    runtime | window) covers="runtime" ;;
    tpm) covers="runtime tpm" ;;
    dev) covers="runtime tpm dev" ;;
    *) echo "usage: sh requirements/setup.sh runtime|window|tpm|dev" >&2; exit 2 ;;
esac

say() { echo "set-up: $*"; }

stop() {
    echo "set-up failed: $1" >&2
    echo "  remedy: $2" >&2
    exit 1
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

# Debian packages, by apt; only called as root. The log is shown when it fails.
apt_install() {
    say "installing system packages: $*"
    aptlog=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
        >"$aptlog" 2>&1; then
        tail -n 20 "$aptlog" >&2
        rm -f "$aptlog"
        stop "apt-get could not install: $*" "look at the lines above; is a Debian mirror reachable?"
    fi
    rm -f "$aptlog"
}

# What the window needs is installed wherever we may, but a desk without one runs without.
system_lists() {
    echo "$covers"
    if [ "$profile" != runtime ] || can_install; then echo window; fi
}

# Debian packages of the profile that are not installed; the headers of Python only where Python is Debian's.
missing_packages() {
    for name in $(system_lists); do
        list=requirements/debian-$name.txt
        if [ -f "$list" ]; then grep -v '^#' "$list"; fi
        if [ "$name" = tpm ] && [ "$("$venv/bin/python" -c 'import sys; print(sys.base_prefix)')" = /usr ]; then
            echo python3-dev
        fi
    done | while read -r package; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
            "install ok installed") ;;
            *) echo "$package" ;;
        esac
    done
}

install_missing() {
    packages=$(missing_packages)
    if [ -z "$packages" ]; then return; fi
    # shellcheck disable=SC2086  # several names
    if can_install; then
        apt_install $packages
    else
        stop "system packages are missing" "sudo apt-get install --no-install-recommends $(echo $packages), then run this again"
    fi
}

# Prints the first interpreter that is new enough, or nothing.
find_python() {
    for name in "${KELDIM_PYTHON:-python3}" python3.11 python3.12 python3.13; do
        if command -v "$name" >/dev/null 2>&1 \
            && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ] && can_install; then
        apt_install python3 python3-venv
        python=$(find_python)
    fi
    [ -n "$python" ] || stop "no Python 3.11 or newer found" \
        "sudo apt-get install python3 python3-venv (or set KELDIM_PYTHON to an interpreter)"
    say "making .venv with $("$python" -V 2>&1)"
    rm -rf "$venv"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv "$venv"
    elif can_install; then
        apt_install python3-venv
        "$python" -m venv "$venv"
    elif "$python" -c 'import venv' 2>/dev/null && "$python" -m pip --version >/dev/null 2>&1; then
        # Debian splits ensurepip off; the system's pip can fill the environment just as well.
        "$python" -m venv --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet pip \
            || stop "the system's pip could not fill .venv" "sudo apt-get install python3-venv, then run this again"
    else
        stop "this Python has no ensurepip, so it cannot make environments" \
            "sudo apt-get install python3-venv, then run this again"
    fi
}

# Runs a command quietly; shows the end of its output when it fails.
quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        stop "pip $4 ended with an error (full output: .venv/setup.log)" \
            "is the package registry reachable? see: .venv/bin/python -m pip config list"
    fi
}

pip_() { quietly "$venv/bin/python" -m pip "$@" --no-input --disable-pip-version-check; }

# Names of installed packages that no lock knows: left over from an older lock, or put there by hand.
strangers() {
    "$venv/bin/python" - <<'END'
import pathlib, re
from importlib.metadata import distributions

def plain(name): return re.sub("[-_.]+", "-", name).lower()
locks = "".join(lock.read_text() for lock in pathlib.Path("requirements").glob("*.lock"))
known = {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)", locks, re.MULTILINE)} | {"keldim"}
print(*sorted({plain(found.name) for found in distributions()} - known))
END
}

install_locked() {
    args=""
    for name in $covers; do args="$args -r requirements/$name.lock"; done
    args=$(echo "$args" | sed 's/tpm.lock/tpm-build.lock/')  # tpm.lock comes after what it is compiled with
    : >"$log"
    # shellcheck disable=SC2046,SC2086  # several names, several -r arguments
    {
        set -- $(strangers)
        if [ $# -gt 0 ]; then pip_ uninstall --yes "$@"; fi
        say "installing the locked packages ($profile); the first time takes some minutes"
        # The locks are complete, so nothing is left to resolve.
        pip_ install --no-deps --require-hashes $args
        case $covers in
            *tpm*) pip_ install --no-deps --require-hashes --no-build-isolation -r requirements/tpm.lock ;;
        esac
    }
    say "installing Keldim itself"
    pip_ install --no-deps --no-build-isolation --editable "$root"
}

# The key holds whatever makes an environment stale: locks, entry points, the place (scripts carry it), the interpreter.
fingerprint() { # profile
    { cat "requirements/$1.lock" pyproject.toml; echo "$root"; "$venv/bin/python" -V; } | cksum
}

fresh() {
    for name in $covers; do
        [ "$(cat "$venv/.ready-$name" 2>/dev/null)" = "$(fingerprint "$name")" ] || return 1
    done
}

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then make_venv; fi
install_missing
if fresh; then exit 0; fi
install_locked
"$venv/bin/python" -c 'import cv2, onnxruntime, sqlcipher3' 2>>"$log" \
    || stop "$(tail -n 1 "$log")" "remove .venv and run this again; if it stays, the system is older than Debian 12"
for name in $covers; do fingerprint "$name" >"$venv/.ready-$name"; done
say "ready"
