#!/bin/bash
# Guest side of tests/vm/run: `systemctl reload` under real systemd. At once, refused, and with other parts.
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh

newest_is() { gate-scanner events --journal $journal --json | grep '"what"' | tail -1 | grep -q -- "$1"; }
unchanged() { # the same process, and it works
    is MainPID "$main" || fail "not the same process"
    active || fail "not active"
}

main=$(value MainPID)
cp $config /tmp/good.yaml

sed -i 's/repeat_s: 0/repeat_s: 1/' $config
systemctl reload $unit
within 30 newest_is '"at_once"' || fail "reload, other rules"
unchanged
echo "reload, other rules: at once"

sed -i 's/pin: 22/pin: 17/' $config
! systemctl reload $unit 2>/dev/null || fail "a broken file was not refused"
within 30 status_says 'configuration refused: .*gate.yaml:[0-9]' || fail "the status does not say so"
within 30 newest_is '"configuration_refused"' || fail "no event says so"
unchanged
echo "reload, a broken file: $(value StatusText)"

sed 's/pulse_s: 0.5/pulse_s: 0.25/' /tmp/good.yaml >$config
begun=$(date +%s%N)
systemctl reload $unit
within 60 newest_is '"started"' || fail "reload, other parts"
within 60 status_says '^ready' || fail "not ready after a reload"
unchanged
echo "reload, other parts: anew in the same process, $((($(date +%s%N) - begun) / 1000000)) ms in this slow machine"
