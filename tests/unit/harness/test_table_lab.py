# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of somebody's own table has what the table has, and what its gateways watch."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "plugins/module_utils")]

from tests.lab.shell import LabError  # noqa: E402  (needs the path above)
from tests.lab.table import lab_of_tables  # noqa: E402
from tests.lab.topology import LabSpec  # noqa: E402
from vrrp.config.gateways import gateway_configs  # noqa: E402

ROUTERS = [{"name": "a", "host_number": 2, "parent": "eth1"}, {"name": "b", "host_number": 3}]
OFFICE = {"id": 10, "networks": ["10.1.10.0/24", "fd00:10::/64"], "virtual": 1}
GUESTS = {"id": 300, "networks": ["10.1.30.0/29"], "virtual": 1, "interface": "eth1.300"}
FULL = ["10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.6"]
UPLINK = {"targets": ["10.1.10.9", "9.9.9.9"], "interface": "wan0"}


def table(vlans, defaults=None, managed=(), probe_hosts=()):
    plan = gateway_configs(vlans, ROUTERS, defaults or {})
    return {"plan": plan, "routers": ROUTERS, "managed": managed, "probe_hosts": probe_hosts}


def lab(*tables):
    return lab_of_tables("x", "router", tables)


def test_a_lan_for_each_vlan_with_a_free_address_for_its_host():
    office, guests = lab(table([OFFICE, GUESTS])).lans
    assert office.devices == {"a": "vlan10", "b": "vlan10"}
    assert office.station == ("10.1.10.4/24", "fd00:10::4/64")
    assert office.gateways == ("10.1.10.1", "fd00:10::1")
    assert guests.devices["b"] == "eth1.300"
    assert guests.real["b"] == ("10.1.30.3/29",)


def test_no_addresses_where_the_roles_set_them():
    assert list(lab(table([OFFICE], managed=["a"])).lans[0].real) == ["b"]


def test_what_is_watched_is_there():
    spec = lab(table([OFFICE], {"uplink": UPLINK, "track_links": ["wan0", "eth7"]}))
    assert spec.uplink.name == "wan0"
    assert spec.targets == ("9.9.9.9",)
    assert "10.1.10.9/24" in spec.lans[0].station
    assert [lan.name for lan in spec.lans if not lan.station] == ["eth7"]
    assert set(spec.cables("a")) == {"vlan10", "eth7", "wan0", "lab-mgmt"}


def test_two_tables_make_one_lab():
    moved = dict(OFFICE, virtual=2, routers={"a": 5, "b": 6})
    new = dict(GUESTS, id=301, networks=["10.1.31.0/24"], interface="eth1.301")
    spec = lab(table([OFFICE, GUESTS]), table([moved, new]))
    assert set(spec.hosts) == {"h10", "h300", "h301"}
    assert (spec.steady, spec.watching) == (("h10",), ("h10", "h301"))
    assert spec.hosts["h10"].gateways[0] == "10.1.10.1"  # as hosts believe before the change
    assert set(spec.hosts["h10"].real["a"]) >= {"10.1.10.2/24", "10.1.10.5/24"}


def test_trunks_are_left_out_and_probe_hosts_have_stand_ins():
    spec = lab(table([OFFICE], probe_hosts=["pc", "a"]))
    assert spec.variables[0]["vlangate_routers"][0] == dict(ROUTERS[0], parent=None)
    assert spec.stand_ins == ("pc",)


def test_it_survives_its_file():
    spec = lab(table([OFFICE, GUESTS], {"uplink": UPLINK}))
    assert LabSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("vlan", "reason"),
    [
        (dict(OFFICE, networks=["100.127.255.0/25"]), "100.127.255.0/25 of VLAN 10 is used by"),
        (dict(OFFICE, networks=["10.0.0.0/29"], virtual=FULL), "10.0.0.0/29 has no address left"),
        (dict(OFFICE, interface="lab-mgmt"), "interface lab-mgmt is one of the lab itself"),
    ],
)
def test_what_the_lab_cannot_be_is_refused(vlan, reason):
    with pytest.raises(LabError, match=reason):
        lab(table([vlan]))
