# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host asks about its gateway, and real kernels and engines answer."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml
from gateways import Pair, all_are, document
from namespaces import LAN, run

# Not by their bare names: they have siblings that they import.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from module_utils.probe_here import asked
from module_utils.probe_measure import NeverSteady, measured
from module_utils.vrrp.errors import ConfigError

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MAC4, MAC6 = "00:00:5e:00:01:0a", "00:00:5e:00:02:0a"
FAR = "198.51.100.2"


def options(**more: Any) -> Dict[str, Any]:
    """The module's, with short times."""
    given = {"gateway": None, "interface": None, "expected": None, "intervals": 3, "timeout": 8.0}
    return {**given, "beyond": ["203.0.113.1"], **more}


def ask(pair: Pair, **more: Any) -> List[Dict[str, Any]]:
    with pair.client.inside():
        return asked(options(**more))


def measure(pair: Pair, **more: Any) -> Dict[str, Any]:
    given = {"targets": None, "seconds": 1.0, "rate": 1000, "marker": None, **more}
    with pair.client.inside():
        return measured(options(measure=given))


def start(pair: Pair) -> None:
    """The first is master, the second is backup."""
    one = pair.first.start(document(200))
    one.wait_for(lambda shown: all_are("master", one), "the roles")
    two = pair.second.start(document(100))
    two.wait_for(lambda shown: all_are("backup", two), "the backup")


def test_the_default_gateways_are_vrrp_and_the_first_router_stands_behind(pair: Pair) -> None:
    start(pair)
    four, six = ask(pair)
    mac = pair.first.namespace.mac(LAN)
    assert four["problems"] == six["problems"] == []
    assert (four["address"], four["macs"], four["vrid"]) == ("10.0.0.254", [MAC4], 10)
    assert (six["address"], six["macs"], six["vrid"]) == ("fe80::254", [MAC6], 10)
    assert (four["router"], four["router_mac"]) == ("10.0.0.252", mac)
    assert (six["router"], six["router_mac"]) == ("2001:db8:a::252", mac)
    for each, source in ((four, "10.0.0.252"), (six, "fe80::252")):
        (speaker,) = each["speakers"]
        assert each["is_vrrp"] and each["version"] == 3 and each["interface"] == "eth0"
        assert (speaker["source"], speaker["real_mac"]) == (source, mac)
        assert (speaker["priority"], speaker["advertisement_interval_cs"]) == (200, 20)
        assert speaker["virtual_mac"] and speaker["ttl"] == 255


def sample(module: str, name: str) -> Any:
    """What a module's documentation shows of what it returns."""
    text = (PLUGINS / "modules" / (module + ".py")).read_text()
    documented = yaml.safe_load(text.split('RETURN = r"""')[1].split('"""')[0])
    return documented[name]["sample"]


def test_what_is_returned_is_what_is_documented(pair: Pair) -> None:
    start(pair)
    (found,) = ask(pair, gateway=["10.0.0.254"])
    (documented,) = sample("vrrp_probe", "gateways")
    assert list(found) == list(documented)
    assert set(found["speakers"][0]) == set(documented["speakers"][0])
    losing = measure(pair, targets=["10.0.0.77"], seconds=0.2)
    for name in ("outages", "samples", "targets"):
        assert list(losing[name][0]) == list(sample("vrrp_probe", name)[0])
    for name in ("sent", "received", "lost", "longest", "late"):
        assert type(losing[name]) is type(sample("vrrp_probe", name))


def test_after_a_hand_over_it_is_the_second_one(pair: Pair) -> None:
    start(pair)
    first, second = pair.first.daemon, pair.second.daemon
    assert first is not None and second is not None
    first.process.terminate()
    second.wait_for(lambda shown: all_are("master", second), "the hand-over")
    assert first.process.wait(20) == 0
    (found,) = ask(pair, gateway=["10.0.0.254"])
    assert (found["router"], found["problems"]) == ("10.0.0.253", [])


def test_two_masters_are_seen_by_their_answers_and_their_adverts(pair: Pair) -> None:
    start(pair)
    first, second = pair.first.daemon, pair.second.daemon
    assert first is not None and second is not None
    for port in pair.switch.router_ports():
        bridge = ("bridge", "-n", pair.switch.namespace.name, "link", "set", "dev", port)
        run(*bridge, "isolated", "on")
    second.wait_for(lambda shown: all_are("master", second), "two masters")
    (found,) = ask(pair, gateway=["10.0.0.254"])
    assert sorted(each["source"] for each in found["speakers"]) == ["10.0.0.252", "10.0.0.253"]
    assert any("10.0.0.252 and 10.0.0.253 advertise by turns" in p for p in found["problems"])


def test_a_second_one_that_answers_is_seen(pair: Pair) -> None:
    start(pair)
    mac = pair.second.namespace.mac(LAN)
    pair.second.namespace.ip("addr", "add", "10.0.0.254/24", "dev", LAN)
    (found,) = ask(pair, gateway=["10.0.0.254"])
    assert found["macs"] == sorted([MAC4, mac])
    assert any("2 MAC addresses answer for it" in each for each in found["problems"])


def test_a_router_without_vrrp_is_told_from_one_with_it(pair: Pair) -> None:
    start(pair)
    mac = pair.first.namespace.mac(LAN)
    (found,) = ask(pair, gateway=["10.0.0.252"], timeout=1.0)
    assert (found["is_vrrp"], found["macs"], found["router_mac"]) == (False, [mac], mac)
    assert found["problems"] == [
        "10.0.0.252 on eth0: no VRRP: answered from the real MAC %s, and no advertisement" % mac
    ]
    (nobody,) = ask(pair, gateway=["10.0.0.77"], timeout=1.0)
    assert nobody["problems"] == ["10.0.0.77 on eth0: nobody answers for it"]
    assert nobody["router"] is None


def test_what_a_plan_expects_counts_where_this_host_is(pair: Pair) -> None:
    start(pair)
    wrong = "00:00:5e:00:01:0b"
    expected = [
        {"address": "10.0.0.254", "virtual_mac": MAC4, "name": "lan4"},
        {"address": "2001:db8:a::254", "virtual_mac": MAC6, "name": "lan6"},
        {"address": "198.51.100.254", "virtual_mac": wrong, "name": "wan4"},
    ]
    found = ask(pair, expected=expected)
    assert [(each["name"], each["problems"]) for each in found] == [("lan4", []), ("lan6", [])]
    expected[0]["virtual_mac"] = wrong
    four, _six = ask(pair, expected=expected, timeout=1.0)
    assert four["problems"] == [
        "10.0.0.254 (lan4) on eth0: answered from %s, not from the virtual MAC %s" % (MAC4, wrong),
        "10.0.0.254 (lan4) on eth0: no advertisement of VRID 11 was heard within %.1f s" % 1,
        "10.0.0.254 (lan4) on eth0: 10.0.0.252 advertises VRID 10, not the expected 11",
    ]
    with pytest.raises(ConfigError, match="none of these gateways is on a network of this host"):
        ask(pair, expected=expected[2:])


def test_what_cannot_be_asked_is_refused_all_at_once(pair: Pair) -> None:
    pair.client.ip("route", "del", "default")
    with pytest.raises(ConfigError) as refused:
        ask(pair, gateway=["gw", "fe80::254", "10.0.0.10", "198.51.100.254", "10.0.0.254"])
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["gateway[0]", "gateway[1]", "gateway[2]", "gateway[3]"]
    for text in ("no address", "link-local", "an address of this host", "no way to"):
        assert text in str(refused.value)
    pair.client.ip("route", "add", "default", "via", "10.0.0.252")
    with pytest.raises(ConfigError, match=r"198\.51\.100\.254 is behind 10\.0\.0\.252"):
        ask(pair, gateway=["198.51.100.254"])
    with pytest.raises(ConfigError, match="no interface eth7"):
        ask(pair, interface="eth7")
    pair.client.ip("route", "del", "default")
    pair.client.ip("-6", "route", "del", "default")
    with pytest.raises(ConfigError, match="no default gateway"):
        ask(pair)


def test_what_is_lost_is_measured(pair: Pair) -> None:
    start(pair)
    before = time.time()
    found = measure(pair, targets=[FAR, "2001:db8:f::2"], seconds=0.5)
    after = time.time()
    assert found["sent"] == sum(each["sent"] for each in found["targets"]) > 500
    assert (found["lost"], found["received"], found["outages"]) == (0, found["sent"], [])
    assert sum(each["sent"] for each in found["samples"]) == found["sent"]
    assert before < found["samples"][0]["start"] < after


def test_it_is_measured_around_something_else_until_the_marker_goes(
    pair: Pair, tmp_path: Path
) -> None:
    start(pair)
    marker = tmp_path / "measuring"
    cut: List[float] = []

    def something_else() -> None:
        while not marker.exists():
            time.sleep(0.01)
        # The far host's own cable: nobody changes roles for it.
        cut.append(time.time())
        pair.far.ip("link", "set", "eth0", "down")
        time.sleep(0.2)
        pair.far.batch("link set eth0 up", "route add default via 198.51.100.254")
        cut.append(time.time())
        time.sleep(0.5)
        marker.unlink()

    thread = threading.Thread(target=something_else)
    thread.start()
    found = measure(pair, targets=[FAR], seconds=30.0, marker=str(marker))
    thread.join()
    first = found["outages"][0]
    assert found["lost"] == sum(each["lost"] for each in found["outages"]) > 50
    assert cut[0] - 0.01 < first["start"] < cut[1] and first["seconds"] >= 0.15
    assert found["sent"] < 30000 and not marker.exists()


def test_without_answers_there_is_nothing_to_measure(pair: Pair, tmp_path: Path) -> None:
    marker = tmp_path / "measuring"
    with pytest.raises(NeverSteady, match=r"10\.0\.0\.77"):
        measure(pair, targets=["10.0.0.77"], seconds=0.5, marker=str(marker))
    assert not marker.exists()
    # Without a marker that is an outcome like any other.
    found = measure(pair, targets=["10.0.0.77"], seconds=0.2)
    assert found["lost"] == found["sent"] > 0 and found["targets"][0]["received"] == 0


def test_a_measurement_that_makes_no_sense_is_refused(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        measure(pair, targets=["x"], seconds=-1.0, rate=5000, marker=str(tmp_path))
    paths = {problem.path for problem in refused.value.problems}
    names = ("rate", "seconds", "marker", "targets[0]")
    assert paths == {"measure." + name for name in names}
