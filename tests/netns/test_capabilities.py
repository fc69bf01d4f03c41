# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine says about a host before it starts there."""

from __future__ import annotations

import json
import os
from typing import Any, Callable

import pytest
from namespaces import Site

from vrrp.linux import capabilities


@pytest.mark.kernel("nftables")
def test_everything_is_there(site: Site) -> None:
    before = site.router.ip("link")
    with site.router.inside():
        found = capabilities.features()
        assert capabilities.missing(accept_off=True, ipv6=True) == ()
    assert found == dict.fromkeys(found, True)
    assert site.router.ip("link") == before


def test_sysctls_that_overrule_ours_are_named(site: Site) -> None:
    site.router.sysctl("net/ipv4/conf/all/arp_ignore", "2")
    site.router.sysctl("net/ipv4/conf/all/arp_filter", "1")
    with site.router.inside():
        ignore, filtering = capabilities.missing()
    assert "net.ipv4.conf.all.arp_ignore is 2" in ignore
    assert "set it to 0" in ignore
    assert "net.ipv4.conf.all.arp_filter is 1" in filtering


def test_without_privileges_it_says_what_to_do() -> None:
    found, sentences = as_nobody(lambda: (capabilities.features(), capabilities.missing()))
    assert not found["net_admin"] and not found["raw_sockets"]
    assert "run as root or with CAP_NET_ADMIN" in sentences[0]
    assert "run as root or with CAP_NET_RAW" in sentences[1]


def as_nobody(question: Callable[[], Any]) -> Any:
    """The answer of a child process that has given up all privileges."""
    assert capabilities.features()["pyroute2"], "imported here, as nobody may not read it"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(writer, json.dumps(question()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        answer = file.read()
    os.waitpid(child, 0)
    return json.loads(answer)
