# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preparing a host: only what differs, and only services that are there."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import host_files, host_prepare
from ansible_collections.vlangate.vrrp.plugins.module_utils.host_prepare import (
    CannotPrepare,
    HostPrepare,
)

VLAN10 = {"name": "vlan10", "vlan_id": 10, "parent": "eth1", "addresses": ["198.18.10.252/24"]}
PATHS = (
    "SYSCTL_FILE",
    "NETWORKD_CONF",
    "NETWORK_DIRECTORY",
    "UNMANAGED_FILE",
    "INTERFACE_FILE",
    "PARENT_DROPIN",
    "NETWORKMANAGER_CONF",
)


@pytest.fixture
def prepare_for(tmp_path, monkeypatch, module_for):
    """HostPrepare on a host below tmp_path that has networkd and no NetworkManager."""
    for name in PATHS:
        monkeypatch.setattr(host_files, name, str(tmp_path) + getattr(host_files, name))
    for key in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
        path = tmp_path / "proc" / "sys" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("0\n")
    monkeypatch.setattr(host_prepare, "PROC_SYS", str(tmp_path / "proc" / "sys"))
    monkeypatch.setattr(host_prepare, "NETWORKD", (str(tmp_path),))
    monkeypatch.setattr(host_prepare, "NETWORKMANAGER", (str(tmp_path / "no-nm"),))

    def make(
        interfaces=(VLAN10,),
        manage="networkd",
        check_mode=False,
        forwarding=("ipv4", "ipv6"),
        state="present",
        keep=False,
    ):
        module = module_for(
            check_mode=check_mode,
            state=state,
            interfaces=list(interfaces),
            manage_interfaces=manage,
            forwarding=list(forwarding),
            keep_interfaces=keep,
        )
        module.answers["networkctl --json=short status eth1"] = (0, "{}", "")
        return HostPrepare(module)

    return make


def written(tmp_path):
    folder = tmp_path / "etc" / "systemd" / "network"
    return sorted(os.listdir(str(folder))) if folder.exists() else []


def test_everything_is_made_once(prepare_for, tmp_path):
    first = prepare_for()
    assert first.run()["changed"]
    assert written(tmp_path) == [
        "05-vlangate-unmanaged.network",
        "80-vlangate-eth1.network",
        "80-vlangate-vlan10.netdev",
        "80-vlangate-vlan10.network",
    ]
    assert (tmp_path / "proc/sys/net/ipv4/ip_forward").read_text() == "1"
    assert first.module.ran("systemctl restart systemd-networkd") == 1
    again = prepare_for()
    assert again.run() == {"changed": False, "changes": [], "diff": []}
    assert again.module.ran("reload") == again.module.ran("restart") == 0


def test_a_new_interface_reloads_without_a_restart(prepare_for):
    prepare_for([]).run()
    second = prepare_for()
    second.run()
    assert second.module.ran("networkctl reload") == 1
    assert second.module.ran("systemctl restart") == 0


def test_an_interface_that_is_gone_is_removed_with_its_device(prepare_for, tmp_path):
    prepare_for().run()
    gone = prepare_for([])
    gone.run()
    assert written(tmp_path) == ["05-vlangate-unmanaged.network"]
    assert gone.module.ran("networkctl delete vlan10") == 1


def test_none_leaves_interfaces_alone(prepare_for, tmp_path):
    prepare_for().run()
    assert not prepare_for(manage="none").run()["changed"]
    assert "80-vlangate-vlan10.netdev" in written(tmp_path)


def test_a_trunk_of_the_operator_gets_a_drop_in(prepare_for, tmp_path):
    prepare = prepare_for()
    status = json.dumps({"NetworkFile": "/etc/systemd/network/10-trunk.network"})
    prepare.module.answers["networkctl --json=short status eth1"] = (0, status, "")
    prepare.run()
    assert "10-trunk.network.d" in written(tmp_path)


def test_check_mode_shows_all_and_touches_nothing(prepare_for, tmp_path):
    prepare = prepare_for(check_mode=True)
    facts = prepare.run()
    assert facts["changed"] and len(facts["diff"]) == 6
    assert written(tmp_path) == []
    assert (tmp_path / "proc/sys/net/ipv4/ip_forward").read_text() == "0\n"
    assert prepare.module.ran("restart") == prepare.module.ran("reload") == 0


def test_networkd_that_does_not_run_is_said_before_anything_is_touched(prepare_for, tmp_path):
    prepare = prepare_for()
    prepare.module.answers["is-active"] = (3, "", "")
    with pytest.raises(CannotPrepare, match="systemctl enable --now systemd-networkd"):
        prepare.run()
    assert not (tmp_path / "etc").exists()


def test_without_networkd_only_the_kernel_is_prepared(prepare_for, tmp_path, monkeypatch):
    monkeypatch.setattr(host_prepare, "NETWORKD", ())
    prepare_for(manage="none").run()
    assert os.listdir(str(tmp_path / "etc")) == ["sysctl.d"]


def test_networkmanager_is_told(prepare_for, tmp_path, monkeypatch):
    monkeypatch.setattr(host_prepare, "NETWORKMANAGER", (str(tmp_path),))
    prepare = prepare_for()
    prepare.run()
    assert (tmp_path / "etc/NetworkManager/conf.d/80-vlangate.conf").exists()
    assert prepare.module.ran("nmcli general reload conf") == 1


def test_a_service_that_refuses_is_quoted(prepare_for):
    prepare = prepare_for()
    prepare.module.answers["systemctl restart"] = (1, "", "no such luck")
    with pytest.raises(CannotPrepare, match="no such luck"):
        prepare.run()


def sysctl(tmp_path, key):
    return tmp_path / "proc" / "sys" / key


def test_absent_puts_back_what_was_before_and_leaves_nothing(prepare_for, tmp_path):
    sysctl(tmp_path, "net/ipv6/conf/all/forwarding").write_text("1\n")
    prepare_for().run()
    # An interface that came after us, and was never anything else than what we want.
    late = sysctl(tmp_path, "net/ipv6/conf/vlan10/accept_ra")
    late.parent.mkdir(parents=True)
    late.write_text("1\n")
    prepare_for().run()
    asked = prepare_for(state="absent", check_mode=True)
    asked.run()
    gone = prepare_for(state="absent")
    facts = gone.run()
    assert facts["left"] == [] and facts["changes"] == asked.changes
    assert [files for _path, _names, files in os.walk(str(tmp_path / "etc")) if files] == []
    assert sysctl(tmp_path, "net/ipv4/ip_forward").read_text() == "0"
    assert sysctl(tmp_path, "net/ipv6/conf/all/forwarding").read_text() == "1\n"
    assert gone.module.ran("networkctl delete vlan10") == 1
    assert gone.module.ran("systemctl restart systemd-networkd") == 1
    again = prepare_for(state="absent")
    assert again.run() == {"changed": False, "changes": [], "diff": [], "left": []}
    assert again.module.commands == []


@pytest.mark.parametrize(
    "file, taken", [("80-vlangate-vlan10.network", 1), ("10-mine.network", 0), (None, 0)]
)
def test_absent_takes_back_the_addresses_that_it_gave_and_no_others(prepare_for, file, taken):
    """A file of the operator's for the same interface comes first, and its addresses are his."""
    prepare_for([{**VLAN10, "parent": None}]).run()
    gone = prepare_for([], state="absent")
    status = (0, json.dumps({"NetworkFile": "/etc/systemd/network/%s" % file}), "")
    gone.module.answers["short status vlan10"] = status if file else (1, "", "no such link")
    gone.module.answers["ip address del"] = (2, "", "Error: ipv4: Address not found.")
    gone.run()
    assert gone.module.ran("ip address del 198.18.10.252/24 dev vlan10") == taken


def test_an_address_that_cannot_be_taken_is_told(prepare_for):
    prepare_for([{**VLAN10, "parent": None}]).run()
    stuck = prepare_for([], state="absent")
    status = json.dumps({"NetworkFile": "/etc/systemd/network/80-vlangate-vlan10.network"})
    stuck.module.answers["short status vlan10"] = (0, status, "")
    stuck.module.answers["ip address del"] = (1, "", "ip: not permitted")
    with pytest.raises(CannotPrepare, match="vlan10: ip: not permitted"):
        stuck.run()


def test_a_second_run_remembers_what_was_before_the_first(prepare_for, tmp_path):
    prepare_for([]).run()
    text = (tmp_path / "etc/sysctl.d/80-vlangate.conf").read_text()
    assert "# before: net/ipv4/ip_forward = 0" in text
    prepare_for([], forwarding=["ipv4"]).run()
    assert (
        "# before: net/ipv4/ip_forward = 0"
        in (tmp_path / "etc/sysctl.d/80-vlangate.conf").read_text()
    )


def test_absent_with_none_leaves_interfaces_alone_and_tells_it(prepare_for, tmp_path):
    prepare_for().run()
    gone = prepare_for(state="absent", manage="none")
    left = gone.run()["left"]
    assert [os.path.basename(path) for path in left] == [
        "80-vlangate-eth1.network",
        "80-vlangate-vlan10.netdev",
        "80-vlangate-vlan10.network",
    ]
    assert gone.module.ran("networkctl delete") == 0


def test_a_drop_in_goes_with_its_directory(prepare_for, tmp_path):
    prepare = prepare_for()
    status = json.dumps({"NetworkFile": "/etc/systemd/network/10-trunk.network"})
    prepare.module.answers["networkctl --json=short status eth1"] = (0, status, "")
    prepare.run()
    prepare_for(state="absent").run()
    assert written(tmp_path) == []


def test_the_engine_has_to_be_gone_first(prepare_for, tmp_path, monkeypatch):
    prepare_for().run()
    devices = [(1, "lo"), (2, "vg-vlan10-v4")]
    monkeypatch.setattr(host_prepare.socket, "if_nameindex", lambda: devices)
    with pytest.raises(CannotPrepare, match=r"\(vg-vlan10-v4\): remove it first"):
        prepare_for(state="absent").run()
    assert sysctl(tmp_path, "net/ipv4/ip_forward").read_text() == "1"


def test_an_interface_that_the_engine_still_uses_is_kept(prepare_for, tmp_path):
    prepare_for().run()
    before = written(tmp_path)
    prepare_for(interfaces=(), keep=True).run()
    assert written(tmp_path) == before
    prepare_for(interfaces=()).run()
    assert "80-vlangate-vlan10.network" not in written(tmp_path)
