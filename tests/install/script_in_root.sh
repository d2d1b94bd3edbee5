#!/bin/bash
# Runs in a clean Debian root without systemd running: what install.sh promises, step by step.
set -Eeuo pipefail
trap 'echo "FAILED at line $LINENO" >&2' ERR
cd /root/source

step() { printf '\n-- %s\n' "$*"; }
events() { gate-scanner events --journal /var/lib/gate-scanner/journal.db "$@"; }
as_daemon() { runuser -u gate-scanner -- "$@"; }
quiet() { "$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }; }
fails_with() { # fails_with TEXT COMMAND...
    local text=$1
    shift
    if "$@" >/tmp/said 2>&1; then cat /tmp/said; echo "that should have failed"; return 1; fi
    grep -q -- "$text" /tmp/said || { cat /tmp/said; return 1; }
}
play_scene() { (cd /tmp && timeout 120 runuser -u gate-scanner -- gate-scanner run --log plain --config /etc/gate-scanner/gate.yaml >/tmp/said 2>&1) || { cat /tmp/said; return 1; }; }

step "a dry run changes nothing"
./install.sh --dry-run --config /root/given --wheels /root/wheels >/tmp/dry
[ ! -e /opt/gate-scanner ] && [ ! -e /etc/gate-scanner ] && ! id gate-scanner 2>/dev/null
grep -q "apt-get -qq install" /tmp/dry

step "one command from a clean root to a working gate"
SECONDS=0
./install.sh --config /root/given --wheels /root/wheels
echo "clean root to installed: $SECONDS s"

step "the configuration is accepted, a picture is read"
as_daemon gate-scanner check /etc/gate-scanner/gate.yaml
as_daemon gate-scanner decode --json /srv/scene/00000.png | grep -c '"engine"'
[ "$(stat -c '%U:%G %a' /etc/gate-scanner/gate.yaml)" = 'root:gate-scanner 640' ]
[ -L /etc/systemd/system/multi-user.target.wants/gate-scanner.service ]
systemd-analyze verify /etc/systemd/system/gate-scanner.service 2>&1 | grep gate-scanner && false

step "a replayed scene comes to its first green"
SECONDS=0
play_scene
grep "granted (ok)" /tmp/said
echo "start to the end of the scene: $SECONDS s"
events --verify
before=$(events --json | wc -l)
key=$(sha256sum /var/lib/gate-scanner/signing.key)

step "the same again changes nothing"
release=$(readlink /opt/gate-scanner)
./install.sh --wheels /root/wheels >/tmp/again
grep -q "is there already, from the same sources" /tmp/again
grep -q "is in use already" /tmp/again
[ "$(readlink /opt/gate-scanner)" = "$release" ]

step "an upgrade keeps configuration, journal and keys"
cp /etc/gate-scanner/gate.yaml /tmp/gate.yaml
sed -i 's/^"""Reads QR codes/"""  Reads QR codes/; $a # newer' device/__init__.py
quiet ./install.sh --upgrade --wheels /root/wheels
[ "$(readlink /opt/gate-scanner)" != "$release" ]
cmp /etc/gate-scanner/gate.yaml /tmp/gate.yaml
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
gate-scanner --version
quiet ./install.sh --rollback
[ "$(readlink /opt/gate-scanner)" = "$newer" ]

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
[ ! -e /opt/gate-scanner ] && [ ! -e /opt/gate-scanner.d ] && [ ! -e /usr/local/bin/gate-scanner ]
[ ! -e /etc/systemd/system/gate-scanner.service ]
[ ! -L /etc/systemd/system/multi-user.target.wants/gate-scanner.service ]
[ -e /var/lib/gate-scanner/journal.db ] && [ -e /etc/gate-scanner/gate.yaml ]
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
[ ! -e /var/lib/gate-scanner ] && ! id gate-scanner 2>/dev/null
[ -e /etc/gate-scanner/gate.yaml ]

step "without a configuration there is an example, and nothing is started"
rm -rf /etc/gate-scanner
quiet ./install.sh --wheels /root/wheels </dev/null
grep -q "config init" /tmp/said
[ -e /etc/gate-scanner/gate.example.yaml ] && [ ! -e /etc/gate-scanner/gate.yaml ]
gate-scanner config init --tenant phu-vang --site market --name north --camera v4l2 </dev/null
as_daemon gate-scanner check /etc/gate-scanner/gate.yaml

printf '\ninstall.sh keeps its promises here\n'
