# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the VLAN table says about router advertisements: true, or a mapping. Layer L2."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, List, Mapping, Sequence

from ..errors import Problem
from ..facts import InterfaceAddress
from .gateway_addresses import Network
from .gateway_fields import ADVERTISEMENT_FIELDS
from .model import AdvertisedPrefix, RouterAdvertisements
from .parse import is_sound, router_advertisements
from .reading import read, shown
from .validate import router_advertisement_problems

# RFC 4862 section 5.5.3: hosts make themselves addresses in no other.
_AUTONOMOUS_LENGTH = 64


def read_advertisements(
    written: Any, networks: Sequence[Network], path: str, problems: List[Problem]
) -> RouterAdvertisements:
    """What hosts are told. networks: the IPv6 ones of the VLAN, told unless prefixes are named."""
    if written is False:
        return RouterAdvertisements()
    if written is not True and not isinstance(written, Mapping):
        hint = "write true, or a mapping of what hosts are told"
        problems.append(Problem(path, "type", "is %s" % shown(written), hint))
        return RouterAdvertisements()
    fields = {} if written is True else written
    reading = read(ADVERTISEMENT_FIELDS, fields, path, problems)
    settings = router_advertisements(reading)
    if "prefixes" not in fields:
        settings = replace(settings, prefixes=tuple(_prefix(network) for network in networks))
    problems.extend(router_advertisement_problems(path, settings, is_sound(reading)))
    return settings


def _prefix(network: Network) -> AdvertisedPrefix:
    """A network of the VLAN: on the link, and for addresses of the hosts' own if it is a /64."""
    return AdvertisedPrefix(
        InterfaceAddress(network.network_address.packed, network.prefixlen),
        autonomous=network.prefixlen == _AUTONOMOUS_LENGTH,
    )
