# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who read this
# What the scripts of tests/vm in the machine share: the unit's names, and looking at it from outside.
set -euo pipefail
unset PYTHONPATH
export PATH=/usr/local/sbin:/usr/local/bin:$PATH
unit=gate-scanner.service
config=/etc/gate-scanner/gate.yaml
journal=/var/lib/gate-scanner/journal.db

python() { /opt/gate-scanner/bin/python "$@"; }
fail() { # fail WORDS: with what the unit said
    echo "BROKEN $1"
    systemctl status $unit --no-pager | head -20
    journalctl -u $unit -n 40 --no-pager -o cat
    exit 1
}
value() { systemctl show -P "$1" $unit; }
is() { [ "$(value "$1")" = "$2" ]; }
within() { # within SECONDS COMMAND...: until it is true
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.5
    done
}
active() { is ActiveState active; }
said() { journalctl -u $unit -o cat --no-pager | grep -q -- "$1"; }
status_says() { value StatusText | grep -q -- "$1"; }
lines_seen() { # lines_seen LINE...: each goes high from now on
    python - "$@" <<'P'
import sys, threading, time
import gpio_sim
chip = gpio_sim.SimChip("pinctrl-bcm2711")
wanted, until, pause = set(map(int, sys.argv[1:])), time.monotonic() + 120, threading.Event()
while wanted:
    assert time.monotonic() < until, f"lines {sorted(wanted)} never went high"
    wanted -= {line for line in wanted if chip.value(line)}
    pause.wait(0.005)
P
}
resting() { # the lines of the panel are low, as the kernel has them
    python -c 'import gpio_sim; c = gpio_sim.SimChip("pinctrl-bcm2711"); assert not any(map(c.value, (17, 22, 24)))'
}
