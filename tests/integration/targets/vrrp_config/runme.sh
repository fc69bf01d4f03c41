#!/usr/bin/env bash
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
# shellcheck disable=SC1091  # it is checked by itself
source ../setup_routers/site.sh
site_up
site_play without_engine.yml "$@"
site_install
site_play without_daemon.yml "$@"
site_start gw1
site_play with_daemon.yml "$@"
site_play on_probation.yml "$@"
site_play in_parts.yml "$@"
# Whatever is done with a password, nobody who reads what Ansible says learns it.
SECRET=hush$((RANDOM % 1000))
SECRET=$SECRET site_play secrets.yml -vvv > "$WORK/said" 2>&1 || { cat "$WORK/said"; exit 1; }
grep -q "$SECRET" "$WORK/gw1/config.json"
if grep "$SECRET" "$WORK/said"; then exit 1; fi
