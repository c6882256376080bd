#!/bin/sh
# `make deb-check`: installs both packages in a bare Debian 12 and does with them what a clinic's IT would, as root.
#
# Needs debootstrap, a Debian mirror, 8 GB of disk. Says each step; the first that fails ends it.
set -eu

debs=${1:?folder of the packages}   # with two versions, made by: make deb, make deb DEB_ARGS='--version ...'
old=${2:?version in use}
new=${3:?version to go to}
packs=${4:?folder of model packs}
root=${5:-$debs/root}

if [ "${KELDIM_CHECK:-outside}" = outside ]; then
    [ "$(id -u)" = 0 ] || { echo "needs root: debootstrap and chroot" >&2; exit 2; }
    if [ ! -e "$root/etc/debian_version" ]; then
        echo "== a bare Debian 12"
        debootstrap --variant=minbase bookworm "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$debs/debootstrap.log"
    fi
    mkdir -p "$root/debs"
    cp "$debs"/*.deb "$root/debs/"
    rm -rf "$root/packs"
    cp -r "$packs" "$root/packs"
    cp "$0" "$root/check.sh"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    # Namespaces of its own: mounts and processes end with it, however it ends.
    exec unshare --mount --pid --fork --kill-child env KELDIM_CHECK=inside sh -c '
        mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$1" sh /check.sh "$2" "$3" "$4" /packs' \
        check "$root" /debs "$old" "$new"
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
unset PYTHONPATH KELDIM_PACKS KELDIM_HOME
began=$(date +%s)
step() { echo "== $(($(date +%s) - began)) s: $*"; }
stop() { echo "FAILED: $*" >&2; exit 1; }
in_use() { [ "$(readlink /opt/keldim/current)" = "releases/$1" ] || stop "in use: $(readlink /opt/keldim/current), not $1"; }
refused() { if "$@"; then stop "$* was not refused"; fi; }
install() { apt-get install -y -q --no-install-recommends "$@" >/tmp/apt.log 2>&1 || { tail -n 20 /tmp/apt.log; stop "apt"; }; }
answer_no() { code=0; "$@" || code=$?; [ "$code" = 4 ] || stop "$*: exit code $code, not 4"; }
as_desk() { setpriv --reuid keldim-kiosk --regid keldim --init-groups env HOME=/var/lib/keldim KELDIM_HOME=/var/lib/keldim KELDIM_PACKS=/usr/share/keldim/packs "$@"; }

step "install $old, with what it depends on"
apt-get update -q >/dev/null
find / -xdev ! -path '/proc/*' ! -path '/debs/*' | sort >/tmp/before
install "$debs/keldim-${old}_${old}_"*.deb "$debs/keldim_${old}_all.deb"
in_use "$old"
[ -z "$(dpkg --audit)" ] || stop "dpkg --audit"
[ -z "$(dpkg --verify "keldim-$old" keldim | grep -v '/usr/share/doc\|/usr/share/man')" ] || stop "dpkg --verify"
[ "$(stat -c '%U:%G %a' /var/lib/keldim)" = "keldim-kiosk:keldim 2770" ] || stop "$(stat -c '%U:%G %a' /var/lib/keldim)"

step "every library that a library of the release asks for is there (Qt's plugins: keldim doctor)"
find /opt/keldim/releases -name '*.so*' -type f ! -path '*/PySide6/Qt/*' ! -path '*.libs/*' ! -path '*/designer/*' | while read -r file; do
    ldd "$file" 2>/dev/null | sed -n "s|^\s*\(\S*\) => not found|\1 $file|p"
done >/tmp/missing
[ ! -s /tmp/missing ] || { cat /tmp/missing; stop "libraries are missing"; }

step "the commands"
keldim --version
keldim --help | grep -q "Usage: keldim " || stop "usage"
keldim-window --help | grep -q "Usage: keldim-window " || stop "usage of the window"
cp -r "$packs/." /usr/share/keldim/packs/
as_desk keldim models list
as_desk keldim models verify builtin
answer_no as_desk keldim doctor --json >/dev/null   # there is no desk yet

step "a desk, admitted by a fund"
export KELDIM_FUND=/tmp/fund
as_desk keldim fund init --url https://localhost:8443 >/dev/null
as_desk keldim device init >/dev/null
as_desk keldim fund invite desk-1 --clinic "Clinic 7" --desk "Desk 1" --out /tmp/invitation.jws >/dev/null
as_desk keldim device request --invitation /tmp/invitation.jws --out /tmp/request.jws >/dev/null
as_desk keldim fund admit /tmp/request.jws --key-class file --out /tmp/answer.jws >/dev/null
as_desk keldim device install /tmp/answer.jws >/dev/null
as_desk keldim doctor
as_desk keldim ledger verify
(cd /var/lib/keldim && mkdir kiosk_ui && touch kiosk_ui/__init__.py && echo 'raise SystemExit(77)' >kiosk_ui/__main__.py)
(cd /var/lib/keldim && as_desk keldim kiosk --help >/dev/null) || stop "a module in the desk's folder was run"
rm -r /var/lib/keldim/kiosk_ui

step "the demonstration: a day of a clinic, from frame to the fund's record"
as_desk keldim demo --dir /tmp/day >/tmp/day.log || { tail -n 20 /tmp/day.log; stop "the demonstration"; }
tail -n 3 /tmp/day.log
rm -r /tmp/day   # its folder is not the packages' to remove

step "install $new: it waits"
install "$debs/keldim-${new}_${new}_"*.deb "$debs/keldim_${new}_all.deb"
in_use "$old"
keldim-release list
keldim --version | grep -q "$old" || stop "the new one runs"

step "activate, three starts that fail, back by itself"
keldim-release activate "$new"
in_use "$new"
keldim --version | grep -q "$new" || stop "the new one does not run"
as_desk keldim ledger verify
for _ in 1 2 3; do
    keldim-release starting keldim-window
    SERVICE_RESULT=exit-code keldim-release stopped keldim-window
done
keldim-release starting keldim-window
in_use "$old"
keldim-release list
refused keldim-release activate "$new"

step "activate again, confirm, go back, forth, and remove the old one"
keldim-release activate --again "$new"
refused apt-get remove -y "keldim-$old" >/dev/null 2>&1
refused keldim-release confirm
keldim-release confirm --seen-working
keldim-release rollback
in_use "$old"
keldim-release activate "$new"
keldim-release confirm --seen-working
apt-get autoremove -y >/dev/null 2>&1
[ -d "/opt/keldim/releases/$old" ] || stop "autoremove took the way back"
apt-get purge -y "keldim-$old" >/dev/null 2>&1
[ ! -e "/opt/keldim/releases/$old" ] || stop "files of $old are left"
in_use "$new"

step "a damaged file is found before activation"
install "$debs/keldim-${old}_${old}_"*.deb
echo >>"/opt/keldim/releases/$old/lib/python3.11/site-packages/appliance/__main__.py"
refused keldim-release activate "$old"

step "purge: records and keys stay, nothing else"
apt-get purge -y keldim "keldim-$old" "keldim-$new" >/dev/null 2>&1
[ -e /var/lib/keldim/keys ] || stop "the keys are gone"
find / -xdev ! -path '/proc/*' ! -path '/debs/*' | sort >/tmp/after
comm -13 /tmp/before /tmp/after | grep -i keldim | grep -v '^/var/lib/keldim$\|^/var/lib/keldim/' >/tmp/left || :
sed 's/^/left: /' /tmp/left
grep -v '^/usr/share/keldim\|^/var/log\|^/var/cache' /tmp/left | grep . && stop "left outside the records" || :
echo "deb-check: all of it holds"
