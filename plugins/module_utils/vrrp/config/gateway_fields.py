# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of the VLAN table. Layer L2. None stands for: not written here.

What a key of the engine's configuration repeats is taken from fields.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Tuple

from .devices import MAXIMUM_ROUTER_NAME
from .fields import (
    DOCUMENT_FIELDS,
    NAME_PATTERN,
    ROUTER_ADVERTISEMENT_FIELDS,
    SYNC_GROUP_FIELDS,
    TRACK_FIELDS,
    TRACKER_FIELDS,
    VIRTUAL_ROUTER_FIELDS,
    Field,
    Kind,
)

# One priority for each between 200 and 100.
MAXIMUM_MEMBERS = 101
DEFAULT_VIRTUAL = 254
DEFAULT_ACCEPT = True
# The pair that lets a network converge first: backups take over at once, the preferred master
# comes back only when its own up- and downlinks had time to settle.
DEFAULT_PREEMPT_DELAY_CS = 1500
# What the name of a group puts behind that of its VLAN: "-v4" or "-v6".
_SUFFIX_LENGTH = 3
MAXIMUM_VLAN_NAME = MAXIMUM_ROUTER_NAME - _SUFFIX_LENGTH

_ENGINE = {field.name: field for field in VIRTUAL_ROUTER_FIELDS}


def _optional(name: str) -> Field:
    """A field of a virtual router that may be left to somebody else."""
    return replace(_ENGINE[name], default=None, required=False)


def _with_unit(name: str) -> Field:
    """An interval without _cs in its name: a text with a unit, so 15 is never 15 cs."""
    return replace(_optional(name), name=name[: -len("_cs")], kind=Kind.DURATION)


# Four of the longest intervals: no backup takes longer.
_DETECT_WITHIN = Field(
    "detect_within_cs",
    Kind.INTERVAL,
    "In which time every backup notices at the latest that the master is gone.",
    minimum=1,
    maximum=102000,
    unit="cs",
)

# What VLANs and the defaults have in common.
_POLICY_FIELDS: Tuple[Field, ...] = (
    Field(
        "virtual",
        Kind.ANY,
        "The virtual address: a host number, an address, or a list of them.",
    ),
    _optional("version"),
    _with_unit("advertisement_interval_cs"),
    _optional("advertisement_interval_cs"),
    _optional("preempt"),
    _with_unit("preempt_delay_cs"),
    _optional("preempt_delay_cs"),
    _optional("accept"),
    _optional("checksum"),
    _optional("profile"),
    _optional("password"),
    Field(
        "router_advertisements",
        Kind.ANY,
        "True, or what hosts are told about the IPv6 gateway; the networks come by themselves.",
    ),
    replace(_ENGINE["track"], default=None),
    Field(
        "minimum_routers",
        Kind.INTEGER,
        "How many routers a VLAN needs at least.",
        minimum=1,
        maximum=MAXIMUM_MEMBERS,
    ),
    replace(_DETECT_WITHIN, name="detect_within", kind=Kind.DURATION),
    _DETECT_WITHIN,
)

VLAN_FIELDS: Tuple[Field, ...] = (
    Field(
        "id",
        Kind.INTEGER,
        "VLAN id.",
        required=True,
        minimum=1,
        maximum=4094,
    ),
    Field(
        "name",
        Kind.TEXT,
        "Names the groups: NAME-v4 and NAME-v6; vlanID when left out.",
        minimum=1,
        maximum=MAXIMUM_VLAN_NAME,
        pattern=NAME_PATTERN,
        remedy="use at most %d letters, digits, '-' and '_', because devices are named after it; "
        "a longer text belongs in description" % MAXIMUM_VLAN_NAME,
    ),
    Field("description", Kind.TEXT, "For people."),
    Field("networks", Kind.ANY, "Networks of the VLAN, such as 198.18.10.0/24.", required=True),
    Field("interface", Kind.ANY, "Interface name, or a mapping of routers to interface names."),
    replace(_optional("vrid"), remedy="choose a number that is used once on this VLAN"),
    Field("preferred", Kind.TEXT, "The router that is master while it is well."),
    Field("priorities", Kind.ANY, "A mapping of all routers of the VLAN to priorities."),
    Field(
        "routers",
        Kind.ANY,
        "The routers of this VLAN, as a list of names or a mapping to host numbers or addresses.",
    ),
    *_POLICY_FIELDS,
)

# Whoever writes what hosts are told wants them to be told.
ADVERTISEMENT_FIELDS: Tuple[Field, ...] = tuple(
    replace(field, default=True) if field.name == "enabled" else field
    for field in ROUTER_ADVERTISEMENT_FIELDS
)

_LINKS = Field("track_links", Kind.ANY, "Interfaces whose failure costs priority.")
_UPLINK = Field("uplink", Kind.ANY, "What is pinged to see that the uplink works.")

SYNCED_VLANS_FIELDS: Tuple[Field, ...] = (
    *(field for field in SYNC_GROUP_FIELDS if field.name == "name"),
    Field("vlans", Kind.ANY, "Ids or names of its VLANs.", required=True),
)

DEFAULTS_FIELDS: Tuple[Field, ...] = (
    *_POLICY_FIELDS,
    _UPLINK,
    _LINKS,
    Field(
        "trackers",
        Kind.OBJECTS,
        "More trackers, for track.",
        default=(),
        fields=TRACKER_FIELDS,
    ),
    Field(
        "sync_groups",
        Kind.OBJECTS,
        "VLANs whose gateways are master together or not at all.",
        default=(),
        fields=SYNCED_VLANS_FIELDS,
    ),
    *(replace(field, default=None) for field in DOCUMENT_FIELDS if field.name == "leases"),
)

ROUTER_FIELDS: Tuple[Field, ...] = (
    Field("name", Kind.TEXT, "Inventory name of the router.", required=True, minimum=1),
    Field(
        "host_number",
        Kind.INTEGER,
        "Host part of its real addresses.",
        minimum=1,
        maximum=0xFFFF,
    ),
    replace(_ENGINE["interface"], name="parent", default=None, required=False),
    _UPLINK,
    _LINKS,
)

UPLINK_FIELDS: Tuple[Field, ...] = (
    *(
        replace(field, required=field.name == "targets")
        for field in TRACKER_FIELDS
        if field.name not in ("name", "kind")
    ),
    *(field for field in TRACK_FIELDS if field.name == "penalty"),
)

INTERFACE_FIELD = _ENGINE["interface"]
PRIORITY_FIELD = replace(
    _ENGINE["priority"], maximum=254, remedy="an address owner gets its 255 by itself"
)
