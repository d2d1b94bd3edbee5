#!/bin/bash
# Installs, upgrades or removes gate-scanner on Raspberry Pi OS or Debian, 64-bit, bookworm or trixie.
# Run it from the folder it lies in; `./install.sh --help` says what it takes.
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly app=/opt/gate-scanner            # what the unit runs: a link to one of the releases
readonly releases=/opt/gate-scanner.d     # the release in use, and the one before it
readonly config=/etc/gate-scanner
readonly state=/var/lib/gate-scanner
readonly unit_folder=/etc/systemd/system
# The gate; what waits for the configuration card of a device without one; a district's morning report, which
# whoever wants it enables.
readonly polkit_rule=/etc/polkit-1/rules.d/50-gate-scanner.rules
readonly units=(gate-scanner.service gate-provision.service gate-report.service gate-report.timer)
readonly district=/var/lib/gate-district
readonly watchdog=/etc/systemd/system.conf.d/50-gate-scanner.conf
readonly command_link=/usr/local/bin/gate-scanner
readonly mark_begin='# gate-scanner: begin' mark_end='# gate-scanner: end'
readonly os_release=${OS_RELEASE:-/etc/os-release}

usage() {
    cat <<'TEXT'
sudo ./install.sh [OPTION]...     install, or upgrade what is there
sudo ./install.sh --upgrade       the same, and refuse to begin from nothing
sudo ./install.sh --rollback      back to the release before the last upgrade
sudo ./install.sh --uninstall     remove the program; configuration, events and keys stay
sudo ./install.sh --uninstall --purge-journal     remove events and keys as well: they are lost

  --dry-run        print each command instead of running it; changes nothing, needs no root
  --config DIR     install DIR/gate.yaml and the files beside it, where no configuration is there yet;
                   DIR/first.yaml instead makes a device that waits for its configuration card
  --boot-pins      write the resting level of every output into config.txt, without asking
  --wheels DIR     take the Python packages from DIR instead of the network (scripts/wheelhouse makes it)
TEXT
}

# -- saying and doing ------------------------------------------------------------------------------

say() { printf '\n%s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() {
    printf '\ninstall.sh: %s\n' "$*" >&2
    exit 1
}
do_() { # runs a command, printed first; only printed in a dry run
    local word line=''
    for word in "$@"; do
        if [[ $word =~ ^[[:alnum:]/._:=@,+-]+$ ]]; then line+=" $word"; else line+=" '$word'"; fi
    done
    printf '    $%s\n' "$line"
    [ "$dry" = yes ] || "$@"
}
ask() { # asks for yes or no on a terminal; no where nobody can be asked
    [ "$dry" = no ] && [ -t 0 ] || return 1
    local answer
    read -r -p "    $1 [y/N] " answer
    [[ $answer == [yY]* ]]
}
has_systemd() { [ -d /run/systemd/system ]; }
in_archive() { # whether apt can install a package
    local candidate
    candidate=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')
    [ -n "$candidate" ] && [ "$candidate" != '(none)' ]
}
same() { cmp -s "$1" "$2"; }
put() { # put SOURCE TARGET [MODE]: installs a file unless the same is there
    same "$1" "$2" && return
    changed=yes
    do_ install -D -m "${3:-644}" "$1" "$2"
}
shipped() { echo "$1/share/gate-scanner/systemd/$2"; } # shipped RELEASE FILE: so that an older one brings its own back
drop() { # removes files that are there
    local path
    for path in "$@"; do
        if [ -e "$path" ] || [ -L "$path" ]; then do_ rm -rf "$path"; fi
    done
}
boot_config() { # the firmware's configuration file, where there is one
    local file
    for file in /boot/firmware/config.txt /boot/config.txt; do
        if [ -f "$file" ]; then
            echo "$file"
            return
        fi
    done
}

# -- what kind of machine --------------------------------------------------------------------------

check_machine() {
    local id='' id_like='' codename='' name=''
    # shellcheck source=/dev/null
    id=$(. "$os_release" && echo "${ID:-}") id_like=$(. "$os_release" && echo "${ID_LIKE:-}")
    # shellcheck source=/dev/null
    codename=$(. "$os_release" && echo "${VERSION_CODENAME:-}") name=$(. "$os_release" && echo "${PRETTY_NAME:-}")
    case "$id $id_like" in
        *debian* | *raspbian*) ;;
        *) fail "this is $name; Raspberry Pi OS or Debian is needed" ;;
    esac
    case $codename in
        bookworm | trixie) ;;
        *) fail "this is $name; bookworm or trixie is needed" ;;
    esac
    case $(dpkg --print-architecture) in
        arm64 | amd64) ;;
        *) fail "this system is 32-bit; write the 64-bit image of Raspberry Pi OS to the card" ;;
    esac
    if dpkg-query -W -f '${Status}' gate-scanner 2>/dev/null | grep -q 'ok installed'; then
        fail "gate-scanner is installed as a Debian package: upgrade or remove it with apt"
    fi
    if [ -e $app ] && [ ! -L $app ]; then
        fail "$app was not made by this script: remove it first (sudo rm -r $app); configuration and events stand elsewhere"
    fi
}

# -- installing ------------------------------------------------------------------------------------

install_packages() {
    say "The operating system's packages: Python environments and the library that reads codes"
    do_ apt-get -qq update
    local zbar=libzbar0 wanted=(python3-venv ca-certificates)
    in_archive libzbar0t64 && zbar=libzbar0t64
    wanted+=("$zbar")
    local package
    for package in python3-picamera2 python3-lgpio; do
        if in_archive $package; then
            wanted+=("$package")
        elif [ $package = python3-picamera2 ]; then
            note "the archive has no python3-picamera2: a camera on the ribbon cable will not work, a USB camera will"
        elif [ "$(python3_of_os -c 'import sys; print(sys.version_info >= (3, 13))')" = True ]; then
            note "the archive has no python3-lgpio: lights and relay will not work (panel.driver: mock)"
        fi
    done
    do_ env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${wanted[@]}"
}

python3_of_os() { /usr/bin/python3 "$@" 2>/dev/null || true; }

write_constraints() { # the tested versions; where the system has a numpy, its picamera2 was built for that one
    local numpy
    numpy=$(python3_of_os -c 'import numpy; print(numpy.__version__)')
    case $numpy in
        '') cat "$here/constraints.txt" ;;
        0.* | 1.*)
            grep -viE '^(numpy|opencv-python-headless)==' "$here/constraints.txt"
            printf 'numpy==%s\nopencv-python-headless<4.12\n' "$numpy"
            ;;
        *)
            grep -viE '^numpy==' "$here/constraints.txt"
            printf 'numpy==%s\n' "$numpy"
            ;;
    esac
}

release_name() { # the same for the same program, versions and Python: running this again changes nothing
    local version digest
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/pyproject.toml")
    digest=$(
        cd "$here"
        {
            find device config systemd pyproject.toml setup.py -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum
            write_constraints
            python3_of_os --version
        } | sha256sum | cut -c 1-10
    )
    echo "$version-$digest"
}

source_of_wheel() { # what pip installs: the wheel of the folder given, or the sources copied away from here
    local wheel=''
    if [ -n "$wheels" ]; then
        wheel=$(find "$wheels" -maxdepth 1 -name 'gate_scanner-*.whl' | sort | tail -1)
        [ -n "$wheel" ] || fail "$wheels holds no gate_scanner-*.whl"
    fi
    echo "${wheel:-$scratch/source}"
}

build_release() { # build_release DIRECTORY
    say "The program with its Python packages, in a folder of its own: $1"
    if [ -e "$1/complete" ]; then
        note "is there already, from the same sources"
        return
    fi
    [ "$dry" = yes ] || rm -rf "$1"
    do_ /usr/bin/python3 -m venv --system-site-packages "$1"
    local pip=("$1/bin/pip" --quiet --disable-pip-version-check --no-cache-dir install --constraint "$scratch/constraints.txt")
    if [ -n "$wheels" ]; then pip+=(--no-index --find-links "$wheels"); fi
    if [ "$dry" = no ]; then
        write_constraints >"$scratch/constraints.txt"
        mkdir "$scratch/source"
        # Built from a copy: a build leaves files of root's behind.
        cp -r "$here"/{device,config,systemd,pyproject.toml,setup.py,README.md,LICENSE} "$scratch/source/"
    fi
    do_ "${pip[@]}" "$(source_of_wheel)"
    do_ "$1/bin/python" -c 'import cbor2, cryptography, cv2, gpiozero, jeepney, numpy, paho.mqtt.client, pydantic, pyzbar.pyzbar, zxingcpp'
    if in_archive python3-picamera2; then
        note "the camera's library must go together with these packages:"
        do_ "$1/bin/python" -c 'import picamera2'
    fi
    do_ touch "$1/complete"
}

install_system_files() { # install_system_files RELEASE
    say "The user gate-scanner, its folders, and its way to pins and cameras"
    put "$(shipped "$1" gate-scanner.sysusers)" /etc/sysusers.d/gate-scanner.conf
    put "$(shipped "$1" gate-scanner.tmpfiles)" /etc/tmpfiles.d/gate-scanner.conf
    put "$(shipped "$1" gate-scanner.rules)" /etc/udev/rules.d/60-gate-scanner.rules
    put "$(shipped "$1" gate-scanner.polkit)" $polkit_rule
    do_ systemd-sysusers /etc/sysusers.d/gate-scanner.conf
    do_ systemd-tmpfiles --create /etc/tmpfiles.d/gate-scanner.conf
    if has_systemd && command -v udevadm >/dev/null; then
        do_ udevadm control --reload
        do_ udevadm trigger --subsystem-match=gpio --subsystem-match=dma_heap
    fi
    say "The hardware watchdog: a system that hangs is restarted"
    if ! same "$(shipped "$1" watchdog.conf)" $watchdog; then
        put "$(shipped "$1" watchdog.conf)" $watchdog
        has_systemd && do_ systemctl daemon-reexec
    fi
    return 0
}

install_configuration() { # install_configuration RELEASE
    say "The configuration: $config/gate.yaml"
    if [ -e $config/gate.yaml ] || { [ -e $config/first.yaml ] && [ ! -e "$given_config/gate.yaml" ]; }; then
        note "is there already, and stays as it is"
    elif [ -n "$given_config" ]; then
        find "$given_config" -maxdepth 1 -type f ! -name '.*' -print0 | while IFS= read -r -d '' file; do
            do_ install -m 640 -g gate-scanner "$file" "$config/"
        done
    elif [ "$dry" = no ] && [ -t 0 ]; then
        do_ "$1/bin/gate-scanner" config init $config/gate.yaml
    else
        put "$here/config/door.yaml" $config/gate.example.yaml 640
        note "an example is $config/gate.example.yaml; \`sudo gate-scanner config init\` asks for what is needed"
    fi
}

in_force() { # the configuration that is there: the gate's, else the one for waiting for a card
    local file
    for file in $config/gate.yaml $config/first.yaml; do
        if [ -e "$file" ]; then
            echo "$file"
            return
        fi
    done
}

accepts() { # accepts RELEASE FILE: whether a release can use the configuration, as the user that will run it
    do_ runuser -u gate-scanner -- "$1/bin/gate-scanner" check "$2"
}

link_release() { # at once or not at all: a power cut leaves the old or the new one
    changed=yes
    do_ ln -s "$1" $app.new
    do_ mv -T $app.new $app
}

put_units() { # put_units RELEASE: those of this release; the report's timer stays as enabled as it was
    local unit
    for unit in "${units[@]}"; do put "$(shipped "$1" "$unit")" "$unit_folder/$unit"; done
    [ "$(readlink $command_link 2>/dev/null)" = $app/bin/gate-scanner ] || do_ ln -sfn $app/bin/gate-scanner $command_link
    do_ systemctl enable --quiet gate-scanner.service gate-provision.service
    if has_systemd; then do_ systemctl daemon-reload; fi
}

start_service() { # starts what fits the configuration; whichever it is has camera and pins to itself
    if [ $service = gate-scanner.service ]; then do_ systemctl stop gate-provision.service; fi
    do_ systemctl restart $service
}

switch_to() { # switch_to RELEASE: puts it in force; back to the one before when it does not work
    local new=$1 old='' file
    [ -L $app ] && old=$(readlink $app)
    say "The change-over"
    file=$(in_force)
    if [ "$file" = $config/first.yaml ]; then service=gate-provision.service; fi
    if [ -n "$file" ] && ! accepts "$new" "$file"; then
        [ -n "$old" ] && fail "this release does not accept the configuration: nothing was changed, $old goes on"
        note "mend what is named above, then: sudo systemctl start $service"
        ready_to_start=no
    fi
    [ -n "$file" ] || [ "$dry" = yes ] || ready_to_start=no
    if [ "$old" = "$new" ]; then note "$new is in use already"; else link_release "$new"; fi
    put_units "$new"
    if ! has_systemd; then
        note "systemd does not run here: it starts with the next boot"
    elif [ $ready_to_start = no ]; then
        return
    elif [ $changed = no ] && systemctl is-active --quiet $service; then
        note "$service runs, and goes on"
    elif ! start_service; then
        back_to "$old" "$new"
    fi
}

back_to() { # back_to OLD NEW: what is in force does not start
    local old=$1
    systemctl status --no-pager --lines 20 $service || true
    if [ -z "$old" ] || [ "$old" = "$2" ]; then
        fail "the daemon does not start: see above, or journalctl -u $service"
    fi
    note "it does not start: back to $old"
    link_release "$old"
    put_units "$old"
    start_service
    fail "the new release does not start; $old runs again"
}

tidy_releases() { # only the release in use and the one before it stay
    local new=$1 old=$2 path
    if [ -n "$old" ] && [ "$old" != "$new" ]; then
        do_ ln -sfn "$old" $releases/previous
    fi
    [ -d $releases ] || return 0
    for path in "$releases"/*; do
        case $path in
            "$new" | "$releases/previous" | "$(readlink "$releases/previous" 2>/dev/null)") ;;
            *) drop "$path" ;;
        esac
    done
}

offer_boot_pins() { # offer_boot_pins RELEASE
    local file lines=''
    file=$(boot_config)
    [ -n "$file" ] || return 0
    say "What the outputs rest at while the Raspberry Pi starts: $file"
    if [ ! -e $config/gate.yaml ]; then
        note "later, when there is a configuration: sudo ./install.sh --boot-pins"
        return
    fi
    if [ -x "$1/bin/gate-scanner" ]; then lines=$("$1/bin/gate-scanner" config boot-pins --config $config/gate.yaml || true); fi
    if [ -z "$lines" ]; then
        note "nothing to do: the configuration drives no pins"
    elif [ "$(sed -n "/^$mark_begin/,/^$mark_end/p" "$file" | grep '^gpio=')" = "$lines" ]; then
        note "is there already"
    elif [ $boot_pins = yes ] || ask "write ${lines//$'\n'/ } so that a door does not open meanwhile?"; then
        note "writes: ${lines//$'\n'/ }"
        if [ "$dry" = no ]; then write_boot_pins "$file" "$lines"; fi
    else
        note "not written; later: sudo ./install.sh --boot-pins"
    fi
}

write_boot_pins() { # write_boot_pins FILE LINES: replaces our lines, an empty LINES removes them
    cp "$1" "$1.gate-scanner"
    sed "/^$mark_begin/,/^$mark_end/d" "$1.gate-scanner" >"$1"
    if [ -n "$2" ]; then printf '%s\n[all]\n%s\n%s\n' "$mark_begin" "$2" "$mark_end" >>"$1"; fi
    sync "$1"
    rm "$1.gate-scanner"
}

install_all() {
    local release old=''
    [ -L $app ] && old=$(readlink $app)
    if [ $upgrade_only = yes ] && [ -z "$old" ]; then fail "there is nothing to upgrade: run it without --upgrade"; fi
    if [ -n "$given_config" ] && [ ! -f "$given_config/gate.yaml" ] && [ ! -f "$given_config/first.yaml" ]; then
        fail "there is neither gate.yaml nor first.yaml in $given_config"
    fi
    install_packages
    release=$releases/$(release_name)
    build_release "$release"
    install_system_files "$release"
    install_configuration "$release"
    switch_to "$release"
    tidy_releases "$release" "$old"
    offer_boot_pins "$release"
    say "Done."
    if [ "$dry" = yes ]; then
        note "(a dry run: nothing was changed)"
    elif [ $ready_to_start = yes ] && [ $service = gate-provision.service ]; then
        note "it blinks blue and waits for its configuration card; its log: journalctl -fu gate-provision"
    elif [ $ready_to_start = yes ]; then
        note "the gate's state:      systemctl status gate-scanner"
        note "after a change of it:  sudo systemctl reload gate-scanner"
    else
        note "next: write $config/gate.yaml (sudo gate-scanner config init), then sudo systemctl start gate-scanner"
    fi
}

roll_back() {
    local previous
    previous=$(readlink $releases/previous 2>/dev/null || true)
    [ -e "${previous:-/nowhere}/complete" ] || fail "there is no release to go back to"
    local current
    current=$(readlink $app)
    install_system_files "$previous"
    switch_to "$previous"
    do_ ln -sfn "$current" $releases/previous
    say "Done: $previous is in use; the same command goes forward again."
}

# -- removing --------------------------------------------------------------------------------------

uninstall() {
    say "The daemon is stopped and the program removed"
    local unit now=() file
    if has_systemd; then now=(--now); fi
    for unit in "${units[@]}"; do
        if [ -e "$unit_folder/$unit" ]; then do_ systemctl disable --quiet "${now[@]}" "$unit"; fi
    done
    drop "${units[@]/#/$unit_folder/}" $command_link $app $releases /etc/udev/rules.d/60-gate-scanner.rules $polkit_rule \
        $watchdog /etc/sysusers.d/gate-scanner.conf /etc/tmpfiles.d/gate-scanner.conf
    if has_systemd; then
        do_ systemctl daemon-reload
        do_ systemctl daemon-reexec
    fi
    file=$(boot_config)
    if [ -n "$file" ] && grep -q "^$mark_begin" "$file"; then
        note "removes the resting levels from $file"
        if [ "$dry" = no ]; then write_boot_pins "$file" ''; fi
    fi
    if [ $purge = yes ]; then
        say "Events and keys are deleted; what was not delivered is lost"
        drop $state
        if id gate-scanner >/dev/null 2>&1; then
            [ ! -d $config ] || do_ chgrp -R root $config
            do_ userdel gate-scanner
        fi
        if [ ! -e $district ] && id gate-district >/dev/null 2>&1; then do_ userdel gate-district; fi
        note "the configuration stays: $config"
    else
        say "Done. Configuration, events and keys stay: $config, $state"
    fi
}

# -- what was asked --------------------------------------------------------------------------------

dry=no action=install upgrade_only=no purge=no boot_pins=no given_config='' wheels=''
ready_to_start=yes changed=no service=gate-scanner.service
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry=yes ;;
        --upgrade) upgrade_only=yes ;;
        --rollback) action=rollback ;;
        --uninstall) action=uninstall ;;
        --purge-journal) purge=yes ;;
        --boot-pins) boot_pins=yes ;;
        --config | --wheels)
            [ -d "${2:-/nowhere}" ] || fail "$1 needs a folder"
            folder=$(cd "$2" && pwd)
            if [ "$1" = --config ]; then given_config=$folder; else wheels=$folder; fi
            shift
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "what is $1?"
            ;;
    esac
    shift
done
if [ $purge = yes ] && [ $action != uninstall ]; then fail "--purge-journal goes with --uninstall"; fi
if [ "$dry" = no ] && [ "$(id -u)" != 0 ]; then fail "root is needed: sudo ./install.sh"; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'printf "\ninstall.sh: stopped at line %s: the command above did not work\n" "$LINENO" >&2' ERR
umask 022
check_machine
case $action in
    install) install_all ;;
    rollback) roll_back ;;
    uninstall) uninstall ;;
esac
