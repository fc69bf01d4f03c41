# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advertisements as frames, for those who listen."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.facts import family_of
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.advertisement import (
    Advertisement,
    encode_advertisement,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.checksum import ChecksumForm
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.constants import (
    MULTICAST_GROUP,
    virtual_mac,
)
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.ethernet import vrrp_frame
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.wire.ip import (
    IpHeader,
    build_ipv4,
    build_ipv6,
)


def make_advert(source="198.18.10.252", vrid=10, addresses=("198.18.10.254",), **more):
    """The frame of an advertisement. more: fields of it, mac, ttl, form."""
    given = {"version": 3, "priority": 200, "interval_cs": 100, "ttl": 255, "mac": None, **more}
    octets = ipaddress.ip_address(source).packed
    family = family_of(octets)
    header = IpHeader(octets, MULTICAST_GROUP[family], given.pop("ttl"), family)
    mac = given.pop("mac") or virtual_mac(family, vrid)
    form = given.pop("form", ChecksumForm.MESSAGE)
    listed = tuple(ipaddress.ip_address(each).packed for each in addresses)
    message = encode_advertisement(
        Advertisement(vrid=vrid, addresses=listed, **given), header, form
    )
    packet = build_ipv4(header, message, 1) if len(octets) == 4 else build_ipv6(header, message)
    return vrrp_frame(mac, family, packet)


@pytest.fixture
def advert():
    """Makes frames of advertisements."""
    return make_advert
