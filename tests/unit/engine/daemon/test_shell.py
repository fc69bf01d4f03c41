# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell: order, what a refusing host does, and listening over changes of links."""

import json

import pytest
from engine_kit.ports import FakeDataplane, FakeIO, FakeLog, refused
from engine_kit.values import NS_PER_S, T0, config, group, group6, link

from vrrp.config.model import RouterAdvertisements
from vrrp.daemon.shell import Shell
from vrrp.router.events import ConfigReplaced, LinksChanged, Stop, Tick
from vrrp.router.vrrp_router import VrrpRouter

DOWN_NS = 3_609_375_000
LAN1 = link("lan1", 8, addresses=("198.18.11.5/24",))
LINKS = (link(),)
OTHER = group("other", interface="lan1", vrid=11, addresses=("198.18.11.254",))


class Host:
    """A shell over ports that keep a journal."""

    def __init__(self, *groups, links=LINKS):
        self.journal = []
        self.io = FakeIO(self.journal)
        self.dataplane = FakeDataplane(self.journal)
        self.router = VrrpRouter(config(*groups), links, T0)
        self.shell = Shell(self.router, self.io, self.dataplane, FakeLog(self.journal))

    def did(self, *kinds):
        """The journal since the last call, perhaps only some kinds of entries."""
        found = [each for each in self.journal if not kinds or each[0] in kinds]
        self.journal.clear()
        return found

    def become_master(self):
        self.shell.step(Tick(), T0)
        self.did()
        self.shell.step(Tick(), T0 + DOWN_NS)


@pytest.fixture(name="host")
def one_group():
    host = Host(group())
    yield host
    host.io.close()


def test_actions_are_carried_out_in_their_order(host):
    host.become_master()
    assert [each[:3] for each in host.did()] == [
        ("send", 7, 100),
        ("apply", ["vg-vlan10"]),
        ("send", 7, "announcement"),
        ("log", "notice", "vlan10: backup -> master: no master was heard since it began to listen"),
    ]


def test_a_refused_frame_stops_nothing_else(host):
    host.io.broken[7] = refused("send")
    host.become_master()
    assert [each[0] for each in host.did()] == ["log", "apply", "log"]


def test_refused_frames_fill_no_log(host):
    host.become_master()
    host.did()
    host.io.broken[7] = refused("send")
    for second in range(1, 251):
        host.shell.step(Tick(), T0 + DOWN_NS + second * NS_PER_S)
    lines = [message for _kind, _level, message in host.did("log")]
    assert len(lines) == 3
    assert "send lan0 failed" in lines[0]
    assert lines[0].endswith("(failure 1)")
    assert lines[2].endswith("(failure 201)")


def test_a_frame_that_gets_out_ends_the_count(host):
    host.become_master()
    for second in range(1, 5):
        host.io.broken = {7: refused("send")} if second % 2 else {}
        host.shell.step(Tick(), T0 + DOWN_NS + second * NS_PER_S)
    lines = [message for _kind, level, message in host.did("log") if level == "warning"]
    assert [line[-11:] for line in lines] == ["(failure 1)"] * 2


def test_a_refusing_data_plane_is_tried_again_later(host):
    host.dataplane.refusals.append(refused("add a device to"))
    assert not host.shell.needs_reconcile
    host.shell.step(Tick(), T0)
    assert host.shell.needs_reconcile
    assert ("log", "error", str(refused("add a device to"))) in host.did()


def test_listening_begins_with_the_links_that_carry_virtual_routers():
    host = Host(group(), links=(link(), LAN1))
    host.shell.listen()
    assert host.did() == [("listen", ["lan0"])]
    host.io.close()


def test_what_the_kernel_lacks_is_not_announced(host):
    """RFC 9568 section 8.1.2. The advertisement has stopped the other routers already."""
    mac = bytes.fromhex("00005e00010a")
    host.dataplane.broken = [(7, mac)]
    host.become_master()
    assert [each[:3] for each in host.did("send")] == [("send", 7, 100)]
    host.dataplane.broken = [(8, mac), (7, bytes(6))]
    host.shell.step(Tick(), T0 + DOWN_NS + NS_PER_S)
    assert {each[2] for each in host.did("send")} == {100, "announcement"}


def test_a_refused_listen_is_logged(host):
    host.io.listen_error = refused("listen on")
    host.shell.listen()
    assert host.did() == [("listen", ["lan0"]), ("log", "error", str(refused("listen on")))]


def test_a_link_that_is_left_is_still_open_for_the_release():
    host = Host(group(), OTHER, links=(link(), LAN1))
    host.become_master()
    host.did()
    host.shell.step_over_links(ConfigReplaced(config(group())), T0 + DOWN_NS)
    assert host.did("listen", "send", "apply") == [
        ("apply", ["vg-other", "vg-vlan10"]),
        ("send", 8, 0),
    ]
    host.shell.step(Tick(), T0 + DOWN_NS + 2 * NS_PER_S)
    assert host.did("listen", "apply") == [("apply", ["vg-vlan10"]), ("listen", ["lan0"])]
    host.io.close()


def test_a_link_that_is_entered_is_open_before_anything_is_sent():
    host = Host(group())
    host.become_master()
    host.did()
    host.router.step(LinksChanged((link(), LAN1)), T0 + DOWN_NS)
    event = ConfigReplaced(config(group(), group("owner", interface="lan1", vrid=9, priority=255)))
    host.shell.step_over_links(event, T0 + DOWN_NS)
    did = host.did("listen", "send")
    assert did[0] == ("listen", ["lan0", "lan1"])
    assert did[1] == ("send", 8, 255)
    host.io.close()


def test_a_link_that_was_recreated_is_open_under_both_numbers():
    host = Host(group())
    host.become_master()
    host.did()
    host.shell.step_over_links(LinksChanged((link(ifindex=9),)), T0 + DOWN_NS)
    assert host.did("listen", "send") == [
        ("listen", ["lan0", "lan0"]),
        ("send", 7, 0),
        ("listen", ["lan0"]),
    ]
    host.io.close()


def test_an_event_that_leaves_the_links_listens_to_nothing_new(host):
    host.shell.step_over_links(ConfigReplaced(config(group(priority=7))), T0)
    assert host.did("listen") == []


def test_watchers_get_every_note_ready_for_json(host):
    heard = []
    host.shell.watch(heard.append)
    host.become_master()
    host.shell.step(Stop(), T0 + DOWN_NS)
    assert [each["current"] for each in json.loads(json.dumps(heard))] == [
        "backup",
        "master",
        "initialize",
    ]
    assert {(each["kind"], each["name"]) for each in heard} == {("transition", "vlan10")}


def test_levels_of_the_log():
    host = Host(OTHER)
    host.shell.step(Tick(), T0)
    ((_kind, level, message),) = host.did("log")
    assert level == "warning"
    assert message.startswith("other: waits in initialize: interface lan1 does not exist")
    host.io.close()


# Router solicitations

TELLING = group6(router_advertisements=RouterAdvertisements(enabled=True))


@pytest.fixture(name="hosts")
def ears_for_hosts():
    hosts = FakeIO([])
    yield hosts
    hosts.close()


def test_hosts_are_heard_where_they_are_told_something(host, hosts):
    """A reload is enough, though the links stay the same."""
    host.shell.solicitations = hosts
    host.shell.listen()
    for wanted in (config(group(), TELLING), config(group())):
        host.shell.step_over_links(ConfigReplaced(wanted), T0)
    assert hosts.journal == [("listen", []), ("listen", ["lan0"]), ("listen", [])]


def test_ears_that_are_refused_are_asked_for_again(host, hosts):
    host.shell.solicitations = hosts
    hosts.listen_error = refused("join")
    host.shell.step_over_links(ConfigReplaced(config(TELLING)), T0)
    assert host.shell.is_deaf and host.shell.needs_reconcile
    hosts.listen_error = None
    host.shell.listen()
    assert not host.shell.is_deaf
    assert hosts.journal == [("listen", ["lan0"])] * 2
