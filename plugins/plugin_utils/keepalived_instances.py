# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the keywords of a keepalived.conf mean here: taken over, not needed, left out, refused."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field

from ..module_utils.vrrp.errors import Problem
from .keepalived_conf import Statement, read_statements

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

#: The engine does without: by itself, for every group, or by what it finds in the kernel.
NOT_NEEDED = frozenset((
    "dont_track_primary", "dynamic_interfaces", "linkbeat_use_polling", "max_auto_priority",
    "native_ipv6", "nftables", "promote_secondaries", "router_id", "state", "track_src_ip",
    "use_vmac", "v3_checksum_as_v2", "vmac_xmit_base", "vrrp_no_swap", "vrrp_priority",
    "vrrp_rt_priority", "vrrp_skip_check_adv_addr",
))  # fmt: skip
NOT_NEEDED_BEGINNINGS = ("garp_", "gna_", "vrrp_garp_", "vrrp_gna_")
_MULTICAST = "this engine speaks multicast to the RFC's group: let keepalived do so first"
#: With these the two would not hear each other, or an address would be lost without a word.
REFUSED = {
    "unicast_peer": _MULTICAST,
    "unicast_src_ip": _MULTICAST,
    "mcast_dst_ip": _MULTICAST,
    "vrrp_mcast_group4": _MULTICAST,
    "vrrp_mcast_group6": _MULTICAST,
    "auth_hmac": "this engine has no such authentication: take it out of keepalived first",
    "virtual_ipaddress_excluded": "put the addresses into virtual_ipaddress on all routers first",
}
#: Down means out of the race for keepalived; as a penalty, it leaves a router the lowest priority.
FAULT_PENALTY = 254
OWNER = 255
DEFAULT_PRIORITY = 100
AUTH_LENGTH = 8


@dataclass
class Instance:
    """A vrrp_instance. version is None where the global one counts; 0 is no priority yet."""

    router: str
    name: str
    line: int
    interface: str = ""
    vrid: int = 0
    priority: int = 0
    interval_cs: int = 100
    version: int | None = None
    preempt: bool = True
    preempt_delay_s: int = 0
    accept: bool = True
    password: str = ""
    addresses: list[Address] = field(default_factory=list)
    penalties: dict[str, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return "%s:%d: vrrp_instance %s" % (self.router, self.line, self.name)

    @property
    def family(self) -> int:
        return self.addresses[0].version


@dataclass
class Found:
    """All that one file says; left and not_needed are lines for people."""

    router: str
    instances: list[Instance] = field(default_factory=list)
    sync_groups: dict[str, list[str]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    not_needed: list[str] = field(default_factory=list)


def read_instances(router: str, text: str, problems: list[Problem]) -> Found:
    """What a router's file says; what stands in the way goes to the problems."""
    return _Reader(router, problems).read(read_statements(text, router, problems))


class _Reader:
    def __init__(self, router: str, problems: list[Problem]) -> None:
        self._found = Found(router)
        self._problems = problems
        self._version = 2
        self._strict = False

    def read(self, statements: list[Statement]) -> Found:
        known = {"vrrp_sync_group": self._sync_group, "vrrp_instance": self._instance}
        for each in statements:
            if each.keyword in ("global_defs", "global_definitions"):
                self._globals(each)
        for each in statements:
            if each.keyword in known:
                known[each.keyword](each)
            elif each.keyword not in ("global_defs", "global_definitions"):
                self._leave(each)
        for instance in self._found.instances:
            is_ipv6 = bool(instance.addresses) and instance.family == 6
            instance.version = 3 if is_ipv6 else instance.version or self._version
            if instance.version == 3:
                # keepalived does not use it either, and says so in its log.
                instance.password = ""
        return self._found

    def _globals(self, block: Statement) -> None:
        for each in block.block:
            if each.keyword == "vrrp_version":
                self._version = self._integer(each, 2, 3)
            elif each.keyword in ("vrrp_strict", "strict_mode"):
                self._strict = True
            else:
                self._sort(each)

    def _sync_group(self, block: Statement) -> None:
        for each in block.block:
            if each.keyword == "group":
                members = [word for _line, word in each.inner_words()]
                self._found.sync_groups[self._argument(block)] = members
            else:
                self._sort(each)

    def _instance(self, block: Statement) -> None:
        instance = Instance(self._found.router, self._argument(block), block.line)
        instance.accept = not self._strict
        for each in block.block:
            reader = getattr(self, "_read_" + each.keyword, None)
            if reader is None:
                self._sort(each)
            else:
                reader(each, instance)
        if not instance.priority:
            # As keepalived has it, and few expect it.
            is_master = ["state", "MASTER"] in (each.words for each in block.block)
            instance.priority = OWNER if is_master else DEFAULT_PRIORITY
        for keyword, value in (
            ("interface", instance.interface),
            ("virtual_router_id", instance.vrid),
            ("virtual_ipaddress", instance.addresses),
        ):
            if not value:
                hint = "without it there is no virtual router: write it, or remove the instance"
                message = "has no usable %s" % keyword
                self._problems.append(Problem(instance.path, "missing", message, hint))
                return
        self._found.instances.append(instance)

    # One method for each keyword of an instance that is taken over.

    def _read_interface(self, each: Statement, instance: Instance) -> None:
        instance.interface = self._argument(each)

    def _read_virtual_router_id(self, each: Statement, instance: Instance) -> None:
        instance.vrid = self._integer(each, 1, 255)

    def _read_priority(self, each: Statement, instance: Instance) -> None:
        instance.priority = self._integer(each, 1, OWNER)

    def _read_version(self, each: Statement, instance: Instance) -> None:
        instance.version = self._integer(each, 2, 3)

    def _read_advert_int(self, each: Statement, instance: Instance) -> None:
        try:
            instance.interval_cs = round(float(self._argument(each)) * 100)
        except ValueError:
            self._refuse(each, "number", "write seconds")

    def _read_nopreempt(self, each: Statement, instance: Instance) -> None:
        instance.preempt = False

    def _read_preempt(self, each: Statement, instance: Instance) -> None:
        instance.preempt = True

    def _read_preempt_delay(self, each: Statement, instance: Instance) -> None:
        instance.preempt_delay_s = self._integer(each, 0, 1000)

    def _read_accept(self, each: Statement, instance: Instance) -> None:
        instance.accept = True

    def _read_no_accept(self, each: Statement, instance: Instance) -> None:
        instance.accept = False

    def _read_authentication(self, block: Statement, instance: Instance) -> None:
        for each in block.block:
            if each.keyword == "auth_pass":
                instance.password = self._argument(each)[:AUTH_LENGTH]
            elif each.keyword != "auth_type":
                self._sort(each)
            elif self._argument(each).upper() != "PASS":
                self._refuse(each, "auth-type", "use PASS or none: nothing else is understood")

    def _read_virtual_ipaddress(self, block: Statement, instance: Instance) -> None:
        for each in block.block:
            try:
                written = ipaddress.ip_interface(each.keyword)
            except ValueError:
                self._refuse(each, "address", "write an address with its prefix length")
                continue
            if instance.addresses and written.version != instance.family:
                hint = "write an instance for each family: an advertisement carries one"
                self._refuse(each, "family", hint)
                continue
            instance.addresses.append(written.ip)
            self._address_options(each, instance)

    def _address_options(self, each: Statement, instance: Instance) -> None:
        options = each.words[1:]
        for name, value in zip(options[::2], options[1::2]):
            if name == "dev" and value != instance.interface:
                hint = "put it into an instance of that interface"
                self._refuse(each, "other-interface", hint)
            elif name not in ("dev", "brd", "scope", "label"):
                self._found.left.append(self._line(each, "of it, only the address is taken over"))
                break

    def _read_track_interface(self, block: Statement, instance: Instance) -> None:
        for each in block.block:
            weight = each.words[2] if each.words[1:2] == ["weight"] else "0"
            if len(each.words) not in (1, 3) or not weight.lstrip("-").isdigit() or int(weight) > 0:
                self._found.left.append(self._line(each, "only a penalty can be taken over"))
            else:
                instance.penalties[each.keyword] = min(FAULT_PENALTY, -int(weight) or FAULT_PENALTY)

    # What is not taken over.

    def _sort(self, each: Statement) -> None:
        if each.keyword in REFUSED:
            self._refuse(each, "unsupported", REFUSED[each.keyword])
        elif each.keyword in NOT_NEEDED or each.keyword.startswith(NOT_NEEDED_BEGINNINGS):
            self._found.not_needed.append(self._line(each, "not needed"))
        else:
            self._leave(each)

    def _leave(self, each: Statement) -> None:
        self._found.left.append(self._line(each, "has no counterpart"))

    def _refuse(self, each: Statement, code: str, hint: str) -> None:
        path = "%s:%d" % (self._found.router, each.line)
        self._problems.append(Problem(path, code, "%s cannot be taken over" % each.text(), hint))

    def _line(self, each: Statement, why: str) -> str:
        return "%s:%d: %s: %s" % (self._found.router, each.line, each.text(), why)

    def _argument(self, each: Statement) -> str:
        if len(each.words) < 2:
            self._refuse(each, "missing", "write its value")
            return ""
        return each.words[1]

    def _integer(self, each: Statement, low: int, high: int) -> int:
        written = self._argument(each)
        if not written.isdigit() or not low <= int(written) <= high:
            self._refuse(each, "number", "write %d to %d" % (low, high))
            return low
        return int(written)
