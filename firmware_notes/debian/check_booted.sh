#!/bin/sh
# The last part of `make deb-check`: under systemd as PID 1, in the root that check.sh leaves: broken starts, the way back, a
# shutdown, a power cut, and a trial that is kept by itself. As root, with systemd-nspawn (systemd-container). Delivery and
# doctor are the real ones; the desk's own service is a stand-in, for there is no camera.
set -eu

root=${1:?root that check.sh has left}
old=${2:?version in use}
new=${3:?version to go to}
unset KELDIM_HOME KELDIM_PACKS PYTHONPATH
command -v systemd-nspawn >/dev/null && [ "$(id -u)" = 0 ] || { echo "needs root and systemd-nspawn: apt-get install systemd-container" >&2; exit 2; }

step() { echo "== $*"; }
stop() { echo "FAILED: $*" >&2; exit 1; }
inside() { nsenter -t "$pid" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
state() { tr -d ' \n' <"$root/var/lib/keldim-release/state.json"; }
expect() { # seconds, pattern of the state
    for _ in $(seq "$1"); do
        case $(state) in *$2*) return ;; esac
        sleep 1
    done
    stop "after $1 s not $2: $(state)"
}
running() {
    for _ in $(seq 60); do
        if inside systemctl is-active -q keldim-kiosk && inside systemctl is-active -q keldim-sync; then return; fi
        sleep 1
    done
    stop "the services do not run"
}
boot() {
    setsid systemd-nspawn -D "$root" --register=no --keep-unit --boot --console=passive >"$root/boot.log" 2>&1 </dev/null &
    nspawn=$!
    for _ in $(seq 30); do
        pid=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null | cut -d ' ' -f 1)
        if [ -n "$pid" ] && inside systemctl is-active -q multi-user.target 2>/dev/null; then return; fi
        sleep 1
    done
    stop "it does not boot: $(tail -n 3 "$root/boot.log")"
}
cut_power() { kill -9 "$pid"; wait "$nspawn" || :; }
trap 'kill -9 ${pid:-} 2>/dev/null; wait' EXIT

step "install both, seal the desk's keys to the host"
cat >"$root/prepare.sh" <<END
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 KELDIM_HOME=/var/lib/keldim
apt-get install -y -q --no-install-recommends --allow-downgrades dbus systemd-sysv /debs/keldim-${old}_${old}_*.deb /debs/keldim_${old}_all.deb
apt-get install -y -q --no-install-recommends /debs/keldim-${new}_${new}_*.deb /debs/keldim_${new}_all.deb
test -e /var/lib/keldim/sealed || keldim keys seal --with-key host
keldim keys share
END
unshare --mount sh -c 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && chroot "$1" sh /prepare.sh' x "$root" \
    >"$root/prepare.log" 2>&1 || { tail -n 5 "$root/prepare.log"; stop "preparing"; }
mkdir -p "$root/etc/systemd/system/keldim-kiosk.service.d" "$root/usr/share/keldim/packs"
cp -r "$root/packs/." "$root/usr/share/keldim/packs/"
cat >"$root/etc/systemd/system/keldim-kiosk.service.d/stand-in.conf" <<END
[Service]
ExecStart=
ExecStart=/bin/sh -c 'test ! -e /etc/break || readlink /opt/keldim/current | grep -qv /$new || exit 0; exec sleep infinity'
RestartSec=1
END
ln -sf /lib/systemd/system/keldim-kiosk.service /lib/systemd/system/keldim-sync.service "$root/etc/systemd/system/multi-user.target.wants/"
rm -f "$root/var/lib/keldim-release/state.json"   # whatever an earlier run left
ln -sfn "releases/$old" "$root/opt/keldim/current"

step "a program that ends at once, and says well: three starts, then the old release"
boot
running
inside systemctl stop keldim-release.timer
touch "$root/etc/break"
inside keldim-release activate "$new"
expect 60 "\"trial\":null"
inside keldim-release list --json | grep -q 'given up: keldim-kiosk did not stay up' || stop "not listed as given up"
running
rm "$root/etc/break"

step "switched off in good order: counted anew; a power cut: counted"
inside keldim-release activate --again "$new"
expect 30 '"keldim-kiosk":1,"keldim-sync":1'
running
inside systemctl poweroff
wait "$nspawn" || :
expect 1 '"tries":{}'
boot
expect 30 '"keldim-kiosk":1,"keldim-sync":1'
running
cut_power
boot
expect 30 '"keldim-kiosk":2,"keldim-sync":2'
running

step "looked at six times: kept by itself"
inside systemctl stop keldim-release.timer
for _ in 1 2 3 4 5 6; do
    inside systemctl start keldim-release.service
    inside systemctl reset-failed keldim-release.service keldim-doctor.service 2>/dev/null || :   # systemd would refuse so many starts
done
expect 1 "\"proven\":\"$new\",\"trial\":null,\"before\":\"$old\""
inside systemctl poweroff
wait "$nspawn" || :
echo "check-booted: all of it holds"
