# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual router is told about itself: resolved, validated, free of names. Layer L1."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Tuple

from ..facts import Family

OWNER_PRIORITY = 255
RELEASE_PRIORITY = 0


class Profile(enum.Enum):
    """The RFC that a virtual router follows where they differ.

    RFC9568: a master answers a losing advertisement at once, and an owner listens to others
    (erratum 8298). RFC5798, and RFC3768 for version 2: both are discarded in silence.
    """

    RFC9568 = "rfc9568"
    RFC5798 = "rfc5798"
    RFC3768 = "rfc3768"


@dataclass(frozen=True)
class RouterKey:
    """Identity of a virtual router on this host (RFC 9568 section 6.4: one machine for each)."""

    interface: str
    family: Family
    vrid: int

    def __str__(self) -> str:
        return "%s/%s/%d" % (self.interface, self.family.value, self.vrid)


@dataclass(frozen=True)
class RouterParameters:
    """Parameters of RFC 9568 section 6.1. Addresses are in network order, listed as configured.

    priority is the effective one: tracking penalties are already taken off. primary_address is the
    source of advertisements on the interface now. password is empty without authentication.
    waits_for_group: it becomes master by Takeover only, when all of its sync group can.
    """

    version: int
    family: Family
    vrid: int
    priority: int
    advertisement_interval_cs: int
    preempt: bool
    preempt_delay_ns: int
    accept: bool
    primary_address: bytes
    addresses: Tuple[bytes, ...]
    profile: Profile = Profile.RFC9568
    password: bytes = field(default=b"", repr=False)
    waits_for_group: bool = False

    @property
    def is_owner(self) -> bool:
        """True when this router owns the virtual addresses (RFC 9568 section 6.1)."""
        return self.priority == OWNER_PRIORITY
