#!/bin/bash
# Runs in a clean Debian root whose systemd runs: what only it can show of install.sh.
set -Eeuo pipefail
trap 'echo "FAILED at line $LINENO" >&2; systemctl --no-pager --full status "gate-*" | tail -60' ERR
cd /root/source

step() { printf '\n-- %s\n' "$*"; }
quiet() { "$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }; }
active() { systemctl is-active --quiet "$1"; }
idle() { # idle UNIT: not running, and not failed either
    [ "$(systemctl show -P ActiveState "$1")" = inactive ]
}
process() { systemctl show -P MainPID gate-scanner; }
within() { # within SECONDS COMMAND...: until it is true
    local left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ]
        sleep 1
    done
}
newer_wheels() { # newer_wheels FOLDER NAME TEXT: the wheels, with a line more in one of the program's files
    cp -r /root/wheels "$1"
    python3 tests/install/newer_wheel.py "$1"/gate_scanner-*.whl "$2" "$3"
    echo "# for $1" >>device/__init__.py
}

step "one command from a clean root to a running gate"
SECONDS=0
quiet ./install.sh --config /root/given --wheels /root/wheels
echo "clean root to READY: $SECONDS s"
active gate-scanner
idle gate-provision
systemctl is-enabled gate-scanner gate-provision
[ "$(systemctl is-enabled gate-report.timer || true)" = disabled ]
for unit in gate-scanner gate-provision gate-report; do systemd-analyze security --no-pager $unit | tail -1; done

step "the same again, and the gate goes on"
before=$(process)
quiet ./install.sh --wheels /root/wheels
grep "runs, and goes on" /tmp/said
[ "$(process)" = "$before" ]

step "an upgrade, and a new process"
first=$(readlink /opt/gate-scanner)
newer_wheels /root/newer systemd/gate-scanner.service '# newer'
quiet ./install.sh --upgrade --wheels /root/newer
active gate-scanner
[ "$(process)" != "$before" ]
newer=$(readlink /opt/gate-scanner)
[ "$newer" != "$first" ]

step "an upgrade that does not start: the release before is back, with its units"
newer_wheels /root/broken systemd/gate-scanner.service $'[Service]\nExecStart=\nExecStart=/bin/false'
if ./install.sh --upgrade --wheels /root/broken >/tmp/said 2>&1; then cat /tmp/said; false; fi
grep "runs again" /tmp/said
[ "$(readlink /opt/gate-scanner)" = "$newer" ]
within 30 active gate-scanner
[ "$(tail -1 /etc/systemd/system/gate-scanner.service)" = "# newer" ]

step "back, and removed"
quiet ./install.sh --rollback
active gate-scanner
quiet ./install.sh --uninstall --purge-journal
[ -z "$(systemctl list-unit-files --no-legend 'gate-*' || true)" ]
idle gate-scanner

step "a device with first.yaml alone waits, reads its card, and becomes a gate"
rm -rf /etc/gate-scanner
quiet ./install.sh --config /root/given/first --wheels /root/wheels
idle gate-scanner
within 120 active gate-scanner
idle gate-provision
journalctl --no-pager -o cat -u gate-provision | tail -5
cmp /etc/gate-scanner/gate.yaml /root/given/gate.yaml
stat -c '%U:%G %a %n' /etc/gate-scanner /etc/gate-scanner/gate.yaml
[ "$(stat -c '%U:%G %a' /etc/gate-scanner)" = "root:gate-scanner 750" ]

step "started again, it is a gate at once"
systemctl stop gate-scanner
systemctl start gate-provision gate-scanner
active gate-scanner
idle gate-provision

printf '\ninstall.sh and systemd get on well here\n'
