#!/bin/bash
# Guest side of tests/vm/run: the gate that install.sh has put here and the boot has started, and a broker.
# systemd_job.sh life     boot, signals, reload, watchdog, stop
#                unit     log fields, ordering, exposure, restarts, controls, secret
#                camera   a USB camera that stalls, goes away, comes back, is used by somebody else
cd /host
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh

# Two doors: 1883 for everybody, 1884 for who has the password.
mkdir -p /run/broker
mosquitto_passwd -b -c /run/broker/passwords gate 'a word for the broker'
cat >/run/broker/conf <<'P'
user root
per_listener_settings true
listener 1883 127.0.0.1
allow_anonymous true
listener 1884 127.0.0.1
password_file /run/broker/passwords
P
mosquitto -d -c /run/broker/conf >/dev/null 2>&1
until mosquitto_pub -t up -n 2>/dev/null; do sleep 0.5; done
mosquitto_sub -V 5 -q 1 -t 'gate/v1/+/+/+/event' >/run/broker/events &
trap 'kill %1' EXIT
within 180 active || fail "not running after the boot"
"tests/vm/systemd_$1.sh"
