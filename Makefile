# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The words everybody types. `make help` explains them; CI calls the same ones.
# Each installs what it needs first: Debian packages (as root), .venv, and the self-link in .collections.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export LC_ALL := C.UTF-8
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# No .pyc beside the sources: root's runs would leave files that the next user cannot write.
export PYTHONDONTWRITEBYTECODE := 1

PYTHON := .venv/bin/python
RUNTIME := .venv/.stamp-runtime
DEV := .venv/.stamp-dev

.PHONY: help
help: ## this list
	@echo "make WORD, where WORD is one of"
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r word text; do printf '%-14s %s\n' "$$word" "$$text"; done

$(RUNTIME): tools/bootstrap $(wildcard requirements*.txt constraints.txt tests/lab/requirements-apt.txt)
	@tools/bootstrap runtime

$(DEV): tools/bootstrap $(wildcard requirements*.txt constraints.txt tests/lab/requirements-apt.txt)
	@tools/bootstrap dev

.PHONY: setup
setup: $(RUNTIME) $(DEV) ## Debian packages (as root), .venv and the self-link; the other words do it by themselves

.PHONY: demo
demo: $(RUNTIME) ## a whole site on this machine: roll-out, table of masters, and a drill under traffic (root)
	@$(PYTHON) -m tests.lab demo

.PHONY: lab lab-down lab-enter
lab: $(RUNTIME) ## the demo's site, left standing; prints how to enter it (root)
	@$(PYTHON) -m tests.lab up
lab-down: $(RUNTIME) ## remove what `make lab` made (root)
	@$(PYTHON) -m tests.lab down
lab-enter: $(RUNTIME) ## a shell on the controller of the standing lab (root)
	@$(PYTHON) -m tests.lab enter

.PHONY: check
check: $(DEV) ## under 60 s: format, types, layers, tidy, unit tests on one Python
	@tests/run check

.PHONY: test
test: $(DEV) ## everything CI runs, about three quarters of an hour on two cores (root)
	@tests/run

.PHONY: test-matrix
test-matrix: $(DEV) ## ansible-test sanity on newer ansible-core too, where a Python for them is found
	@tests/run matrix

COMMIT = $$(git -c safe.directory='*' rev-parse --short HEAD 2>/dev/null || echo '?')

.PHONY: sim sim-long
sim: ## replay one simulated history: SEED=n; columns: second, host, virtual router, states, reason, priority
	@PYTHONPATH=plugins/module_utils python3 -m vrrp simulate --seed $${SEED:-0} --commit "$(COMMIT)"
sim-long: ## 100,000 histories over all processors, from SEED on; stops at the first that breaks a promise
	@python3 tools/simulate_long.py --seed $${SEED:-0} --count $${COUNT:-100000} --commit "$(COMMIT)"

.PHONY: fuzz
fuzz: $(DEV) ## fuzz the decoders: TIME=seconds for each, TARGET=packets|solicitations|config|control|journal, SEED=n, INPUT=file
	@$(PYTHON) -m tests.fuzz --seconds $(or $(TIME),60) $(if $(TARGET),--target $(TARGET)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(INPUT),--input $(INPUT))

.PHONY: uml
uml: $(DEV) ## all tests with real sockets in a kernel of their own: over 802.1Q, untagged, on bad cables
	@tests/run uml-all

.PHONY: lab-all
lab-all: $(DEV) ## all tests on systemd routers: faults in each step of a roll-out, drills, examples too; half an hour (root)
	@tests/run lab-all

.PHONY: interop
interop: $(DEV) ## the whole matrix with keepalived and FRR, some minutes (root); UPDATE_INTEROP=1 writes docs/interop.md
	@tests/run interop-all

.PHONY: bench
bench: $(DEV) ## cost and punctuality beside keepalived, 25 minutes (root); QUICK=1, SHAPES=, ROUNDS=, SEED=; UPDATE_BENCH=1 writes docs/performance.*
	@$(PYTHON) -m tests.bench $(if $(QUICK),--quick) $(if $(SHAPES),--shapes $(SHAPES)) \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(if $(UPDATE_BENCH),--write)

.PHONY: molecule molecule-all molecule-mine
molecule: $(DEV) ## a Molecule scenario on systemd routers (root): SCENARIO=default|change|upgrade|rollback|drill, DEBIAN=11|12|13
	@VLANGATE_DEBIAN=$(or $(DEBIAN),12) molecule test -s $(or $(SCENARIO),default)
molecule-all: $(DEV) ## every scenario on each of the three (root)
	@tests/run molecule-all
molecule-mine: $(DEV) ## your own inventory in the lab (root): INVENTORY=path, BEFORE=, GROUP=, DEBIAN=, LOSS=; docs/testing-your-site.md
	@VLANGATE_INVENTORY=$(abspath $(or $(INVENTORY),$(error INVENTORY=path of your inventory))) \
	  VLANGATE_BEFORE=$(abspath $(BEFORE)) VLANGATE_GROUP=$(or $(GROUP),gateways) VLANGATE_LOSS=$(or $(LOSS),2) \
	  VLANGATE_DEBIAN=$(or $(DEBIAN),12) molecule test -s mine

.PHONY: engine
engine: $(RUNTIME) ## build/vlangate, the engine as one runnable release
	@$(PYTHON) tools/build_engine.py

.PHONY: docs
docs: $(DEV) ## the site of the documentation, in docs/_site
	@tools/build_docs

.PHONY: constraints
constraints: ## renew constraints.txt after a change of requirements.txt or requirements-dev.txt
	@tools/renew_constraints

.PHONY: clean
clean: ## remove everything that was made here (not the lab's cache of root file systems)
	@rm -rf build docs/_site .venv .cache .collections .pytest_cache .mypy_cache .ruff_cache .hypothesis .ansible tests/output
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
