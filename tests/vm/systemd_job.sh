#!/bin/bash
# Guest side of tests/vm/run: the shipped unit, as it is, runs the daemon on a camera and pins under systemd.
# systemd_job.sh life   signals, reload, watchdog, stop; or unit   log fields, restarts, controls, secret.
# Only the program's path is another, and the bridge to a camera that is not a Pi's comes before it.
set -euo pipefail
cd /host
# This machine shares the code by a folder of the host that the sandbox rightly hides.
mkdir -p /opt/gate-scanner/bin /etc/gate-scanner /srv/frames
cp -r device /opt/gate-scanner/
printf '/opt/gate-scanner\n/opt/gate-scanner/site\n/opt/site\n/opt\n' >/usr/local/lib/python3.13/dist-packages/gate.pth
cp -r site /opt/gate-scanner/
cat >/opt/gate-scanner/bin/gate-scanner <<'P'
#!/usr/bin/python3
import sys
if "run" in sys.argv:
    import virtual_picamera2
from device.cli import main
sys.exit(main())
P
chmod +x /opt/gate-scanner/bin/gate-scanner
install -m 644 systemd/gate-scanner.service /etc/systemd/system/
id gate-scanner >/dev/null 2>&1 || useradd -r -s /usr/sbin/nologin gate-scanner
python3 -m tests.vm.systemd_scene
systemctl unmask -q mosquitto 2>/dev/null || true
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
district=$!
trap 'kill $district' EXIT
python3 -c 'import gpio_sim; gpio_sim.pretend_to_be_a_pi(); print("chip", gpio_sim.SimChip("pinctrl-bcm2711").path)'
udevadm settle
systemctl daemon-reload
# On a busy host this machine stands still, and a start that takes too long is one that systemd repeats.
systemctl start gate-scanner || true
for _ in $(seq 180); do
    systemctl is-active -q gate-scanner && break
    sleep 1
done
systemctl is-active -q gate-scanner || { journalctl -u gate-scanner -n 60 --no-pager -o cat; exit 1; }
echo "started: $(systemctl show -P ActiveState -P SubState gate-scanner | tr '\n' ' ')"
"tests/vm/systemd_$1.sh"
