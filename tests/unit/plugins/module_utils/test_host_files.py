# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that make a host a gateway."""

from __future__ import annotations

from ansible_collections.vlangate.vrrp.plugins.module_utils import host_files

VLAN10 = {"name": "vlan10", "vlan_id": 10, "parent": None, "addresses": ["198.18.10.252/24"]}
TRUNKED = {**VLAN10, "name": "eth1.10", "parent": "eth1"}


def unmanaged(interface):
    return None


def test_both_families_forward_and_believe_no_advertisements():
    assert host_files.sysctls([TRUNKED], ["ipv4", "ipv6"]) == {
        "net/ipv4/ip_forward": "1",
        "net/ipv6/conf/all/forwarding": "1",
        "net/ipv6/conf/eth1.10/accept_ra": "0",
    }
    assert host_files.sysctls([TRUNKED], ["ipv4"]) == {"net/ipv4/ip_forward": "1"}


def test_a_missing_interface_is_no_error_for_sysctl():
    text = host_files.sysctl_file({"net/ipv6/conf/eth1.10/accept_ra": "0"}, {})
    assert "\n-net/ipv6/conf/eth1.10/accept_ra = 0\n" in text


def test_the_file_remembers_what_was_before():
    wanted = {"net/ipv4/ip_forward": "1", "net/ipv6/conf/eth1.10/accept_ra": "0"}
    text = host_files.sysctl_file(wanted, {"net/ipv4/ip_forward": "0"})
    assert "\n# before: net/ipv4/ip_forward = 0\n-net/ipv4/ip_forward = 1\n" in text
    assert host_files.read_sysctl_file(text) == (wanted, {"net/ipv4/ip_forward": "0"})
    assert host_files.read_sysctl_file("") == ({}, {})


def test_our_devices_are_left_alone():
    assert "Name=vg-*" in host_files.networkd_files()[host_files.UNMANAGED_FILE]
    text = host_files.networkmanager_files()[host_files.NETWORKMANAGER_CONF]
    assert "match-device=interface-name:vg-*\nmanaged=0\n" in text


def test_without_a_parent_an_interface_only_gets_addresses():
    files = host_files.interface_files([VLAN10], unmanaged)
    assert list(files) == ["/etc/systemd/network/80-vlangate-vlan10.network"]
    text = files["/etc/systemd/network/80-vlangate-vlan10.network"]
    assert "Name=vlan10\n" in text and "Address=198.18.10.252/24\n" in text
    assert "\nLLDP=no\n" in text.partition("[Network]")[2]


def test_a_trunk_of_nobody_becomes_ours():
    files = host_files.interface_files([TRUNKED], unmanaged)
    assert sorted(files) == [
        "/etc/systemd/network/80-vlangate-eth1.10.netdev",
        "/etc/systemd/network/80-vlangate-eth1.10.network",
        "/etc/systemd/network/80-vlangate-eth1.network",
    ]
    assert "Id=10\n" in files["/etc/systemd/network/80-vlangate-eth1.10.netdev"]
    assert "VLAN=eth1.10\n" in files["/etc/systemd/network/80-vlangate-eth1.network"]
    again = host_files.interface_files([TRUNKED], lambda interface: "80-vlangate-eth1.network")
    assert again == files


def test_a_trunk_of_the_operator_gets_a_drop_in():
    files = host_files.interface_files([TRUNKED], lambda interface: "10-trunk.network")
    text = files["/etc/systemd/network/10-trunk.network.d/80-vlangate.conf"]
    assert text.endswith("[Network]\nVLAN=eth1.10\n")
    assert "/etc/systemd/network/80-vlangate-eth1.network" not in files


def test_the_trunk_itself_is_no_vlan_of_its_own():
    files = host_files.interface_files([{**VLAN10, "parent": "vlan10"}], unmanaged)
    assert list(files) == ["/etc/systemd/network/80-vlangate-vlan10.network"]
