#!/bin/bash
# Guest side of tests/vm/run: Wi-Fi cards against the real NetworkManager, wpa_supplicant and polkit, as the shipped
# unit and rule let the gate's user reach them; three radios of the kernel, two of them access points.
cd /host
# shellcheck source=tests/vm/systemd_lib.sh
. tests/vm/systemd_lib.sh
for part in NetworkManager wpa_supplicant hostapd iw dnsmasq; do
    command -v $part >/dev/null || { echo "the machine's image has no $part: add network-manager, wpasupplicant, hostapd, iw, dnsmasq-base, polkitd"; exit 1; }
done
modprobe mac80211_hwsim radios=3 || { echo "the machine's kernel has no CONFIG_MAC80211_HWSIM"; exit 1; }
systemctl stop gate-scanner 2>/dev/null || true

# Two access points in a network of their own.
ip netns add air
for n in 1 2; do iw phy phy$n set netns name air; done
point() { # point NUMBER LINES...: an access point that gives addresses
    local n=$1
    shift
    printf '%s\n' interface=wlan"$n" driver=nl80211 hw_mode=g channel=$((1 + 5 * (n - 1))) wpa=2 wpa_key_mgmt=WPA-PSK \
        rsn_pairwise=CCMP utf8_ssid=1 "$@" >/run/point"$n".conf
    ip -n air addr replace 10."$n".0.1/24 dev wlan"$n"
    ip netns exec air hostapd -B -P /run/point"$n".pid /run/point"$n".conf >/run/point"$n".log || { cat /run/point"$n".log; exit 1; }
    [ -e /run/leases"$n".pid ] || ip netns exec air dnsmasq --port=0 --interface=wlan"$n" --bind-interfaces --dhcp-authoritative \
        --dhcp-range=10."$n".0.10,10."$n".0.99,10m --pid-file=/run/leases"$n".pid --dhcp-leasefile=/run/leases"$n"
}
point 1 ssid=home 'wpa_passphrase=home sweet home'
point 2 'ssid2="Chợ Phú Vang"' 'wpa_passphrase=cho phu vang 2026'

systemctl start NetworkManager
in_use() { nmcli -g GENERAL.CONNECTION device show wlan0; }
uses() { [ "$(in_use)" = "$1" ] && nmcli -g GENERAL.STATE device show wlan0 | grep -q '^100'; }
within 30 nmcli device show wlan0 >/dev/null || fail "NetworkManager does not see the radio"
connects_by_hand() { nmcli device wifi connect home password 'home sweet home' >/dev/null 2>&1; }
within 60 connects_by_hand || fail "the access point cannot be joined by hand: nothing here proves anything"
within 30 uses home || fail "not at home"
echo "set up by hand: $(in_use), NetworkManager $(nmcli -v | grep -o '[0-9.]*$')"

# The gate, with a fleet's key, before it first starts.
rm -rf /var/lib/gate-scanner/* /etc/gate-scanner/* /srv/wifi
mkdir -p /srv/wifi
install -o gate-scanner -g gate-scanner -m 600 wifi/provision.key /var/lib/gate-scanner/
install -g gate-scanner -m 640 wifi/provisioner.pub wifi/gate.yaml /etc/gate-scanner/

events() { sqlite3 "file:$journal?mode=ro" 'select data from event' 2>/dev/null; }
count() { events | grep -c -- "$1" || true; }
told_more() { [ "$(count "$1")" -gt "$2" ]; }
shows() { # shows CARD WORD [UNIT]: the camera sees the card until the gate has told the word once more
    local before
    before=$(count "\"$2\"")
    rm -rf /srv/wifi/scene && cp -r "/host/wifi/scenes/$1" /srv/wifi/scene
    systemctl reset-failed "${3:-$unit}" 2>/dev/null || true
    systemctl restart "${3:-$unit}" || fail "the gate does not start"
    within 120 told_more "\"$2\"" "$before" || { events | grep network_ | tail -3; journalctl -u NetworkManager -u "${3:-$unit}" -n 120 -o cat --no-pager; fail "card '$1' is not answered with $2"; }
    systemctl stop "${3:-$unit}"
}

shows wrong wrong_key
within 60 uses home || fail "after a wrong key it is not at home again, but: $(in_use)"
[ "$(nmcli -g NAME connection | grep -c gate-scanner)" = 0 ] || fail "a network that failed is kept"
echo "a wrong key: told, forgotten, home again"

shows right network_joined
within 10 uses 'gate-scanner Chợ Phú Vang' || fail "joined, and yet: $(in_use)"
file=$(grep -l 'cho phu vang 2026' /etc/NetworkManager/system-connections/*)
[ "$(stat -c '%a %U' "$file")" = '600 root' ] || fail "the profile is $(stat -c '%a %U' "$file")"
nmcli -g NAME connection | grep -qx home || fail "the network before is gone"
echo "the right key: joined, kept as $(stat -c '%a %U' "$file"), before home: priority $(nmcli -g connection.autoconnect-priority connection show 'gate-scanner Chợ Phú Vang')"

shows right used
shows elsewhere not_found
within 60 uses 'gate-scanner Chợ Phú Vang' || fail "after one out of reach it is not back, but: $(in_use)"
echo "the same card again: used; a network out of reach: told, and back"

kill "$(cat /run/point2.pid)"
within 120 uses home || fail "the card's network is gone, and yet it is not at home: $(in_use)"
echo "the card's network goes away: home again by itself"
point 2 'ssid2="back office"' ignore_broadcast_ssid=1 'wpa_passphrase=behind the curtain'
shows hidden network_joined
within 10 uses 'gate-scanner back office' || fail "the hidden network: $(in_use)"
echo "a hidden network: joined"

# Neither on a command line nor in a log nor in an event; the card itself neither.
{ journalctl --no-pager -o cat; events; ps -eo args; } | grep -e 'cho phu van[g] 2026' -e 'behind the curtai[n]' -e 'GATECAR[D]' &&
    fail "a secret stands where it must not"
echo "no passphrase in log, event or command line"

rule=/etc/polkit-1/rules.d/50-gate-scanner.rules
mv $rule /root/
sleep 2
shows again not_allowed
uses 'gate-scanner back office' || fail "without the rule it is not where it was: $(in_use)"
mv /root/50-gate-scanner.rules $rule
echo "control, without polkit's rule: not_allowed, and the network stays"

# A device without a configuration; then one whose NetworkManager does not run.
kill "$(cat /run/point2.pid)"
sleep 1
point 2 'ssid2="Chợ Phú Vang"' 'wpa_passphrase=cho phu vang 2026'
install -g gate-scanner -m 640 wifi/first.yaml /etc/gate-scanner/
rm /etc/gate-scanner/gate.yaml
shows bare network_joined gate-provision.service
within 10 uses 'gate-scanner Chợ Phú Vang' || fail "the bare device: $(in_use)"
[ "$(nmcli -g NAME connection | grep -c 'gate-scanner Chợ')" = 1 ] || fail "one network twice"
echo "a device without a configuration: joined; of one network there is one profile"
systemctl stop NetworkManager
rm -f /var/lib/gate-scanner/cards.json
shows again no_manager gate-provision.service
echo "without NetworkManager: no_manager"
