#!/bin/bash
# Guest side of tests/vm/run, while the unit runs: signals, reload, watchdog, stop.
set -euo pipefail
python3 -m tests.vm.systemd_watch
systemctl status gate-scanner --no-pager | sed -n 1,20p
echo "restarts so far: $(systemctl show -P NRestarts gate-scanner)"
tests/vm/systemd_reload.sh
main=$(systemctl show -P MainPID gate-scanner)
echo "freezing process $main: the watchdog has to notice"
kill -STOP "$main"
for _ in $(seq 60); do
    [ "$(systemctl show -P NRestarts gate-scanner)" != 0 ] && break
    sleep 1
done
[ "$(systemctl show -P NRestarts gate-scanner)" != 0 ] || { echo "the watchdog did not restart it"; exit 1; }
for _ in $(seq 90); do
    [ "$(systemctl show -P ActiveState gate-scanner)" = active ] && break
    sleep 1
done
echo "after the watchdog: $(systemctl show -P ActiveState -P SubState -P NRestarts gate-scanner | tr '\n' ' ')"
systemd-analyze security --no-pager gate-scanner | tail -1
begun=$(date +%s%N)
systemctl stop gate-scanner
echo "stopped after $((($(date +%s%N) - begun) / 1000000)) ms: $(systemctl show -P Result gate-scanner)"
[ "$(systemctl show -P Result gate-scanner)" = success ] || { echo "it did not stop in time"; exit 1; }
python3 -m device events --journal /var/lib/gate-scanner/journal.db --verify
ls -la /var/lib/gate-scanner
journalctl -u gate-scanner -n 40 --no-pager -o cat
