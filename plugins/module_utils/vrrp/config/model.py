# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's configuration as values; what parse() returns. Layer L2.

Documented field by field in fields.py.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Tuple

from ..facts import Family, InterfaceAddress
from ..fsm.parameters import Profile, RouterKey


class TrackerKind(enum.Enum):
    """What a tracker looks at."""

    LINK = "link"
    PING = "ping"


class ChecksumMode(enum.Enum):
    """Which VRRPv3 checksum over IPv4 is sent; both forms are always accepted."""

    AUTO = "auto"
    RFC5798 = "rfc5798"
    RFC9568 = "rfc9568"


class ProfileMode(enum.Enum):
    """Which RFC counts where they differ; auto: the newest one for the version."""

    AUTO = "auto"
    RFC9568 = "rfc9568"
    RFC5798 = "rfc5798"
    RFC3768 = "rfc3768"


# RFC 3768 is about version 2 alone, the later ones are about version 3 alone. Newest first.
PROFILES = {2: (Profile.RFC3768,), 3: (Profile.RFC9568, Profile.RFC5798)}


@dataclass(frozen=True)
class TrackerConfig:
    """Something whose failure costs priority.

    link: interface has to be up with carrier. ping: any one of targets has to answer an echo;
    interface, when given, is where the probe leaves. fall / rise: consecutive results that change
    the mind.
    """

    name: str
    kind: TrackerKind
    interface: str = ""
    targets: Tuple[bytes, ...] = ()
    interval_cs: int = 100
    timeout_cs: int = 100
    fall: int = 3
    rise: int = 2


@dataclass(frozen=True)
class TrackReference:
    """A virtual router loses `penalty` of its priority while tracker `tracker` fails."""

    tracker: str
    penalty: int


class RoutePreference(enum.Enum):
    """How hosts rank a default router (RFC 4191 section 2.1)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class AdvertisedPrefix:
    """A prefix that hosts are told (RFC 4861 section 4.6.2); its host bits are zero."""

    prefix: InterfaceAddress
    on_link: bool = True
    autonomous: bool = True
    valid_lifetime_s: int = 2592000
    preferred_lifetime_s: int = 604800


@dataclass(frozen=True)
class RouterAdvertisements:
    """What the master of an IPv6 virtual router tells its hosts (RFC 4861 section 6.2.1).

    min_interval_cs 0: derived from the maximum. mtu 0: nothing is said about it.
    rdnss_lifetime_s counts for rdnss and dnssl (RFC 8106).
    """

    enabled: bool = False
    lifetime_s: int = 1800
    max_interval_cs: int = 60000
    min_interval_cs: int = 0
    hop_limit: int = 64
    managed: bool = False
    other: bool = False
    preference: RoutePreference = RoutePreference.MEDIUM
    mtu: int = 0
    prefixes: Tuple[AdvertisedPrefix, ...] = ()
    rdnss: Tuple[bytes, ...] = ()
    dnssl: Tuple[str, ...] = ()
    rdnss_lifetime_s: int = 1800


@dataclass(frozen=True)
class VirtualRouterConfig:
    """One virtual router on one interface (RFC 9568 section 6.1).

    addresses are as written, in order; a link-local address for IPv6 is generated on resolve()
    when none is listed.
    """

    name: str
    interface: str
    family: Family
    vrid: int
    addresses: Tuple[bytes, ...]
    version: int = 3
    priority: int = 100
    advertisement_interval_cs: int = 100
    preempt: bool = True
    preempt_delay_cs: int = 0
    accept: bool = False
    checksum: ChecksumMode = ChecksumMode.AUTO
    profile: ProfileMode = ProfileMode.AUTO
    password: str = field(default="", repr=False)
    track: Tuple[TrackReference, ...] = ()
    router_advertisements: RouterAdvertisements = RouterAdvertisements()

    @property
    def key(self) -> RouterKey:
        """Identity over reloads: not the name."""
        return RouterKey(self.interface, self.family, self.vrid)


@dataclass(frozen=True)
class SyncGroupConfig:
    """Virtual routers, by name and sorted, that are master together or not at all."""

    name: str
    members: Tuple[str, ...]


class LeaseMode(enum.Enum):
    """Whether virtual addresses expire in the kernel unless this daemon goes on advertising."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


# Each address costs a request to the kernel every second or so; where there are many, crashes are
# left to systemd alone.
MOST_LEASES = 100


@dataclass(frozen=True)
class RouterConfig:
    """A whole host. All tuples are sorted by name, so equal intents are equal values."""

    virtual_routers: Tuple[VirtualRouterConfig, ...] = ()
    trackers: Tuple[TrackerConfig, ...] = ()
    sync_groups: Tuple[SyncGroupConfig, ...] = ()
    leases: LeaseMode = LeaseMode.AUTO

    @property
    def uses_leases(self) -> bool:
        """Auto: while the virtual addresses are few."""
        if self.leases is LeaseMode.AUTO:
            return sum(len(each.addresses) for each in self.virtual_routers) <= MOST_LEASES
        return self.leases is LeaseMode.ON
