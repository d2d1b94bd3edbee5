#!/bin/bash
# Guest side of tests/vm/run, while the unit runs: boot, signals, reload, watchdog, stop.
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh

# Nobody has started it but the boot.
[ "$(systemctl is-enabled $unit)" = enabled ] || fail "not enabled"
at_ready=$(value ActiveEnterTimestampMonotonic)
within 60 said ': granted (' || fail "no code was read"
python - "$at_ready" <<'P' || fail "a line moved before the gate was ready"
import json, subprocess, sys
ready_s = int(sys.argv[1]) / 1e6
log = subprocess.run(["journalctl", "-b", "-u", "gate-scanner", "-o", "json"], capture_output=True, text=True, check=True)
entries = [json.loads(line) for line in log.stdout.splitlines()]
def first(words: str) -> float:
    return next(int(e["__MONOTONIC_TIMESTAMP"]) / 1e6 for e in entries if words in str(e["MESSAGE"]))
frame_s, read_s = first("first frame from"), first("vn.cccd")
rows = [row.split() for row in open("/run/lines")]
high = [float(at) for at, *levels in rows if any(level.endswith("=1") for level in levels)]
assert not float(rows[0][0]) > frame_s, "nobody watched the start"
assert min(high) > frame_s, (min(high), frame_s)
print(f"cold boot, seconds after the kernel's start: first frame {frame_s:.1f}, READY {ready_s:.1f}, first code read {read_s:.1f}; "
      f"pins watched since {float(rows[0][0]):.1f}, none moved before {min(high):.1f}")
P
lines_seen 17 22 24 || fail "a line is missing"
echo "green, red and relay go high under the hardened unit, as installed"
grep -q '"outcome":"granted"' /run/broker/events || within 60 grep -q '"outcome":"granted"' /run/broker/events || fail "nothing was delivered"
systemctl status $unit --no-pager | sed -n 1,12p
status_says '^ready: [0-9]* shown' || fail "the status line says something else"

tests/vm/systemd_reload.sh

scans() { journalctl _PID="$(value MainPID)" -o cat --no-pager | grep -q ': granted ('; }
back() { # back WHAT: restarted by systemd, and scanning
    within 60 is NRestarts $((starts + 1)) || fail "$1: not restarted"
    within 90 active || fail "$1: not back"
    [ "$(value MainPID)" != "$main" ] || fail "$1: the same process"
    within 60 scans || fail "$1: nobody is read afterwards"
}

starts=$(value NRestarts) main=$(value MainPID) SECONDS=0
kill -STOP "$main"
within 40 is Result watchdog || fail "the watchdog did not notice"
back "a frozen process"
echo "watchdog: from a frozen process to the next green in $SECONDS s, 15 s of them until it counts as frozen"

starts=$(value NRestarts) main=$(value MainPID) SECONDS=0
/opt/gate-scanner/bin/python -m tests.vm.freeze_worker "$main" panel &
within 60 said 'panel has not moved for' || fail "a frozen worker: nobody noticed"
back "a frozen worker"
echo "a frozen worker: $(journalctl _PID="$main" -o cat --no-pager | grep 'has not moved for' | tail -1); scanning again after $SECONDS s"

begun=$(date +%s%N)
systemctl stop $unit
echo "stopped after $((($(date +%s%N) - begun) / 1000000)) ms: $(value Result)"
is Result success || fail "it did not stop in time"
resting || fail "a line is high after the stop"
gate-scanner events --journal $journal --verify || fail "the journal"
tail -3 <(journalctl -u $unit -o cat --no-pager)
