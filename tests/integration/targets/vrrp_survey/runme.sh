#!/usr/bin/env bash
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
set -eux
# shellcheck disable=SC1091  # it is checked by itself
source ../setup_routers/site.sh
site_up
site_play bare.yml "$@"
site_install
site_play configure.yml "$@"
site_start gw1
site_start gw2
site_play running.yml "$@"
# Nobody but its sockets and its name makes it a speaker.
mkdir "$WORK/other"
ip netns exec "$SITE-gw2" "$PYTHON" -I -c '
import signal, socket
kept = [socket.socket(family, socket.SOCK_RAW, 112) for family in (socket.AF_INET, socket.AF_INET6)]
open("/proc/self/comm", "w").write("keepalived")
print("ready", flush=True)
signal.pause()
' > "$WORK/other/log" 2>&1 &
DAEMONS["other"]=$!
for _ in $(seq 100); do
    grep -q ready "$WORK/other/log" && break
    sleep 0.1
done
site_play others.yml -e "other=${DAEMONS["other"]}"
