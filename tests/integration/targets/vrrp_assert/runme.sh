#!/usr/bin/env bash
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
# shellcheck disable=SC1091  # it is checked by itself
source ../setup_routers/site.sh
site_up
site_install
site_play configure.yml "$@"
site_start gw1
site_start gw2
site_play both.yml "$@"
# One fork: the routers are asked one after the other.
site_play --forks 1 both.yml "$@"
# The master dies without a word: the other one takes over.
site_stop gw1 KILL
ip netns exec "$SITE-gw1" "$PYTHON" -I "$WORK/gw1/lib/current" cleanup --runtime-dir "$WORK/gw1/run"
site_play one_left.yml "$@"
