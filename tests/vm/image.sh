#!/bin/bash
# image.sh CACHE OUT   a copy of the machine in the folder CACHE with gate-scanner installed in it, as a technician
# installs it: install.sh with a wheelhouse and a configuration. Kept in OUT until a source of it changes. Needs root
# (a loop device, chroot) and Debian's archive for what install.sh takes from there.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=$1 out=$(mkdir -p "$2" && cd "$2" && pwd)

sources=(device config systemd install.sh pyproject.toml setup.py constraints.txt scripts tests/vm/guest tests/vm/given.py tests/vm/image.sh)
digest=$({
    find "${sources[@]}" -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum
    stat -c '%s %Y' "$cache/root.ext4"
} | sha256sum | cut -c 1-16)
ln -sfn "$(realpath "$cache/linux")" "$out/linux"
[ "$(cat "$out/digest" 2>/dev/null)" != "$digest" ] || exit 0
echo "== installing into the machine's image"
began=$SECONDS
rm -f "$out/digest"
scripts/wheelhouse "$out/wheels" 3.13 x86_64 >"$out/log" 2>&1 || { tail -20 "$out/log" >&2; exit 1; }
cp --sparse=always "$cache/root.ext4" "$out/root.ext4"
truncate -s +1G "$out/root.ext4"
e2fsck -fp "$out/root.ext4" >/dev/null || [ $? -le 1 ]
resize2fs "$out/root.ext4" >/dev/null 2>&1
# A machine that is reset must find its disk whole, as a Raspberry Pi does.
tune2fs -O has_journal "$out/root.ext4" >/dev/null

install_in() { # install_in ROOT
    local root=$1
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    # What stands for the operating system of a Pi: its picamera2 and lgpio, its pins, its camera.
    local site=$root/usr/local/lib/python3.13/dist-packages
    mkdir -p "$site" "$root/srv/frames" "$root/root/source" "$root/root/wheels" "$root/root/given"
    install -m 644 tests/vm/guest/camera_bridge.py "$site/"
    printf '/opt/site\n/opt\nimport camera_bridge\n' >"$site/system.pth"
    install -m 644 tests/vm/guest/simulated_pi.py "$root/opt/"
    install -m 644 tests/vm/guest/simulated-pi.service "$root/etc/systemd/system/"
    .venv/bin/python -m tests.vm.given "$root/root/given" "$root/srv/frames"
    cp -r device config systemd install.sh pyproject.toml setup.py constraints.txt README.md LICENSE "$root/root/source/"
    mount --bind -o ro "$out/wheels" "$root/root/wheels"
    mount -t proc proc "$root/proc"
    mount --rbind --make-rslave /dev "$root/dev"
    chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh -ec '
        /opt/virtual-camera /srv/frames
        systemctl -q enable simulated-pi.service
        cd /root/source
        ./install.sh --config /root/given --wheels /root/wheels
        rm -rf /root/source /root/given /var/lib/apt/lists/*'
}
export out
export -f install_in
# No mount namespace of its own: that would keep alive whatever else is mounted here just now.
root=$(mktemp -d)
trap 'umount -R "$root" 2>/dev/null || :; rmdir "$root"' EXIT
mount -o loop "$out/root.ext4" "$root"
# shellcheck disable=SC2016 # for the inner shell
bash -euo pipefail -c 'install_in "$1"' - "$root" >>"$out/log" 2>&1 || { tail -20 "$out/log" >&2; exit 1; }
umount -R "$root"
echo "$digest" >"$out/digest"
echo "installed in $((SECONDS - began)) s"
