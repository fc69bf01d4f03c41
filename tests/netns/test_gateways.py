# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two gateways take over from each other and find back, under traffic, on good and bad cables."""

from __future__ import annotations

from typing import Iterator, Tuple

import pytest
from frames import Wire
from gateways import INTERVAL_CS, LAN_VIPS, Flow, Pair, all_are, document
from hosts import MAC4, MAC6
from namespaces import run
from scapy.layers.inet6 import ICMPv6NDOptDstLLAddr
from scapy.layers.l2 import ARP

# Three intervals and a skew are the rule; the rest is for a machine that does other things, too.
TAKEOVER_S = 4 * INTERVAL_CS / 100 + 1.5
HANDOVER_S = 1.0
# Bad cables lose single packets, and an announcement among them now and then.
BAD = "delay 10ms 5ms loss 5% reorder 20%"
CABLES = pytest.mark.parametrize(
    "netem", ["", pytest.param(BAD, marks=pytest.mark.kernel("netem"))], ids=["good", "bad"]
)


@pytest.fixture
def flow(pair: Pair) -> Iterator[Flow]:
    made = Flow(pair)
    yield made
    made.close()


def start(pair: Pair, flow: Flow) -> None:
    """Both run, the first one is master of all, and packets pass."""
    pair.first.start(document(200))
    pair.second.start(document(100))
    settle(pair, flow)


def settle(pair: Pair, flow: Flow) -> None:
    """Until exactly one is master, the intended one, and packets pass again."""
    one, two = pair.first.daemon, pair.second.daemon
    assert one is not None and two is not None
    flow.run_until(lambda: all_are("master", one) and all_are("backup", two), "the right masters")
    flow.run_until(lambda: passes(flow), "packets to pass")


def passes(flow: Flow) -> bool:
    """Nearly all packets pass."""
    flow.begin()
    flow.run(0.5)
    return max(flow.outages_s()) < 0.2


def assert_short(outages_s: Tuple[float, float], bound_s: float) -> None:
    """Prints what was measured, too."""
    print("outage: IPv4 %.2f s, IPv6 %.2f s (at most %.2f s)" % (*outages_s, bound_s))
    assert max(outages_s) <= bound_s


@CABLES
def test_a_gateway_whose_power_fails_is_replaced_and_comes_back(
    pair: Pair, flow: Flow, netem: str
) -> None:
    if netem:
        pair.shape(netem)
    start(pair, flow)
    flow.begin()
    pair.first.kill()
    pair.switch.cut(pair.first.namespace)
    second = pair.second.daemon
    assert second is not None
    flow.run_until(lambda: all_are("master", second), "the takeover")
    flow.run(TAKEOVER_S)
    assert_short(flow.outages_s(), TAKEOVER_S)
    # Its kernel holds the addresses still, as after a crash of the daemon; a boot forgets them.
    assert pair.first.clean_up().wait(60) == 0
    pair.switch.mend(pair.first.namespace)
    flow.begin()
    pair.first.start(document(200))
    settle(pair, flow)


@CABLES
def test_a_gateway_that_stops_in_good_order_is_hardly_missed(
    pair: Pair, flow: Flow, netem: str
) -> None:
    if netem:
        pair.shape(netem)
    start(pair, flow)
    flow.begin()
    first, second = pair.first.daemon, pair.second.daemon
    assert first is not None and second is not None
    first.process.terminate()
    flow.run_until(lambda: all_are("master", second), "the handover")
    flow.run(HANDOVER_S)
    # On a bad cable the release may be lost; then it is a takeover.
    assert_short(flow.outages_s(), TAKEOVER_S if netem else HANDOVER_S)
    assert first.process.wait(20) == 0


@CABLES
def test_two_halves_of_a_lan_that_meet_again_agree(pair: Pair, flow: Flow, netem: str) -> None:
    if netem:
        pair.shape(netem)
    start(pair, flow)
    first, second = pair.first.daemon, pair.second.daemon
    assert first is not None and second is not None
    separate(pair, "on")
    flow.run_until(lambda: all_are("master", first, second), "two masters that do not hear")
    separate(pair, "off")
    settle(pair, flow)
    wire = Wire(pair.client, "eth0")
    for _attempt in range(20 if netem else 1):
        macs = who_answers(wire)
        if macs == [MAC4, MAC6]:
            break
    assert macs == [MAC4, MAC6]
    wire.close()


def separate(pair: Pair, state: str) -> None:
    """Whether the switch keeps the gateways from hearing each other; hosts hear both."""
    for port in pair.switch.router_ports():
        run(
            "bridge",
            "-n",
            pair.switch.namespace.name,
            "link",
            "set",
            "dev",
            port,
            "isolated",
            state,
        )


def who_answers(wire: Wire) -> object:
    """The MACs that tell themselves for the virtual addresses of the LAN, each as often as told."""
    vip4, vip6 = LAN_VIPS["lan4"][0], LAN_VIPS["lan6"][1]
    four = [answer[ARP].hwsrc for answer in wire.ask_arp(vip4, patience_s=0.3)]
    six = wire.ask_neighbour(vip6, patience_s=0.3)
    return four + [answer[ICMPv6NDOptDstLLAddr].lladdr for answer in six]


def test_a_killed_daemon_leaves_nothing_once_it_is_cleaned_up(pair: Pair, flow: Flow) -> None:
    """The link stays up: until then the kernel goes on, which a fence has to end."""
    start(pair, flow)
    flow.begin()
    pair.first.kill()
    cleaning = pair.first.clean_up()
    flow.run_until(lambda: cleaning.poll() is not None, "the end of the cleanup")
    assert cleaning.returncode == 0
    second = pair.second.daemon
    assert second is not None
    flow.run_until(lambda: all_are("master", second), "the takeover")
    flow.run(HANDOVER_S)
    assert_short(flow.outages_s(), TAKEOVER_S)
    assert "vg-" not in pair.first.namespace.ip("link")
