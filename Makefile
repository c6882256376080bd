# Each target sets up what it needs by itself; `make help` lists them.
.SUFFIXES:

VENV = .venv
PYTHON = $(VENV)/bin/python
KELDIM = $(VENV)/bin/keldim
WINDOW = $(VENV)/bin/keldim-window
PACKS = $(CURDIR)/build/packs
PYTEST_ARGS =
# Two processes halve the time; a third would make what is played at the pace of life late. Files stay whole because their
# fixtures are dear, and what takes long is begun first (tests/folders.py).
PYTEST_PROCESSES = 2
LOCK_ARGS =
DEB_ARGS =
# Lines and branches of the whole tree; it may only go up. What judges and what proves is covered to the last branch.
COVERAGE_FLOOR = 88
COVERED_WHOLLY = appliance/core/*,appliance/matching/*,sync/envelope.py,sync/signing.py,sync/ledger.py,sync/outbox.py,sync/protocol.py,sync/merkle.py,sync/tiles.py,sync/note.py,sync/log_checkpoint.py

# Where model packs live; a desk in production sets it to its own data directory.
KELDIM_PACKS ?= $(PACKS)
export KELDIM_PACKS

.PHONY: help setup setup-window setup-tpm setup-dev pack demo run test check lint types contracts format docs bench lock deb deb-check clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

setup: ## make .venv with what a desk needs
	@sh requirements/setup.sh runtime

setup-window: ## add the system packages that the window needs
	@sh requirements/setup.sh window

setup-tpm: ## add what a device key in a TPM needs
	@sh requirements/setup.sh tpm

setup-dev: ## make .venv with what the tests need on top
	@sh requirements/setup.sh dev

# A pack that does not open any more (an older format, a damaged file) is made again.
pack: setup ## build the builtin model pack, unless a good one is there
	@$(KELDIM) models verify builtin >/dev/null 2>&1 || $(KELDIM) models pull builtin

demo: pack ## play a day of the demonstration clinic, from camera frame to the fund's verified record
	@if $(PYTHON) -c 'import PySide6.QtQuick' 2>/dev/null; then \
	  $(WINDOW) demo --pictures build/screens && echo "pictures of the window: build/screens"; \
	else echo "NOT SHOWN: the window needs system packages: make setup-window"; $(KELDIM) demo; fi

run: setup-window pack ## open the window over the demonstration clinic; without a screen, save pictures of it
	@$(WINDOW) demo $(if $(DISPLAY)$(WAYLAND_DISPLAY),,--pictures build/screens)

test: setup-dev ## lint and types, then all tests with coverage; the import contracts are one of them
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint types pack
	$(PYTHON) -m pytest -n $(PYTEST_PROCESSES) --dist loadfile --no-loadscope-reorder --cov --cov-fail-under=$(COVERAGE_FLOOR) $(PYTEST_ARGS)
	$(PYTHON) -m coverage report --include='$(COVERED_WHOLLY)' --fail-under=100

check: setup-dev ## the quick part of `make test`
	@$(MAKE) --no-print-directory lint types contracts

lint: setup-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: setup-dev
	$(PYTHON) -m mypy

contracts: setup-dev
	$(VENV)/bin/lint-imports

format: setup-dev ## lay out the code and mend what ruff can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

docs: setup-dev ## write the generated parts of ARCHITECTURE.md
	$(PYTHON) -m tests.architecture.generated

bench: pack ## time each step of a check-in
	@$(KELDIM) bench

# insightface asks for opencv-python; the headless wheel is the same cv2 without windows, and both would overwrite each other.
lock: setup-dev ## resolve requirements/*.in again; newest versions with LOCK_ARGS=--upgrade
	@for name in runtime tpm tpm-build dev; do \
	  $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --no-emit-package opencv-python $(LOCK_ARGS) \
	    "requirements/$$name.in" \
	    --output-file "requirements/$$name.lock"; done

deb: setup ## build the Debian packages into build/deb (Debian 12)
	@$(PYTHON) -m firmware_notes.debian --out build/deb $(DEB_ARGS)

# A bare Debian, a second version, activation, roll-back, purge; then under systemd. Root, debootstrap, systemd-container, a mirror.
deb-check: pack ## install the Debian packages in a bare Debian 12 and try them: half an hour
	@$(PYTHON) -m firmware_notes.debian --out build/deb-check --level 1
	@$(PYTHON) -m firmware_notes.debian --out build/deb-check --level 1 --version 999.0
	@sh firmware_notes/debian/check.sh build/deb-check "$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" 999.0 $(PACKS)
	@sh firmware_notes/debian/check_booted.sh build/deb-check/root "$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" 999.0

clean: ## remove what was built, but neither .venv nor any desk's data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
