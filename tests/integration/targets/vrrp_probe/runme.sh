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
site_play test.yml "$@"
