# Every target does its own set-up. `make demo` and `make test` are the two to know.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# On a Raspberry Pi picamera2 and lgpio come from the operating system, so its Python is used there.
PYTHON ?= $(shell if [ -d /usr/lib/python3/dist-packages/picamera2 ]; then echo /usr/bin/python3; else command -v python3; fi)
SITE := $(shell if [ -d /usr/lib/python3/dist-packages/picamera2 ]; then echo --system-site-packages; fi)
VM ?=
CHECKS ?=
SUITE ?= bookworm
ARCH ?= arm64
ROOTS ?=

.PHONY: help venv apt apt-test demo check test torture bench docs test-vm test-install deb clean

help:
	@echo "make demo    a gate in this terminal: replayed people, a real broker, no hardware"
	@echo "make test    everything, real broker and real processes included"
	@echo "make check   format, lint, types, layers, fast tests"
	@echo "make bench   the figures of the README, measured on this machine"
	@echo "make torture the long form of the crash tests"
	@echo "make docs    write the generated references anew"
	@echo "make deb     a Debian package; SUITE=bookworm or trixie, ARCH=arm64 or amd64"
	@echo "make test-install   install.sh and the package in real Debian roots (root, network, 15 minutes); ARCH=arm64: emulated"
	@echo "make test-vm VM=DIR   kernel GPIO, libcamera and systemd in a user-mode Linux machine; CHECKS=power_cuts: its plug"

venv: apt $(STAMP)

$(STAMP): pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv $(SITE) $(VENV) || { echo "python3-venv is missing: apt install python3-venv" >&2; exit 1; }
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# libzbar0 is the shared library that pyzbar loads.
apt:
	@scripts/apt-ensure libzbar.so.0:libzbar0

apt-test: apt
	@scripts/apt-ensure mosquitto:mosquitto mosquitto_pub:mosquitto-clients systemd-analyze:systemd openssl:openssl dbus-daemon:dbus-daemon \
		chromium:chromium mkfs.ext4:e2fsprogs losetup:mount ip:iproute2 shellcheck:shellcheck \
		/usr/include/asm-generic/unistd.h:linux-libc-dev

demo: venv
	$(BIN)/gate-scanner demo

# Fast tests compute: one a core. Slow ones mostly wait for processes of theirs: one more.
check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -m "not slow" --examples=40 -n 2 --dist worksteal

test: apt-test check
	$(BIN)/pytest -q -m "slow and not torture" -n 3 --dist worksteal
	@tests/vm/missing "$(VM)" && echo "kernel GPIO, camera, systemd: make test-vm VM=$(VM)" || \
		echo "left out for that reason: make test-vm (kernel GPIO, camera, systemd, watchdog)"

torture: apt-test venv
	$(BIN)/pytest -q -m torture --timeout=3600

bench: apt-test venv
	@for script in bench/*.py; do echo "== $$script"; PYTHONPATH=. $(BIN)/python $$script || exit 1; done

docs: venv
	$(BIN)/python -m device.config.schema --write
	$(BIN)/python -m device.uplink.contract --write

test-vm: venv
	tests/vm/run "$(VM)" $(CHECKS)

deb: venv
	scripts/build-deb $(SUITE) $(ARCH)

test-install: venv
	@scripts/apt-ensure debootstrap:debootstrap lintian:lintian dpkg-deb:dpkg
	tests/install/run $(ROOTS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
