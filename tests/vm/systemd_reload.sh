#!/bin/bash
# Guest side of tests/vm/run: `systemctl reload` under real systemd. At once, refused, and with other parts.
set -euo pipefail
config=/etc/gate-scanner/gate.yaml
journal=/var/lib/gate-scanner/journal.db

status() { systemctl show -P StatusText gate-scanner; }
newest() { python3 -m device events --journal $journal --json | grep '"what"' | tail -1; }
wait_for() { # wait_for TEXT COMMAND...: until the command says it, half a minute at most
    local text=$1
    shift
    for _ in $(seq 60); do
        "$@" | grep -q -- "$text" && return
        sleep 0.5
    done
    echo "'$text' never came; the newest: $("$@")"
    return 1
}
unchanged() { # the same process, and systemd counts no restart
    [ "$(systemctl show -P MainPID gate-scanner)" = "$main" ]
    [ "$(systemctl show -P NRestarts gate-scanner)" = 0 ]
    [ "$(systemctl show -P ActiveState gate-scanner)" = active ]
}

main=$(systemctl show -P MainPID gate-scanner)
cp $config /tmp/good.yaml

sed -i 's/repeat_s: 0/repeat_s: 1/' $config
systemctl reload gate-scanner
wait_for '"at_once"' newest
unchanged
echo "reload, other rules: at once"

sed -i 's/pin: 22/pin: 17/' $config
if systemctl reload gate-scanner; then
    echo "a broken file was not refused"
    exit 1
fi
wait_for 'configuration refused: .*gate.yaml:[0-9]' status
wait_for '"configuration_refused"' newest
unchanged
echo "reload, a broken file: $(status)"

sed 's/pulse_s: 0.5/pulse_s: 0.25/' /tmp/good.yaml >$config
begun=$(date +%s%N)
systemctl reload gate-scanner
wait_for '"started"' newest
wait_for '^ready' status
unchanged
echo "reload, other parts: anew in the same process, $((($(date +%s%N) - begun) / 1000000)) ms in this slow machine"
