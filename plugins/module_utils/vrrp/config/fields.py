# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every field that an operator may write: the one table. Layer L2.

Reading, ranges, the argument spec, the JSON schema and the documentation are derived from it, so
a field is added here and in model.py and nowhere else. Rules that need two fields: validate.py.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Optional, Tuple

from ..facts import Family, InterfaceAddress
from .devices import DEVICE_PREFIX, MAXIMUM_DEVICE_NAME, MAXIMUM_ROUTER_NAME
from .model import (
    MOST_LEASES,
    AdvertisedPrefix,
    ChecksumMode,
    LeaseMode,
    ProfileMode,
    RoutePreference,
    RouterAdvertisements,
    TrackerKind,
)

FORMAT = 1
# One more than any healthy spread of priorities (200 down to 100): a router whose uplink failed
# comes behind all healthy ones.
DEFAULT_PENALTY = 101


class Kind(enum.Enum):
    """How a value is written."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    INTERVAL = "interval"  # a count of centiseconds, or text such as "1s" or "100ms"
    DURATION = "duration"  # text with a unit only: a bare number would be taken for seconds
    CHOICE = "choice"
    ADDRESSES = "addresses"
    NETWORK = "network"  # an IPv6 prefix with its length
    NAMES = "names"  # a list of texts
    OBJECT = "object"  # left out, or fields: {} is the same as left out
    OBJECTS = "objects"
    ANY = "any"  # of several shapes: its reader looks at it


@dataclass(frozen=True)
class Field:
    """One field. minimum and maximum bound a number, the length of a text or of a list.

    remedy completes the hint of a refusal; fields describes the object, or the objects of a list.
    The value of a secret field is never repeated: not in a refusal, a difference or what a program
    may read.
    """

    name: str
    kind: Kind
    summary: str
    default: Any = None
    required: bool = False
    minimum: Optional[int] = None
    maximum: Optional[int] = None
    unit: str = ""
    since: str = "0.1.0"
    choices: Tuple[str, ...] = ()
    pattern: str = ""
    remedy: str = ""
    secret: bool = False
    fields: Tuple["Field", ...] = ()


# RFC 2338 section 5.3.10: the authentication data has eight octets.
AUTH_DATA_LENGTH = 8
# What Linux accepts as the name of a network device.
INTERFACE_PATTERN = r"(?!\.{1,2}$)[^\s/:]+"
NAME_PATTERN = r"[A-Za-z0-9_-]+"
_MOST_VIRTUAL_ROUTERS = 4096
_NAME_REMEDY = "use letters, digits, '-' and '_'"
_INTERFACE_REMEDY = "name a network interface: at most 15 characters, no '/', ':' or space"

TRACK_FIELDS = (
    Field(
        "tracker",
        Kind.TEXT,
        "Name of a tracker of this configuration.",
        required=True,
        minimum=1,
    ),
    Field(
        "penalty",
        Kind.INTEGER,
        "What is taken off the priority while the tracker fails.",
        default=DEFAULT_PENALTY,
        minimum=1,
        maximum=254,
    ),
)

_PREFIX = AdvertisedPrefix(InterfaceAddress(bytes(16), 64))
_LONGEST_LIFETIME_S = 0xFFFFFFFF  # for ever, RFC 4861 section 4.6.2

PREFIX_FIELDS = (
    Field(
        "prefix",
        Kind.NETWORK,
        "IPv6 network of the LAN, with its length.",
        required=True,
    ),
    Field(
        "on_link",
        Kind.BOOLEAN,
        "Its addresses are reached without a router.",
        default=_PREFIX.on_link,
    ),
    Field(
        "autonomous",
        Kind.BOOLEAN,
        "Hosts may make themselves addresses in it (SLAAC).",
        default=_PREFIX.autonomous,
    ),
    Field(
        "valid_lifetime_s",
        Kind.INTEGER,
        "How long such addresses are valid.",
        default=_PREFIX.valid_lifetime_s,
        minimum=0,
        maximum=_LONGEST_LIFETIME_S,
        unit="s",
    ),
    Field(
        "preferred_lifetime_s",
        Kind.INTEGER,
        "How long such addresses are used for new connections.",
        default=_PREFIX.preferred_lifetime_s,
        minimum=0,
        maximum=_LONGEST_LIFETIME_S,
        unit="s",
    ),
)

_ADVERTISED = RouterAdvertisements()

ROUTER_ADVERTISEMENT_FIELDS = (
    Field(
        "enabled",
        Kind.BOOLEAN,
        "The master sends router advertisements and answers router solicitations.",
        default=_ADVERTISED.enabled,
    ),
    Field(
        "lifetime_s",
        Kind.INTEGER,
        "How long the virtual router is a default router without being heard; 0 is never.",
        default=_ADVERTISED.lifetime_s,
        minimum=0,
        maximum=9000,
        unit="s",
    ),
    Field(
        "max_interval_cs",
        Kind.INTERVAL,
        "Longest time from one advertisement to the next.",
        default=_ADVERTISED.max_interval_cs,
        minimum=400,
        maximum=180000,
        unit="cs",
    ),
    Field(
        "min_interval_cs",
        Kind.INTERVAL,
        "Shortest time from one advertisement to the next; 0 derives it from the longest.",
        default=_ADVERTISED.min_interval_cs,
        minimum=0,
        maximum=135000,
        unit="cs",
    ),
    Field(
        "hop_limit",
        Kind.INTEGER,
        "Hop limit that hosts send with; 0 says nothing about it.",
        default=_ADVERTISED.hop_limit,
        minimum=0,
        maximum=255,
    ),
    Field(
        "managed",
        Kind.BOOLEAN,
        "Hosts get addresses by DHCPv6.",
        default=_ADVERTISED.managed,
    ),
    Field(
        "other",
        Kind.BOOLEAN,
        "Hosts get everything but addresses by DHCPv6.",
        default=_ADVERTISED.other,
    ),
    Field(
        "preference",
        Kind.CHOICE,
        "How hosts rank it among several default routers.",
        default=_ADVERTISED.preference.value,
        choices=tuple(preference.value for preference in RoutePreference),
    ),
    Field(
        "mtu",
        Kind.INTEGER,
        "MTU that all hosts of the LAN use; 0 says nothing about it.",
        default=_ADVERTISED.mtu,
        minimum=0,
        maximum=65535,
    ),
    Field(
        "prefixes",
        Kind.OBJECTS,
        "Networks that hosts are told.",
        default=_ADVERTISED.prefixes,
        maximum=16,
        fields=PREFIX_FIELDS,
    ),
    Field(
        "rdnss",
        Kind.ADDRESSES,
        "IPv6 addresses of DNS servers.",
        default=_ADVERTISED.rdnss,
        maximum=8,
    ),
    Field(
        "dnssl",
        Kind.NAMES,
        "Domains that hosts search for short names.",
        default=_ADVERTISED.dnssl,
        maximum=8,
    ),
    Field(
        "rdnss_lifetime_s",
        Kind.INTEGER,
        "How long hosts use these servers and domains; 0 takes them back.",
        default=_ADVERTISED.rdnss_lifetime_s,
        minimum=0,
        maximum=_LONGEST_LIFETIME_S,
        unit="s",
    ),
)

VIRTUAL_ROUTER_FIELDS = (
    Field(
        "name",
        Kind.TEXT,
        "Name of the virtual router; its device is called %sNAME." % DEVICE_PREFIX,
        required=True,
        minimum=1,
        maximum=MAXIMUM_ROUTER_NAME,
        pattern=NAME_PATTERN,
        remedy="%s, at most %d of them: its device is called %sNAME and Linux allows %d"
        % (_NAME_REMEDY, MAXIMUM_ROUTER_NAME, DEVICE_PREFIX, MAXIMUM_DEVICE_NAME),
    ),
    Field(
        "interface",
        Kind.TEXT,
        "Interface on the LAN whose gateway this is.",
        required=True,
        minimum=1,
        maximum=MAXIMUM_DEVICE_NAME,
        pattern=INTERFACE_PATTERN,
        remedy=_INTERFACE_REMEDY,
    ),
    Field(
        "family",
        Kind.CHOICE,
        "Address family of the virtual router.",
        required=True,
        choices=tuple(family.value for family in Family),
    ),
    Field(
        "vrid",
        Kind.INTEGER,
        "Virtual router identifier, the same on all routers of the group and unique on the LAN.",
        required=True,
        minimum=1,
        maximum=255,
        remedy="choose a number that no other virtual router of this LAN uses",
    ),
    Field(
        "version",
        Kind.INTEGER,
        "Version of VRRP; 2 is for IPv4 only.",
        default=3,
        minimum=2,
        maximum=3,
    ),
    Field(
        "priority",
        Kind.INTEGER,
        "The highest one becomes master; 255 belongs to the owner of the addresses.",
        default=100,
        minimum=1,
        maximum=255,
        remedy="0 is sent only to give the role away, 255 belongs to the address owner",
    ),
    Field(
        "advertisement_interval_cs",
        Kind.INTERVAL,
        "How often a master advertises, the same on all routers of the group.",
        default=100,
        minimum=1,
        maximum=25500,
        unit="cs",
        remedy="VRRPv3 carries 10 ms to 40.95 s, VRRPv2 whole seconds up to 255 s",
    ),
    Field(
        "preempt",
        Kind.BOOLEAN,
        "Take the role from a master with a lower priority.",
        default=True,
    ),
    Field(
        "preempt_delay_cs",
        Kind.INTERVAL,
        "How long a router that came up waits before it takes the role from a lower master.",
        default=0,
        minimum=0,
        maximum=100000,
        unit="cs",
    ),
    Field(
        "accept",
        Kind.BOOLEAN,
        "As master, accept what is sent to the virtual addresses (a ping, DNS), not only forward.",
        default=False,
    ),
    Field(
        "addresses",
        Kind.ADDRESSES,
        "Virtual addresses, of one family, without prefix lengths.",
        required=True,
        minimum=1,
        maximum=255,
        remedy="an advertisement carries 1 to 255 addresses",
    ),
    Field(
        "checksum",
        Kind.CHOICE,
        "Which checksum VRRPv3 over IPv4 sends; both forms are always accepted.",
        default=ChecksumMode.AUTO.value,
        choices=tuple(mode.value for mode in ChecksumMode),
    ),
    Field(
        "profile",
        Kind.CHOICE,
        "The RFC that counts where they differ; auto is rfc9568, or rfc3768 for version 2.",
        default=ProfileMode.AUTO.value,
        choices=tuple(mode.value for mode in ProfileMode),
    ),
    Field(
        "password",
        Kind.TEXT,
        "Password of VRRPv2, against mistakes only: it is readable on the wire.",
        default="",
        maximum=AUTH_DATA_LENGTH,
        pattern=r"[ -~]+",
        remedy="use 1 to %d printable ASCII characters, the same on all routers of the group"
        % AUTH_DATA_LENGTH,
        secret=True,
    ),
    Field(
        "track",
        Kind.OBJECTS,
        "Trackers whose failure lowers the priority.",
        default=(),
        maximum=32,
        fields=TRACK_FIELDS,
    ),
    Field(
        "router_advertisements",
        Kind.OBJECT,
        "What hosts are told about an IPv6 virtual router, the same on all routers of the group.",
        default=_ADVERTISED,
        fields=ROUTER_ADVERTISEMENT_FIELDS,
    ),
)

TRACKER_FIELDS = (
    Field(
        "name",
        Kind.TEXT,
        "Name of the tracker.",
        required=True,
        minimum=1,
        maximum=64,
        pattern=NAME_PATTERN,
        remedy=_NAME_REMEDY,
    ),
    Field(
        "kind",
        Kind.CHOICE,
        "link: the interface has to be up with carrier; ping: one of the targets has to answer.",
        required=True,
        choices=tuple(kind.value for kind in TrackerKind),
    ),
    Field(
        "interface",
        Kind.TEXT,
        "The interface that is watched, or by which the ping leaves.",
        default="",
        maximum=MAXIMUM_DEVICE_NAME,
        pattern=INTERFACE_PATTERN,
        remedy=_INTERFACE_REMEDY,
    ),
    Field(
        "targets",
        Kind.ADDRESSES,
        "Addresses to ping; one answer is enough.",
        default=(),
        maximum=16,
    ),
    Field(
        "interval_cs",
        Kind.INTERVAL,
        "Time from one ping to the next.",
        default=100,
        minimum=10,
        maximum=100000,
        unit="cs",
    ),
    Field(
        "timeout_cs",
        Kind.INTERVAL,
        "How long an answer is waited for.",
        default=100,
        minimum=1,
        maximum=100000,
        unit="cs",
    ),
    Field(
        "fall",
        Kind.INTEGER,
        "Failures in a row after which the tracker fails.",
        default=3,
        minimum=1,
        maximum=255,
    ),
    Field(
        "rise",
        Kind.INTEGER,
        "Successes in a row after which the tracker is well again.",
        default=2,
        minimum=1,
        maximum=255,
    ),
)

SYNC_GROUP_FIELDS = (
    Field(
        "name",
        Kind.TEXT,
        "Name of the sync group.",
        required=True,
        minimum=1,
        maximum=64,
        pattern=NAME_PATTERN,
        remedy=_NAME_REMEDY,
    ),
    Field(
        "members",
        Kind.NAMES,
        "Names of two or more virtual routers that preempt alike, all of them owners or none.",
        required=True,
        minimum=2,
        maximum=_MOST_VIRTUAL_ROUTERS,
        remedy="name two or more virtual routers: one alone is in sync with nobody",
    ),
)

DOCUMENT_FIELDS = (
    Field(
        "format",
        Kind.INTEGER,
        "Version of this document's form.",
        default=FORMAT,
        minimum=FORMAT,
        maximum=FORMAT,
    ),
    Field(
        "virtual_routers",
        Kind.OBJECTS,
        "The virtual routers that this host takes part in.",
        required=True,
        maximum=_MOST_VIRTUAL_ROUTERS,
        fields=VIRTUAL_ROUTER_FIELDS,
    ),
    Field(
        "trackers",
        Kind.OBJECTS,
        "What is watched so that its failure costs priority.",
        default=(),
        maximum=256,
        fields=TRACKER_FIELDS,
    ),
    Field(
        "sync_groups",
        Kind.OBJECTS,
        "Virtual routers that are master together or not at all: who loses one gives up all.",
        default=(),
        maximum=_MOST_VIRTUAL_ROUTERS // 2,
        fields=SYNC_GROUP_FIELDS,
    ),
    Field(
        "leases",
        Kind.CHOICE,
        "Virtual addresses expire in the kernel unless the daemon goes on advertising; "
        "auto: while there are at most %d of them." % MOST_LEASES,
        default=LeaseMode.AUTO.value,
        choices=tuple(mode.value for mode in LeaseMode),
    ),
)
