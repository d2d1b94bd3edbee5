#!/bin/bash
# Guest side of tests/vm/run, while the unit runs: log fields, ordering, exposure, restarts, controls, secret.
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh
drop_in=/etc/systemd/system/$unit.d/control.conf

# Every line carries its unit; a refused configuration is an error; nobody is named.
within 60 said ': denied (' || fail "nobody was refused"
cp $config /tmp/before.yaml
sed -i 's/pin: 22/pin: 17/' $config
systemctl reload $unit 2>/dev/null && fail "a broken file is not refused"
within 30 said 'configuration is refused' || fail "no refusal in the log"
cp /tmp/before.yaml $config
journalctl -u $unit -o json --no-pager >/tmp/log.json
python - <<'P' || fail "journal fields"
import json
lines = [json.loads(line) for line in open("/tmp/log.json")]
own = [line for line in lines if line.get("_SYSTEMD_UNIT") == "gate-scanner.service"]
assert {line["SYSLOG_IDENTIFIER"] for line in own} >= {"gate-scanner"}, {l["SYSLOG_IDENTIFIER"] for l in own}
refused = [line for line in own if "configuration is refused" in str(line["MESSAGE"])]
assert refused and all(line["PRIORITY"] == "3" for line in refused), refused
assert not [line for line in own if str(line["MESSAGE"]).startswith("<")], "a priority was not understood"
assert not [line for line in own if "046190123456" in str(line) or "001085000222" in str(line)], "a person is named"
print(f"journald: {len(own)} lines, priorities {sorted({line['PRIORITY'] for line in own})}, refusals are errors")
P

after=" $(value After) "
for one in network.target time-set.target; do
    [[ $after == *" $one "* ]] || fail "not ordered after $one"
done
for one in network-online.target time-sync.target; do
    [[ $after != *" $one "* ]] || fail "waits for $one"
    [[ " $(value Requires) $(value Wants) " != *" $one "* ]] || fail "wants $one"
done
timedatectl show -P NTPSynchronized | grep -q no || fail "this machine's clock is set: the check shows nothing"
echo "ordering: after the network's and the clock's set-up, and ready without either"

systemd-analyze security --no-pager --threshold=13 $unit >/tmp/exposure || fail "$(tail -1 /tmp/exposure)"
tail -1 /tmp/exposure
echo "beside it: $(systemd-analyze security --no-pager --offline=true /usr/lib/systemd/system/{mosquitto,dbus,systemd-udevd,systemd-timesyncd,systemd-journald}.service 2>/dev/null |
    sed -n 's/.*exposure level for \(.*\).service: \([0-9.]*\).*/\1 \2/p' | paste -sd, | sed 's/,/, /g')"

# Killed again and again: systemd starts it again each time and never gives up.
lines_seen 24 || fail "the relay never moved"
for death in 1 2 3 4 5 6 7; do
    until [ "$(value MainPID)" != 0 ]; do sleep 0.2; done
    was=$(value NRestarts)
    systemctl kill --kill-whom=all -s KILL $unit
    until [ "$(value NRestarts)" -gt "$was" ]; do
        is ActiveState failed && fail "systemd gave up after $death deaths: $(value Result)"
        sleep 0.2
    done
    resting || fail "a line stayed high after kill -9"
done
within 90 active || fail "not back after seven deaths"
echo "restarts: killed seven times in a row, the first time with the relay pulled, the lines low after each;" \
    "active after $(value NRestarts) restarts in all"

# A configuration that is wrong at the start ends the trying: only a person can mend it.
sed -i 's/pin: 22/pin: 17/' $config
systemctl restart $unit 2>/dev/null && fail "a wrong configuration starts"
for fact in 'ActiveState failed' 'ExecMainStatus 78' 'NRestarts 0'; do
    # shellcheck disable=SC2086 # two words
    is $fact || fail "a wrong configuration: not $fact"
done
cp /tmp/before.yaml $config
echo "a wrong configuration: exit 78, not tried again"

# The controls: with one more restriction each, the unit must not come up, and must say what is missing.
control() { # control SETTING WORDS: the unit with this setting more fails and the log has these words
    mkdir -p "${drop_in%/*}"
    printf '[Service]\nRestart=no\nTimeoutStartSec=45\n%s\n' "$1" >$drop_in
    systemctl daemon-reload
    systemctl reset-failed $unit
    journalctl --rotate -q && journalctl --vacuum-time=1s -q
    systemctl start $unit 2>/dev/null && fail "the unit starts with $1: its other settings prove nothing"
    said "$2" || fail "with $1 the log does not say '$2'"
    echo "control, $(head -1 <<<"$1")...: fails, and says: $(journalctl -u $unit -o cat --no-pager | grep -m1 -- "$2")"
    rm $drop_in
    systemctl daemon-reload
}
control $'DeviceAllow=\nDeviceAllow=char-video4linux rw\nDeviceAllow=char-media rw\nDeviceAllow=char-dma_heap rw' gpio
control 'PrivateDevices=yes' gpio

# A broker's password that only root can read comes through systemd.
install -D -m 600 <(printf 'a word for the broker') /etc/credstore/mqtt-password
runuser -u gate-scanner -- cat /etc/credstore/mqtt-password 2>/dev/null && fail "the daemon's user reads the original"
printf '[Service]\nLoadCredential=mqtt-password:/etc/credstore/mqtt-password\n' >$drop_in
secret=/run/credentials/$unit/mqtt-password
sed -i "s|port: 1883|port: 1884\n  username: gate\n  password_file: $secret|" $config
systemctl daemon-reload
systemctl reset-failed $unit
# Somebody else has a pin meanwhile: the log names both, and the gate comes up by itself when it is free.
gpioset -c gpiochip0 -C door-bell 17=0 &
holder=$!
systemctl start --no-block $unit
within 60 said "panel.lights.green (GPIO 17): in use by 'door-bell'" || fail "a pin in use is not named"
kill $holder
within 90 active || fail "it does not start once the pin is free, with a credential"
echo "a pin in use: $(journalctl -u $unit -o cat --no-pager | grep -m1 'in use by'); free again: up by itself"
within 60 status_says 'broker connected' || fail "no connection with the password from LoadCredential=: $(value StatusText)"
echo "secret: connected with the password of LoadCredential=, whose original only root can read"
! systemctl reload $unit 2>/dev/null || fail "a reload with a credential succeeds: set-up-a-broker.md says that it cannot"
