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

A site of somebody's own table (`table.py`) has LANs of its own besides, with the names and
addresses of that table.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from ipaddress import ip_interface
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

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

    @property
    def station(self) -> Tuple[str, ...]:
        """The addresses of the host that is no router."""
        return tuple(self.with_length(version, STATION_HOST) for version in (4, 6))

    @property
    def gateways(self) -> Tuple[str, ...]:
        return tuple(self.address(version, VIRTUAL_HOST) for version in (4, 6))

    def device(self, router: str) -> Optional[str]:
        """What a router calls its interface there; None where it has none."""
        return self.name


@dataclass(frozen=True)
class Lan:
    """One LAN of a table: everything about it is said there. One without a station is a link."""

    name: str
    vlan: int
    devices: Mapping[str, str]  # router -> interface
    real: Mapping[str, Tuple[str, ...]]  # router -> addresses, where its operator has set them up
    station: Tuple[str, ...]
    gateways: Tuple[str, ...]

    def device(self, router: str) -> Optional[str]:
        return self.devices.get(router)

    @property
    def prefixes(self) -> Tuple[str, ...]:
        return tuple(str(ip_interface(address).network) for address in self.station)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Lan:
        """What `asdict` gave; JSON has lists where we have tuples."""
        real = {router: tuple(addresses) for router, addresses in document["real"].items()}
        station, gateways = (tuple(document[name]) for name in ("station", "gateways"))
        name, vlan, devices = (document[name] for name in ("name", "vlan", "devices"))
        return cls(name, vlan, devices, real, station, gateways)


UPLINK_NETWORK = Network(UPLINK, "198.51.100.", "2001:db8:ffff::")
MANAGEMENT_NETWORK = Network(MANAGEMENT, "192.0.2.", "2001:db8:fffe::")

AnyNetwork = Union[Network, Lan]


def vlan_network(vlan: int) -> Network:
    return Network("vlan%d" % vlan, "198.18.%d." % vlan, "2001:db8:%d::" % vlan)


@dataclass(frozen=True)
class LabSpec:
    """What a lab consists of. The prefix keeps labs on one machine apart."""

    prefix: str
    routers: Tuple[str, ...] = ("gw1", "gw2")
    vlans: Tuple[int, ...] = (10, 20)
    rootfs: str = "router"
    # Where there are any, they take the place of `vlans`.
    lans: Tuple[Lan, ...] = ()
    uplink: Network = UPLINK_NETWORK
    management: Network = MANAGEMENT_NETWORK
    # What else the ISP answers for.
    targets: Tuple[str, ...] = ()
    # Hosts whose gateways a change does not take away, for traffic.
    steady: Tuple[str, ...] = ()
    # Hosts that are in a VLAN after the change; where nothing is said, all of them.
    watching: Tuple[str, ...] = ()
    # Hosts of a site's inventory for which ours stand in.
    stand_ins: Tuple[str, ...] = ()
    # What Ansible is told otherwise than by each of the tables that the lab was made for.
    variables: Tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if not self.prefix.isalnum() or len(self.prefix) > 12:
            raise ValueError("the prefix %r has to be 1-12 letters and digits" % self.prefix)

    def namespace(self, name: str) -> str:
        return "%s-%s" % (self.prefix, name)

    @property
    def switch(self) -> str:
        return self.namespace("switch")

    @property
    def networks(self) -> Tuple[AnyNetwork, ...]:
        """Every LAN that a router may be connected to."""
        lans = self.lans or [vlan_network(vlan) for vlan in self.vlans]
        return (*lans, self.uplink, self.management)

    @property
    def hosts(self) -> Dict[str, AnyNetwork]:
        """The hosts that have a gateway, each with its LAN."""
        if self.lans:
            return {"h%d" % lan.vlan: lan for lan in self.lans if lan.station}
        return {"h%d" % vlan: vlan_network(vlan) for vlan in self.vlans}

    @property
    def stations(self) -> Dict[str, AnyNetwork]:
        """Every namespace that is no router, with the LAN that it is on."""
        return {**self.hosts, ISP: self.uplink, CONTROLLER: self.management}

    def cables(self, router: str) -> Dict[str, AnyNetwork]:
        """The interfaces of a router, each with the LAN that it is on."""
        found = ((network.device(router), network) for network in self.networks)
        return {device: network for device, network in found if device is not None}

    @property
    def names(self) -> Tuple[str, ...]:
        return (*self.routers, *self.stations)

    def router_host(self, router: str) -> int:
        """The host number of a router's real addresses: .252, .253, and then .251 downwards."""
        number = self.routers.index(router)
        return FIRST_ROUTER_HOST + number if number < 2 else FIRST_ROUTER_HOST + 1 - number

    def management_address(self, router: str) -> str:
        return self.management.address(4, 11 + self.routers.index(router))

    def port(self, name: str, network: AnyNetwork) -> str:
        """The switch's end of a cable; names of devices have at most 15 characters."""
        port = "%s.%s" % (name, network.name)
        if len(port) > 15:
            port = "p%d.%d" % (self.names.index(name), self.networks.index(network))
        return port

    def to_json(self) -> Dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LabSpec:
        """What `to_json` gave; JSON has lists where we have tuples."""
        pairs = document.items()
        fields: Dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in pairs}
        fields["lans"] = tuple(map(Lan.from_json, fields["lans"]))
        for name in ("uplink", "management"):
            fields[name] = Network(**fields[name])
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
        settings = ["net.ipv6.conf.%s.accept_ra=0" % which for which in ("all", "default")]
        if name == ISP and spec.lans:
            # Of a table, not every router need be in every VLAN: they meet where they come from.
            settings += ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
        run(in_namespace(spec.namespace(name), ["sysctl", "-qw", *settings]))
        addresses = ["addr add %s dev %s nodad" % (each, STATION_DEVICE)
                     for each in network.station]  # fmt: skip
        if name == ISP:
            addresses += ["addr add %s dev lo" % target for target in spec.targets]
        up = ["link set %s up" % STATION_DEVICE]
        ip(spec.namespace(name), up + addresses + _station_routes(spec, name, network))


def _station_routes(spec: LabSpec, name: str, network: AnyNetwork) -> List[str]:
    if name == CONTROLLER:
        return []
    if name == ISP:
        return [
            "route add %s via %s" % (prefix, gateway)
            for host in spec.hosts.values()
            for prefix, gateway in zip(host.prefixes, _ways_back(spec, host))
        ]
    return ["route add default via %s" % gateway for gateway in network.gateways]


def _ways_back(spec: LabSpec, network: AnyNetwork) -> List[str]:
    """By which addresses the ISP reaches a LAN, for each of its prefixes."""
    if isinstance(network, Network):
        return list(spec.uplink.gateways)
    # A table of somebody's own need not have a group on the way from the ISP.
    host = spec.router_host(next(iter(network.devices)))
    return [spec.uplink.address(ip_interface(each).version, host) for each in network.station]


def wire_router(spec: LabSpec, router: str) -> None:
    """Give a router a fresh network stack, as after power-on, and plug in all its cables."""
    unplug_router(spec, router)
    _add_namespace(spec.namespace(router))
    lines, ups = [], []
    for device, network in spec.cables(router).items():
        lines += _cable(spec, router, network, device)
        ups.append("link set %s up" % device)
    ip(spec.switch, lines)
    management = "addr add %s/24 dev %s" % (
        spec.management_address(router), spec.management.name)  # fmt: skip
    ip(spec.namespace(router), [*ups, management])


def uplink_settings(spec: LabSpec, router: str) -> str:
    """What the router's operator has written for systemd-networkd before we came: its uplink."""
    lines = _settings(spec.uplink.name)
    for version in (4, 6):
        address = spec.uplink.with_length(version, spec.router_host(router))
        lines += ["Address=" + address, "Gateway=" + spec.uplink.address(version, STATION_HOST)]
    return "\n".join(lines) + "\n"


def lan_settings(spec: LabSpec, router: str) -> Dict[str, str]:
    """The same for the LANs that its operator has set up: file name -> content."""
    return {
        "20-%s.network" % lan.devices[router]: "\n".join(
            _settings(lan.devices[router]) + ["Address=" + each for each in lan.real[router]]
        )
        + "\n"
        for lan in spec.lans
        if lan.real.get(router)
    }


def _settings(device: str) -> List[str]:
    return ["[Match]", "Name=" + device, "[Network]", "LinkLocalAddressing=ipv6",
            "IPv6AcceptRA=no", "LLDP=no"]  # fmt: skip


def unplug_router(spec: LabSpec, router: str) -> None:
    """Take a router's network stack and cables away, if there are any."""
    ports = ["link del " + spec.port(router, network) for network in spec.cables(router).values()]
    ip(spec.switch, ports, force=True)
    if spec.namespace(router) in namespaces():
        run(["ip", "netns", "del", spec.namespace(router)])


def set_port(spec: LabSpec, name: str, network: AnyNetwork, up: bool) -> None:
    """Plug a cable in or out at the switch: the other end loses its carrier."""
    ip(spec.switch, ["link set %s %s" % (spec.port(name, network), "up" if up else "down")])


def _add_namespace(name: str) -> None:
    run(["ip", "netns", "add", name])
    ip(name, ["link set lo up"])


def _cable(spec: LabSpec, name: str, network: AnyNetwork, device: str) -> List[str]:
    """`ip` lines for the switch: a veth pair from the LAN's bridge to `device` of `name`.

    The hardware address is the same after each reboot, as that of a real network card.
    """
    port = spec.port(name, network)
    place = spec.names.index(name) << 16 | spec.networks.index(network)
    mac = ":".join(re.findall("..", "0200%08x" % place))
    return [
        "link add %s type veth peer name %s address %s netns %s"
        % (port, device, mac, spec.namespace(name)),
        "link set %s addrgenmode none master br%s up" % (port, network.name),
    ]
