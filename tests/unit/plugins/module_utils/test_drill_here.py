# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strike is undone by systemd before anybody else does it, and what is remembered has times."""

from __future__ import annotations

import pytest
from ansible_collections.vlangate.vrrp.plugins.module_utils import drill_here
from ansible_collections.vlangate.vrrp.plugins.module_utils.drill_here import (
    Strike,
    mend,
    remembered,
)

ADDRESSES = "2: lo    inet6 2001:db8:10::fc/64 scope global \\       valid_lft forever"
ROUTES = "198.18.10.0/24 proto kernel scope link\n203.0.113.0/24 via 198.18.10.1 proto static\n"


@pytest.fixture
def strike(monkeypatch, tmp_path, module_for):
    """A router's module, whose files are in tmp_path."""
    monkeypatch.setattr(drill_here, "UNDO", str(tmp_path / "undo"))
    monkeypatch.setattr(drill_here, "DROP_IN", str(tmp_path / "unit.d/drill.conf"))
    monkeypatch.delenv("SSH_CONNECTION", raising=False)

    def make(kind, interfaces=(), check_mode=False):
        params = {"kind": kind, "interfaces": list(interfaces), "undo_after": 30}
        return module_for(check_mode, **params)

    return make


@pytest.mark.parametrize("kind", ["stop", "kill", "crash"])
def test_systemd_is_told_to_mend_it_before_it_is_struck(strike, tmp_path, kind):
    module = strike(kind)
    facts = Strike(module).strike()
    commands = [" ".join(argv) for argv in module.commands]
    assert commands[0].startswith("systemd-run --quiet --unit vlangate-drill-undo --on-active=30 ")
    struck = "stop" if kind == "stop" else "kill --signal=KILL"
    assert commands[-1] == "systemctl %s vlangated.service" % struck
    assert "systemctl start vlangated.service" in (tmp_path / "undo").read_text()
    assert (tmp_path / "unit.d/drill.conf").exists() == (kind == "crash")
    assert facts["changed"] and facts["at"] <= facts["until"]


def test_a_link_gets_back_what_the_kernel_takes_from_it(strike, tmp_path):
    module = strike("link", ["lo"])
    module.answers = {
        "ip -6 -o address": (0, ADDRESSES, ""),
        "ip -4 route show": (0, ROUTES, ""),
    }
    assert Strike(module).strike()["event"] == "lo is taken down"
    lines = (tmp_path / "undo").read_text().splitlines()
    assert lines[1:-1] == [
        "# lo is taken up again",
        "ip link set dev lo up",
        "ip -6 address replace 2001:db8:10::fc/64 dev lo nodad",
        "ip -4 route replace 203.0.113.0/24 via 198.18.10.1 proto static dev lo",
    ]


def test_in_check_mode_nothing_is_struck_or_mended(strike, tmp_path):
    module = strike("crash", check_mode=True)
    assert Strike(module).strike()["changed"]
    assert module.commands == [] and list(tmp_path.glob("u*")) == []
    (tmp_path / "undo").write_text("#!/bin/sh\n# x\n")
    assert mend(module)["changed"] and module.commands == []


@pytest.mark.parametrize(
    ("kind", "interfaces", "client", "told"),
    [
        ("link", ["lo"], "192.0.2.1 5 192.0.2.2 22", "Ansible reaches this router by lo"),
        ("link", ["vg-none"], "", "there is no interface vg-none here"),
    ],
)
def test_what_cuts_us_off_is_refused(strike, monkeypatch, kind, interfaces, client, told):
    monkeypatch.setenv("SSH_CONNECTION", client)
    module = strike(kind, interfaces)
    module.answers = {"ip route get 192.0.2.1": (0, "192.0.2.1 dev lo src 192.0.2.2", "")}
    with pytest.raises(Exception, match=told):
        Strike(module).strike()
    assert not module.ran("systemd-run") and not module.ran("down")


def test_who_is_struck_is_not_struck_again(strike):
    module = strike("stop")
    Strike(module).strike()
    with pytest.raises(Exception, match="struck already: use state: mended first"):
        Strike(module).strike()


def test_it_is_mended_once(strike, tmp_path):
    module = strike("stop")
    assert not mend(module)["changed"] and module.commands == []
    Strike(module).strike()
    facts = mend(module)
    assert facts["changed"] and facts["event"] == "the engine is started again"
    assert module.commands[-2:] == [
        [str(tmp_path / "undo")],
        ["systemctl", "stop", "vlangate-drill-undo.timer"],
    ]


def router(*ages_s, drains=()):
    return {
        "name": "vlan10-v4",
        "state": "backup",
        "transitions": [
            {"age_ns": int(age * 1e9), "previous": "backup", "current": "master", "reason": "x"}
            for age in ages_s
        ],
        "occurrences": [
            {"age_ns": int(age * 1e9), "kind": "drain", "sentence": text} for age, text in drains
        ],
    }


def test_ages_become_times_and_what_was_before_is_left_out():
    found = remembered([router(100, 5)], 1000.0, since=990.0)
    (group,) = found["groups"]
    assert [change["at"] for change in group["transitions"]] == [995.0]


def test_a_drain_of_many_groups_is_told_once():
    drains = ((5, "drained: master only if nobody else is"), (2, "no longer drained"))
    found = remembered([router(drains=drains), router(drains=drains)], 1000.0, since=0)
    assert [(each["at"], each["drained"]) for each in found["drains"]] == [
        (995.0, True), (998.0, False),
    ]  # fmt: skip
