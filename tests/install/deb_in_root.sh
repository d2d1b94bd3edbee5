#!/bin/bash
# Runs in a clean Debian root without systemd running: installing, upgrading, removing and purging the package.
set -Eeuo pipefail
trap 'echo "FAILED at line $LINENO" >&2' ERR
export DEBIAN_FRONTEND=noninteractive

step() { printf '\n-- %s\n' "$*"; }
quiet() { "$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }; }
as_daemon() { runuser -u gate-scanner -- "$@"; }
play_scene() {
    (cd /tmp && timeout $((120 * SLOWER)) runuser -u gate-scanner -- gate-scanner run --log plain \
        --config /etc/gate-scanner/gate.yaml >/tmp/said 2>&1) || { cat /tmp/said; return 1; }
}
has_units() { # all four, those of the gate enabled
    local unit
    for unit in gate-scanner.service gate-provision.service gate-report.service gate-report.timer; do
        if systemd-analyze verify /usr/lib/systemd/system/$unit 2>&1 | grep $unit; then return 1; fi
        [ -e /usr/lib/systemd/system/$unit ]
    done
    [ -L $wants/gate-scanner.service ] && [ -L $wants/gate-provision.service ]
}
wants=/etc/systemd/system/multi-user.target.wants
timer=/etc/systemd/system/timers.target.wants/gate-report.timer
package=$(find /root/wheels/deb -name 'gate-scanner_*.deb')

step "one command from a clean root to an installed package"
apt-get -qq update
SECONDS=0
quiet apt-get -qq install -y --no-install-recommends "$package"
echo "clean root to installed: $SECONDS s"
gate-scanner --version
has_units
[ ! -L $timer ]
[ -n "$(find /opt/gate-scanner -name __pycache__ -print -quit)" ]

step "a configuration is put there; check, decode, first green"
find /root/given -maxdepth 1 -type f -exec install -m 640 -g gate-scanner -t /etc/gate-scanner {} +
as_daemon gate-scanner check /etc/gate-scanner/gate.yaml
as_daemon gate-scanner decode --json /srv/scene/00000.png | grep -c '"engine"'
/opt/gate-scanner/bin/python3 -c 'import cv2, numpy; print("NumPy", numpy.__version__, "OpenCV", cv2.__version__)'
play_scene
grep "granted (ok)" /tmp/said
as_daemon gate-scanner events --verify
key=$(sha256sum /var/lib/gate-scanner/signing.key)

step "an upgrade keeps configuration, journal, keys and what is enabled, and leaves nothing of the old program"
mkdir /tmp/newer
dpkg-deb -R "$package" /tmp/newer/tree
sed -i 's/^Version: .*/&+newer/' /tmp/newer/tree/DEBIAN/control
gone=$(find /tmp/newer/tree/opt -name watch.py | head -1)
rm "$gone"
dpkg-deb --root-owner-group -Znone -b /tmp/newer/tree /tmp/newer/gate-scanner.deb >/dev/null
cp /etc/gate-scanner/gate.yaml /tmp/gate.yaml
systemctl enable --quiet gate-report.timer
systemctl disable --quiet gate-provision.service
quiet apt-get -qq install -y /tmp/newer/gate-scanner.deb
dpkg-query -W -f '${Version}\n' gate-scanner | grep newer
[ ! -e "${gone#/tmp/newer/tree}" ]
cmp /etc/gate-scanner/gate.yaml /tmp/gate.yaml
[ -L $timer ]
[ ! -L $wants/gate-provision.service ]
systemctl enable --quiet gate-provision.service
[ "$(sha256sum /var/lib/gate-scanner/signing.key)" = "$key" ]
quiet apt-get -qq install -y --allow-downgrades "$package"
play_scene
as_daemon gate-scanner events --verify

step "a configuration that does not fit is named, and the package is installed all the same"
echo "policy: {no_such_setting: 1}" >>/etc/gate-scanner/gate.yaml
quiet dpkg --configure -a
quiet apt-get -qq install -y --reinstall "$package"
grep -q "mend what is named above" /tmp/said
cp /tmp/gate.yaml /etc/gate-scanner/gate.yaml

step "install.sh stands back from it"
if /root/source/install.sh --dry-run >/tmp/said 2>&1; then false; fi
grep "installed as a Debian package" /tmp/said

step "removed, configuration, events and keys stay; purged, they are gone"
quiet apt-get -qq remove -y gate-scanner
[ ! -e /opt/gate-scanner ]
[ ! -e /usr/bin/gate-scanner ]
[ -e /var/lib/gate-scanner/journal.db ]
[ -e /etc/gate-scanner/gate.yaml ]
quiet apt-get -qq install -y --no-install-recommends "$package"
has_units
[ -L $timer ]
quiet apt-get -qq remove -y gate-scanner
quiet apt-get -qq purge -y gate-scanner
[ ! -e /var/lib/gate-scanner ]
[ ! -e /etc/gate-scanner ]
[ ! -e /opt/gate-scanner ]
find /etc /usr /var/lib -xdev -name '*gate-*' ! -path '/var/lib/apt/*' >/tmp/left
[ ! -s /tmp/left ] || { cat /tmp/left; false; }

step "where install.sh was used, the package stands back"
mkdir -p /opt
ln -s /opt/elsewhere /opt/gate-scanner
if apt-get -qq install -y "$package" >/tmp/said 2>&1; then false; fi
grep "installed by install.sh" /tmp/said

printf '\nthe package keeps its promises here\n'
