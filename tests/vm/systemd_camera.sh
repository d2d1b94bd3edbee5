#!/bin/bash
# Guest side of tests/vm/run, while the unit runs: a USB camera that stalls, goes away, stays away, is in use.
# What is wrong must stand in the log and in the status line; what comes back must be scanned again by itself.
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh

modprobe v4l2loopback devices=1 video_nr=9 exclusive_caps=1
modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=7
udevadm settle
camera_is() { sed -i "s|^camera:|camera:\n  v4l2: {device: $1}|; s|source: .*|source: v4l2|; s|stall_s: .*|stall_s: 3|" $config; }
plug_in() {
    : >/run/player
    /opt/gate-scanner/bin/python -m tests.vm.usb_player >/run/player &
    player=$!
    within 60 grep -q playing /run/player || fail "the test's camera does not start"
}
scans() { gate-scanner events --journal $journal --json | grep -c '"outcome":"granted"' || true; }
scans_again() { # scans_again WHAT: people are let in from now on
    local before
    before=$(scans)
    more() { [ "$(scans)" -gt "$before" ]; }
    within 90 more || fail "$1: nobody is read afterwards"
    within 30 status_says '^ready: [^/]*$' || fail "$1: the status still names it"
}
named() { # named WHAT WORDS: in the log and in the status line
    within 60 said "$2" || fail "$1: not in the log"
    within 60 status_says "$2" || fail "$1: not in the status line"
    echo "$1: $(value StatusText)"
}

cp $config /tmp/ribbon.yaml
plug_in
camera_is /dev/video9
systemctl restart $unit || fail "it does not start with a USB camera"
scans_again "a USB camera"
main=$(value MainPID)
echo "a USB camera: people are read and let in"

kill -USR1 $player
named "silent" '/dev/video9 gave no frame'
lines_seen 22 || fail "silent: no fault is shown"
kill -USR2 $player
within 60 said '/dev/video9 gives frames again' || fail "silent: it does not come back"
scans_again "silent"
is MainPID "$main" || fail "silent: not the same process"
echo "silent, and speaks again: goes on in the same process"

starts=$(value NRestarts)
kill $player
wait $player || true
named "pulled out" 'dev/video9.*\(check its plug\|cannot be used\|gave no frame\)'
within 90 is NRestarts $((starts + 1)) || fail "pulled out for good: not handed to systemd"
within 60 said '/dev/video9 cannot be used' || fail "pulled out for good: the next start does not name it"
echo "stays away: handed to systemd after $(journalctl -u $unit -o cat --no-pager | grep -c 'opening it again') openings:" \
    "$(journalctl -u $unit -o cat --no-pager | grep 'capture died' | tail -1)"
plug_in
within 120 active || fail "plugged in: not up by itself"
scans_again "plugged in"
echo "plugged in again: scanning, after $(value NRestarts) restarts by systemd, without a hand"

# By another program: vivid gives its pictures to one at a time.
cp /tmp/ribbon.yaml $config
camera_is /dev/video7
v4l2-ctl -d /dev/video7 --stream-mmap --stream-to=/dev/null >/dev/null 2>&1 &
holder=$!
systemctl restart --no-block $unit
named "in use" '/dev/video7 cannot be used: no camera, or in use by another program'
kill $holder
within 90 status_says '^ready' || fail "in use: not up once it is free"
echo "free again: ready by itself, $(value NRestarts) restarts"
gate-scanner events --journal $journal --verify || fail "the journal"
