# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network: which namespaces, switches, cables and addresses a site has.

    h10 --- br10 ---+--- gw1 ---+--- bruplink --- isp      every VLAN is a bridge of its own in
    h20 --- br20 ---+--- gw2 ---+                          the switch namespace, every cable a
    ctl --- brmgmt -+                                      veth pair with one end there

VLAN interfaces of a router (`vlan10`) come up without addresses, as a trunk would give them: the
roles configure them. The uplink and the management interface are the operator's own, so they are
configured here. The ISP sends what is for the VLANs to the virtual address of the uplink group.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Tuple

from .shell import in_namespace, ip, namespaces, run

VIRTUAL_HOST = 254
FIRST_ROUTER_HOST = 252
STATION_HOST = 1
STATION_DEVICE = "eth0"
ISP = "isp"
CONTROLLER = "ctl"
UPLINK = "uplink"
MANAGEMENT = "mgmt"


@dataclass(frozen=True)
class Network:
    """One LAN: an IPv4 /24 and an IPv6 /64, in which a host number gives both addresses."""

    name: str
    v4: str  # "198.18.10."
    v6: str  # "2001:db8:10::"

    def address(self, version: int, host: int) -> str:
        return self.v4 + str(host) if version == 4 else "%s%x" % (self.v6, host)

    def with_length(self, version: int, host: int) -> str:
        return self.address(version, host) + ("/24" if version == 4 else "/64")

    @property
    def prefixes(self) -> Tuple[str, str]:
        return self.v4 + "0/24", self.v6 + "/64"


UPLINK_NETWORK = Network(UPLINK, "198.51.100.", "2001:db8:ffff::")
MANAGEMENT_NETWORK = Network(MANAGEMENT, "192.0.2.", "2001:db8:fffe::")


def vlan_network(vlan: int) -> Network:
    return Network("vlan%d" % vlan, "198.18.%d." % vlan, "2001:db8:%d::" % vlan)


@dataclass(frozen=True)
class LabSpec:
    """What a lab consists of. The prefix keeps labs on one machine apart."""

    prefix: str
    routers: Tuple[str, ...] = ("gw1", "gw2")
    vlans: Tuple[int, ...] = (10, 20)
    rootfs: str = "router"

    def __post_init__(self) -> None:
        if not self.prefix.isalnum() or len(self.prefix) > 12:
            raise ValueError("the prefix %r has to be 1-12 letters and digits" % self.prefix)

    def namespace(self, name: str) -> str:
        return "%s-%s" % (self.prefix, name)

    @property
    def switch(self) -> str:
        return self.namespace("switch")

    @property
    def networks(self) -> Tuple[Network, ...]:
        """Every LAN that a router is connected to."""
        return (*(vlan_network(vlan) for vlan in self.vlans), UPLINK_NETWORK, MANAGEMENT_NETWORK)

    @property
    def stations(self) -> Dict[str, Network]:
        """Every namespace that is no router, with the LAN that it is on."""
        hosts = {"h%d" % vlan: vlan_network(vlan) for vlan in self.vlans}
        return {**hosts, ISP: UPLINK_NETWORK, CONTROLLER: MANAGEMENT_NETWORK}

    @property
    def names(self) -> Tuple[str, ...]:
        return (*self.routers, *self.stations)

    def router_host(self, router: str) -> int:
        """The host number of a router's real addresses: .252, .253, and then .251 downwards."""
        number = self.routers.index(router)
        return FIRST_ROUTER_HOST + number if number < 2 else FIRST_ROUTER_HOST + 1 - number

    def management_address(self, router: str) -> str:
        return MANAGEMENT_NETWORK.address(4, 11 + self.routers.index(router))

    def port(self, name: str, network: Network) -> str:
        """The switch's end of a cable; names of devices have at most 15 characters."""
        return "%s.%s" % (name, network.name)

    def to_json(self) -> Dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LabSpec:
        """What `to_json` gave; JSON has lists where we have tuples."""
        pairs = document.items()
        fields: Dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in pairs}
        return cls(**fields)


def build(spec: LabSpec) -> None:
    """Make the switch and everything that is connected to it, except the routers."""
    for name in ("switch", *spec.stations):
        _add_namespace(spec.namespace(name))
    lines = []
    for network in spec.networks:
        lines += [
            "link add br%s type bridge forward_delay 0 mcast_snooping 0" % network.name,
            "link set br%s addrgenmode none up" % network.name,
        ]
    for name, network in spec.stations.items():
        lines += _cable(spec, name, network, STATION_DEVICE)
    ip(spec.switch, lines)
    for name, network in spec.stations.items():
        # A station's addresses and routes are given: nothing is learned from advertisements.
        run(in_namespace(spec.namespace(name), ["sysctl", "-qw", "net.ipv6.conf.all.accept_ra=0",
                                                "net.ipv6.conf.default.accept_ra=0"]))  # fmt: skip
        addresses = [
            "addr add %s dev %s nodad" % (network.with_length(version, STATION_HOST),
                                          STATION_DEVICE)
            for version in (4, 6)
        ]  # fmt: skip
        up = ["link set %s up" % STATION_DEVICE]
        ip(spec.namespace(name), up + addresses + _station_routes(spec, name, network))


def _station_routes(spec: LabSpec, name: str, network: Network) -> List[str]:
    if name == CONTROLLER:
        return []
    if name == ISP:
        return [
            "route add %s via %s" % (prefix, network.address(version, VIRTUAL_HOST))
            for vlan in spec.vlans
            for version, prefix in zip((4, 6), vlan_network(vlan).prefixes)
        ]
    return [
        "route add default via %s" % network.address(version, VIRTUAL_HOST) for version in (4, 6)
    ]


def wire_router(spec: LabSpec, router: str) -> None:
    """Give a router a fresh network stack, as after power-on, and plug in all its cables."""
    unplug_router(spec, router)
    _add_namespace(spec.namespace(router))
    lines, ups = [], []
    for network in spec.networks:
        lines += _cable(spec, router, network, network.name)
        ups.append("link set %s up" % network.name)
    ip(spec.switch, lines)
    management = "addr add %s/24 dev %s" % (spec.management_address(router), MANAGEMENT)
    ip(spec.namespace(router), [*ups, management])


def uplink_settings(spec: LabSpec, router: str) -> str:
    """What the router's operator has written for systemd-networkd before we came: its uplink."""
    lines = ["[Match]", "Name=" + UPLINK, "[Network]", "LinkLocalAddressing=ipv6",
             "IPv6AcceptRA=no"]  # fmt: skip
    for version in (4, 6):
        address = UPLINK_NETWORK.with_length(version, spec.router_host(router))
        lines += ["Address=" + address, "Gateway=" + UPLINK_NETWORK.address(version, STATION_HOST)]
    return "\n".join(lines) + "\n"


def unplug_router(spec: LabSpec, router: str) -> None:
    """Take a router's network stack and cables away, if there are any."""
    ports = ["link del " + spec.port(router, network) for network in spec.networks]
    ip(spec.switch, ports, force=True)
    if spec.namespace(router) in namespaces():
        run(["ip", "netns", "del", spec.namespace(router)])


def set_port(spec: LabSpec, name: str, network: Network, up: bool) -> None:
    """Plug a cable in or out at the switch: the other end loses its carrier."""
    ip(spec.switch, ["link set %s %s" % (spec.port(name, network), "up" if up else "down")])


def _add_namespace(name: str) -> None:
    run(["ip", "netns", "add", name])
    ip(name, ["link set lo up"])


def _cable(spec: LabSpec, name: str, network: Network, device: str) -> List[str]:
    """`ip` lines for the switch: a veth pair from the LAN's bridge to `device` of `name`.

    The hardware address is the same after each reboot, as that of a real network card.
    """
    port = spec.port(name, network)
    mac = "02:00:00:00:%02x:%02x" % (spec.names.index(name), spec.networks.index(network))
    return [
        "link add %s type veth peer name %s address %s netns %s"
        % (port, device, mac, spec.namespace(name)),
        "link set %s addrgenmode none master br%s up" % (port, network.name),
    ]
