# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a router's own network management has to know about us, as files: path -> content.

Pure. networkd reads its files in the order of their names and takes the first that matches: what
keeps it off our devices comes early, what an operator may want to override comes late.
"""

from __future__ import annotations

import typing as t

from .vrrp.config.devices import DEVICE_PREFIX

HEADER = "# Written by the Ansible module vlangate.vrrp.vrrp_host; changes are overwritten.\n"

BEFORE = "# before: "

SYSCTL_FILE = "/etc/sysctl.d/80-vlangate.conf"
NETWORKD_CONF = "/etc/systemd/networkd.conf.d/80-vlangate.conf"
NETWORK_DIRECTORY = "/etc/systemd/network"
UNMANAGED_FILE = NETWORK_DIRECTORY + "/05-vlangate-unmanaged.network"
INTERFACE_FILE = NETWORK_DIRECTORY + "/80-vlangate-%s"
PARENT_DROPIN = NETWORK_DIRECTORY + "/%s.d/80-vlangate.conf"
NETWORKMANAGER_CONF = "/etc/NetworkManager/conf.d/80-vlangate.conf"

Interface = t.Mapping[str, t.Any]


def sysctls(interfaces: t.Sequence[Interface], families: t.Collection[str]) -> t.Dict[str, str]:
    """Forwarding, and no router advertisements believed where we are the router.

    Keys are paths below /proc/sys: interface names may contain dots.
    """
    wanted = {}
    if "ipv4" in families:
        wanted["net/ipv4/ip_forward"] = "1"
    if "ipv6" in families:
        wanted["net/ipv6/conf/all/forwarding"] = "1"
        for interface in interfaces:
            wanted["net/ipv6/conf/%s/accept_ra" % interface["name"]] = "0"
    return wanted


def sysctl_file(wanted: t.Mapping[str, str], before: t.Mapping[str, str]) -> str:
    """For systemd-sysctl; "-" lets an interface that does not exist yet be no error.

    before: what the kernel had before we came, to be put back when we go.
    """
    lines = []
    for key, value in sorted(wanted.items()):
        if key in before:
            lines.append("%s%s = %s\n" % (BEFORE, key, before[key]))
        lines.append("-%s = %s\n" % (key, value))
    return HEADER + "".join(lines)


def read_sysctl_file(text: str) -> t.Tuple[t.Dict[str, str], t.Dict[str, str]]:
    """wanted and before of such a file."""
    wanted, before = {}, {}
    for line in text.splitlines():
        for start, found in ((BEFORE, before), ("-", wanted)):
            key, equals, value = line[len(start) :].partition(" = ")
            if line.startswith(start) and equals:
                found[key] = value
    return wanted, before


def networkd_files() -> t.Dict[str, str]:
    """Keep systemd-networkd off our devices, and off routes that others made."""
    return {
        NETWORKD_CONF: HEADER
        + "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n",
        UNMANAGED_FILE: HEADER + "[Match]\nName=%s*\n\n[Link]\nUnmanaged=yes\n" % DEVICE_PREFIX,
    }


def networkmanager_files() -> t.Dict[str, str]:
    """Keep NetworkManager off our devices."""
    return {
        NETWORKMANAGER_CONF: HEADER
        + "[device-vlangate]\nmatch-device=interface-name:%s*\nmanaged=0\n" % DEVICE_PREFIX
    }


def interface_files(
    interfaces: t.Sequence[Interface], network_file: t.Callable[[str], t.Optional[str]]
) -> t.Dict[str, str]:
    """VLAN interfaces with their addresses for systemd-networkd.

    network_file tells the name of the .network file that already configures a parent, if any: its
    VLANs then become a drop-in of that file. An interface without a parent only gets addresses.
    """
    files = {}
    children: t.Dict[str, t.List[str]] = {}
    for interface in interfaces:
        name = interface["name"]
        files[INTERFACE_FILE % (name + ".network")] = _network(interface)
        if interface.get("parent") not in (None, "", name):
            children.setdefault(interface["parent"], []).append(name)
            files[INTERFACE_FILE % (name + ".netdev")] = HEADER + (
                "[NetDev]\nName=%s\nKind=vlan\n\n[VLAN]\nId=%d\n" % (name, interface["vlan_id"])
            )
    for parent, names in children.items():
        vlans = "[Network]\n" + "".join("VLAN=%s\n" % name for name in names)
        existing = network_file(parent)
        if existing is None or existing.startswith("80-vlangate-"):
            path = INTERFACE_FILE % ("%s.network" % parent)
            files[path] = "%s[Match]\nName=%s\n\n%s" % (HEADER, parent, vlans)
        else:
            files[PARENT_DROPIN % existing] = HEADER + vlans
    return files


def _network(interface: Interface) -> str:
    addresses = "".join("Address=%s\n" % address for address in interface["addresses"])
    return (
        HEADER
        + "[Match]\nName=%s\n\n" % interface["name"]
        # LLDP is not tagged, so none comes here; and each of networkd's sockets for it costs the
        # kernel a grace period to open and one to close: 1,000 held up a restart for half a minute.
        + "[Network]\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\nLLDP=no\n"
        + addresses
    )
