# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=bash
# To be sourced: two routers on one LAN, each a network namespace with a directory of its own, and modules that run
# inside. Everything is gone when the shell ends, however it ends.

WORK=$(mktemp -d "${TMPDIR:-/tmp}/vgit.XXXXXX")
SITE=vgit-$$
ROUTERS="gw1 gw2"
PYTHON=${ANSIBLE_TEST_PYTHON_INTERPRETER:-$(command -v python3)}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A DAEMONS=()

site_up() {
    trap site_down EXIT
    trap 'exit 130' INT TERM
    local router number=252
    for router in $ROUTERS; do
        ip netns add "$SITE-$router"
        ip -n "$SITE-$router" link set lo up
        ip netns exec "$SITE-$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.default.accept_dad=0
    done
    ip link add vlan10 netns "$SITE-gw1" type veth peer name vlan10 netns "$SITE-gw2"
    {
        echo "routers:"
        echo "  hosts:"
        for router in $ROUTERS; do
            ip -n "$SITE-$router" addr add "198.18.10.$number/24" dev vlan10
            ip -n "$SITE-$router" link set vlan10 up
            number=$((number + 1))
            mkdir "$WORK/$router" "$WORK/$router/run"
            printf '#!/bin/sh\nexec ip netns exec %s %s "$@"\n' "$SITE-$router" "$PYTHON" > "$WORK/$router/python"
            chmod +x "$WORK/$router/python"
            echo "    $router:"
            echo "      ansible_connection: local"
            echo "      ansible_python_interpreter: $WORK/$router/python"
            echo "      home: $WORK/$router"
        done
        echo "  vars:"
        echo "    python: $PYTHON"
    } > "$WORK/inventory.yml"
}

site_play() {
    ansible-playbook -i "$WORK/inventory.yml" "$@"
}

site_install() {
    site_play "$HERE/install.yml"
}

# Start the daemon of a router; it has to have been installed.
site_start() {
    local try
    ip netns exec "$SITE-$1" "$PYTHON" -I "$WORK/$1/lib/current" run \
        --config "$WORK/$1/config.json" --runtime-dir "$WORK/$1/run" > "$WORK/$1/log" 2>&1 &
    DAEMONS[$1]=$!
    for try in $(seq 600); do
        [ -S "$WORK/$1/run/control.sock" ] && return 0
        kill -0 "${DAEMONS[$1]}" 2> /dev/null || break
        sleep 0.1
    done
    echo "the daemon of $1 did not start ($try tries):" >&2
    cat "$WORK/$1/log" >&2
    return 1
}

# Stop the daemon of a router, with a signal of choice.
site_stop() {
    kill "-${2:-TERM}" "${DAEMONS[$1]}" 2> /dev/null || true
    wait "${DAEMONS[$1]}" 2> /dev/null || true
    unset "DAEMONS[$1]"
}

site_down() {
    local status=$? router
    trap - EXIT
    for router in "${!DAEMONS[@]}"; do
        [ $status -eq 0 ] || { echo "--- the log of $router:"; cat "$WORK/$router/log"; } >&2
        site_stop "$router"
    done
    for router in $ROUTERS; do
        ip netns del "$SITE-$router" 2> /dev/null || true
    done
    rm -rf "$WORK"
    exit $status
}
