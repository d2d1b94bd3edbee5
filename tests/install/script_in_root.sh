#!/bin/bash
# Runs in a clean Debian root without systemd running: what install.sh promises, step by step.
set -Eeuo pipefail
trap 'echo "FAILED at line $LINENO" >&2' ERR
cd /root/source
wants=/etc/systemd/system/multi-user.target.wants
timer=/etc/systemd/system/timers.target.wants/gate-report.timer

step() { printf '\n-- %s\n' "$*"; }
events() { gate-scanner events --journal /var/lib/gate-scanner/journal.db "$@"; }
as_daemon() { runuser -u gate-scanner -- "$@"; }
gone() { # gone COMMAND...: which finds it no more
    if "$@" >/dev/null 2>&1; then echo "still there: $*"; return 1; fi
}
quiet() { "$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }; }
fails_with() { # fails_with TEXT COMMAND...
    local text=$1
    shift
    if "$@" >/tmp/said 2>&1; then cat /tmp/said; echo "that should have failed"; return 1; fi
    grep -q -- "$text" /tmp/said || { cat /tmp/said; return 1; }
}
play_scene() {
    (cd /tmp && timeout $((120 * SLOWER)) runuser -u gate-scanner -- gate-scanner run --log plain \
        --config /etc/gate-scanner/gate.yaml >/tmp/said 2>&1) || { cat /tmp/said; return 1; }
}
snapshot() { # what installing could change; apt's own lists and caches aside
    find /etc /opt /usr /boot /var/lib -xdev -path /var/lib/apt -prune -o -type d -printf '%p %m %u:%g\n' \
        -o -printf '%p %y %m %u:%g %s %T@ %l\n' | sort
}
has_units() { # has_units: all four, those of the gate enabled, and systemd finds nothing wrong with them
    local unit
    for unit in gate-scanner.service gate-provision.service gate-report.service gate-report.timer; do
        if systemd-analyze verify /etc/systemd/system/$unit 2>&1 | grep $unit; then return 1; fi
        [ -e /etc/systemd/system/$unit ]
    done
    [ -L $wants/gate-scanner.service ] && [ -L $wants/gate-provision.service ]
}

step "a dry run changes nothing"
snapshot >/tmp/before
./install.sh --dry-run --config /root/given --wheels /root/wheels >/tmp/dry
snapshot | diff /tmp/before -
[ ! -e /opt/gate-scanner ]
[ ! -e /etc/gate-scanner ]
gone id gate-scanner
grep -q "apt-get -qq install" /tmp/dry

step "one command from a clean root to a working gate"
SECONDS=0
./install.sh --config /root/given --wheels /root/wheels
echo "clean root to installed: $SECONDS s"

step "the configuration is accepted, a picture is read"
as_daemon gate-scanner check /etc/gate-scanner/gate.yaml
as_daemon gate-scanner decode --json /srv/scene/00000.png | grep -c '"engine"'
[ "$(stat -c '%U:%G %a' /etc/gate-scanner/gate.yaml)" = 'root:gate-scanner 640' ]

step "all units are there; the report's timer is a district's, and nobody has enabled it"
has_units
[ ! -L $timer ]
id gate-district

step "a replayed scene comes to its first green"
SECONDS=0
play_scene
grep "granted (ok)" /tmp/said
echo "start to the end of the scene: $SECONDS s"
events --verify
install -m 644 tests/install/look_time.py /tmp/ # where that user may read it
as_daemon /opt/gate-scanner/bin/python /tmp/look_time.py /srv/scene/00000.png
if [ "$BRIEF" = yes ]; then
    printf '\ninstall.sh installs a gate that reads here\n'
    exit 0
fi
before=$(events --json | wc -l)
provision=/etc/systemd/system/gate-provision.service
key=$(sha256sum /var/lib/gate-scanner/signing.key)

step "the same again changes nothing"
release=$(readlink /opt/gate-scanner)
snapshot >/tmp/before
./install.sh --wheels /root/wheels >/tmp/again
snapshot | diff /tmp/before -
grep -q "is there already, from the same sources" /tmp/again
grep -q "is in use already" /tmp/again
[ "$(readlink /opt/gate-scanner)" = "$release" ]

step "an upgrade keeps configuration, journal, keys and an enabled timer, and brings its own units"
cp -r /root/wheels /root/newer
python3 tests/install/newer_wheel.py /root/newer/gate_scanner-*.whl systemd/gate-provision.service '# newer'
systemctl enable --quiet gate-report.timer
cp /etc/gate-scanner/gate.yaml /tmp/gate.yaml
sed -i 's/^"""Reads QR codes/"""  Reads QR codes/; $a # newer' device/__init__.py
quiet ./install.sh --upgrade --wheels /root/newer
[ "$(readlink /opt/gate-scanner)" != "$release" ]
cmp /etc/gate-scanner/gate.yaml /tmp/gate.yaml
has_units
[ -L $timer ]
[ "$(tail -1 $provision)" = "# newer" ]
play_scene
events --verify
[ "$(events --json | wc -l)" -gt "$before" ]
[ "$(sha256sum /var/lib/gate-scanner/signing.key)" = "$key" ]

step "an upgrade that does not accept the configuration is not put in force"
newer=$(readlink /opt/gate-scanner)
echo "policy: {no_such_setting: 1}" >>/etc/gate-scanner/gate.yaml
echo "# newer still" >>device/__init__.py
fails_with "nothing was changed" ./install.sh --upgrade --wheels /root/wheels
[ "$(readlink /opt/gate-scanner)" = "$newer" ]
cp /tmp/gate.yaml /etc/gate-scanner/gate.yaml

step "back to the release before, and forward again"
quiet ./install.sh --rollback
[ "$(readlink /opt/gate-scanner)" = "$release" ]
[ "$(tail -1 $provision)" != "# newer" ]
has_units
[ -L $timer ]
gate-scanner --version
quiet ./install.sh --rollback
[ "$(readlink /opt/gate-scanner)" = "$newer" ]
[ "$(tail -1 $provision)" = "# newer" ]

step "pins at boot are written into config.txt, once, and changed with the configuration"
mkdir -p /boot/firmware
printf '# of the system\ndtparam=audio=on\n[pi4]\narm_boost=1\n' >/boot/firmware/config.txt
cp /boot/firmware/config.txt /tmp/config.txt
sed -i 's/driver: mock/driver: lgpio/' /etc/gate-scanner/gate.yaml
quiet ./install.sh --boot-pins --wheels /root/wheels
quiet ./install.sh --boot-pins --wheels /root/wheels
grep -c '^gpio=24=op,dl$' /boot/firmware/config.txt | grep -qx 1
[ "$(grep -A1 'gate-scanner: begin' /boot/firmware/config.txt | tail -1)" = '[all]' ]

step "removing the program keeps configuration, events and keys"
./install.sh --uninstall
[ ! -e /opt/gate-scanner ]
[ ! -e /opt/gate-scanner.d ]
[ ! -e /usr/local/bin/gate-scanner ]
find /etc /opt /usr -xdev -path /etc/gate-scanner -prune -o -name '*gate-*' -print >/tmp/left
[ ! -s /tmp/left ] || { cat /tmp/left; false; }
[ -e /var/lib/gate-scanner/journal.db ]
[ -e /etc/gate-scanner/gate.yaml ]
cmp /boot/firmware/config.txt /tmp/config.txt

step "installed anew beside the system's own NumPy, it uses that one, and goes on where it stopped"
quiet apt-get -qq install -y --no-install-recommends python3-numpy
quiet ./install.sh --wheels /root/wheels
/opt/gate-scanner/bin/python -c 'import cv2, numpy; print("NumPy", numpy.__version__, numpy.__path__[0], "OpenCV", cv2.__version__)' | tee /tmp/said
grep -q /usr/lib/python3/dist-packages /tmp/said
sed -i 's/driver: lgpio/driver: mock/' /etc/gate-scanner/gate.yaml
play_scene
events --verify

step "purged, events and keys are gone"
quiet ./install.sh --uninstall --purge-journal
[ ! -e /var/lib/gate-scanner ]
gone id gate-scanner
gone id gate-district
[ -e /etc/gate-scanner/gate.yaml ]

step "without a configuration there is an example, and nothing is started"
rm -rf /etc/gate-scanner
quiet ./install.sh --wheels /root/wheels </dev/null
grep -q "config init" /tmp/said
[ -e /etc/gate-scanner/gate.example.yaml ]
[ ! -e /etc/gate-scanner/gate.yaml ]
gate-scanner config init --tenant phu-vang --site market --name north --camera v4l2 </dev/null
as_daemon gate-scanner check /etc/gate-scanner/gate.yaml

step "a device that is given first.yaml alone waits for its card, and takes its configuration from it"
rm -rf /etc/gate-scanner
quiet ./install.sh --config /root/given/first --wheels /root/wheels
[ "$(stat -c '%U:%G %a' /etc/gate-scanner/first.yaml)" = 'root:gate-scanner 640' ]
[ ! -e /etc/gate-scanner/gate.yaml ]
has_units
chmod 770 /etc/gate-scanner # as the unit does while it waits
(cd /tmp && timeout $((120 * SLOWER)) runuser -u gate-scanner -- gate-scanner provision wait \
    --config /etc/gate-scanner/first.yaml --into /etc/gate-scanner)
chmod 750 /etc/gate-scanner
cmp /etc/gate-scanner/gate.yaml /root/given/gate.yaml
as_daemon gate-scanner check /etc/gate-scanner/gate.yaml

printf '\ninstall.sh keeps its promises here\n'
