#!/bin/bash
# Guest side of tests/vm/frozen.py, run by systemd after the gate's start; its lines are read on the host.
# In the first life everything is frozen, systemd included: nobody feeds the watchdog. In the second, after the
# machine has been reset, it tells what the boot alone has brought back.
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh
mark=/var/lib/frozen-before

scans() { journalctl -b -u $unit -o cat --no-pager | grep -q ': granted ('; }
fed() { find /proc/1/fd -lname '/dev/watchdog*' | grep -q .; }

if [ -e $mark ]; then
    echo "BOOTED after the reset"
    within 180 active || fail "the gate does not start after the reset"
    within 60 scans || fail "nobody is read after the reset"
    echo "SCANNING"
    first_frame=$(journalctl -b -u $unit -o short-monotonic --no-pager | sed -n 's/^\[ *\([0-9.]*\)\].*first frame.*/\1/p' | head -1)
    awk -v frame="$first_frame" '/=1/ && $1 < frame { exit 1 }' /run/lines || fail "a line was high before the first frame"
    echo "pins: $(head -1 /run/lines), as the first look in this boot has them, and low until the first frame at $first_frame"
    gate-scanner events --journal $journal --verify || fail "the journal"
    gate-scanner events --journal $journal --json | grep -q '"detail":"new_boot"' || fail "no event tells of the new boot"
    echo "DONE"
    exit
fi
within 180 active || fail "the gate does not start"
within 60 scans || fail "nobody is read"
if [ "${1:-}" != unwatched ]; then
    modprobe softdog
    within 30 fed || fail "systemd does not feed the watchdog"
    echo "WATCHDOG fed by systemd every half of $(systemctl show -P RuntimeWatchdogUSec), as install.sh has set it"
    sleep 20
    echo "ALIVE 20 s later"
fi
touch $mark
sync
# The root group is the only one that is not frozen.
echo $$ >/sys/fs/cgroup/cgroup.procs
echo "FROZEN"
echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze
echo 1 >/sys/fs/cgroup/system.slice/cgroup.freeze
sleep 60
echo "STILL frozen after a minute"
