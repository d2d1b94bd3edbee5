#!/bin/bash
# Guest side of tests/vm/run: the shipped unit, as it is, runs the daemon on a camera and pins under systemd.
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
# The broker wants a password, and the daemon has it from systemd: no file that its user can read holds it.
mkdir -p /etc/credstore /etc/systemd/system/gate-scanner.service.d /run/broker
install -m 600 <(printf 'a word for the broker') /etc/credstore/mqtt-password
printf '[Service]\nLoadCredential=mqtt-password:/etc/credstore/mqtt-password\n' >/etc/systemd/system/gate-scanner.service.d/credential.conf
mosquitto_passwd -b -c /run/broker/passwords gate 'a word for the broker'
printf 'listener 1883 127.0.0.1\nallow_anonymous false\npassword_file /run/broker/passwords\nuser root\n' >/run/broker/conf
mosquitto -d -c /run/broker/conf >/dev/null 2>&1
until mosquitto_pub -u gate -P 'a word for the broker' -t up -n 2>/dev/null; do sleep 0.5; done
mosquitto_sub -u gate -P 'a word for the broker' -V 5 -q 1 -t 'gate/v1/+/+/+/event' >/run/broker/events &
district=$!
trap 'kill $district' EXIT
python3 -c 'import gpio_sim; gpio_sim.pretend_to_be_a_pi(); print("chip", gpio_sim.SimChip("pinctrl-bcm2711").path)'
udevadm settle
systemctl daemon-reload
systemctl start gate-scanner || { journalctl -u gate-scanner -n 60 --no-pager -o cat; exit 1; }
echo "started: $(systemctl show -P ActiveState -P SubState gate-scanner | tr '\n' ' ')"
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
tests/vm/systemd_more.sh
begun=$(date +%s%N)
systemctl stop gate-scanner
echo "stopped after $((($(date +%s%N) - begun) / 1000000)) ms: $(systemctl show -P Result gate-scanner)"
[ "$(systemctl show -P Result gate-scanner)" = success ] || { echo "it did not stop in time"; exit 1; }
python3 -m device events --journal /var/lib/gate-scanner/journal.db --verify
ls -la /var/lib/gate-scanner
journalctl -u gate-scanner -n 40 --no-pager -o cat
