# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host listens to real engines, and others read the capture file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from daemons import SECRET, Daemon
from frames import Wire
from gateways import Pair, all_are, document
from namespaces import Namespace, run
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.packet import Packet
from scapy.utils import rdpcap

# Not by its bare name: it has siblings that it imports.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from module_utils import listen_here
from module_utils.listen_here import listen
from module_utils.probe_socket import Tap

MULTICAST_MAC = "01:00:5e:00:00:12"


def module(tmp_path: Path, **more: Any) -> Any:
    """What listen() needs of AnsibleModule."""
    given = {"interface": "eth0", "seconds": 1.2, "expected": None, "on_link": False, "ignore": []}
    params = {**given, "promiscuous": False, "pcap": None, **more}
    return SimpleNamespace(
        params=params, check_mode=False, tmpdir=str(tmp_path), atomic_move=shutil.move
    )


def heard(host: Namespace, tmp_path: Path, **more: Any) -> Dict[str, Any]:
    with host.inside():
        return listen(module(tmp_path, **more))


def codes(found: Dict[str, Any]) -> List[str]:
    return [each["code"] for each in found["findings"]]


def start(pair: Pair) -> Tuple[Daemon, Daemon]:
    one = pair.first.start(document(200))
    one.wait_for(lambda shown: all_are("master", one), "the roles")
    two = pair.second.start(document(100))
    two.wait_for(lambda shown: all_are("backup", two), "the backup")
    return one, two


def test_masters_are_heard_as_they_are(pair: Pair, tmp_path: Path) -> None:
    start(pair)
    expected = [
        {"vrid": 10, "family": "ipv4", "routers": ["10.0.0.252"], "addresses": ["10.0.0.254"]},
        {"vrid": 10, "family": "ipv6", "addresses": ["2001:db8:a::254"]},
        {"vrid": 20, "addresses": ["198.51.100.254"]},
    ]
    found = heard(pair.client, tmp_path, expected=expected, on_link=True)
    assert found["findings"] == [] and found["dropped"] == 0 and found["pcap"] is None
    four, six = found["speakers"]
    assert (four["source"], four["mac"], four["vrid"]) == ("10.0.0.252", "00:00:5e:00:01:0a", 10)
    assert (six["source"], six["mac"], six["version"]) == ("fe80::252", "00:00:5e:00:02:0a", 3)
    for each in (four, six):
        assert (each["priority"], each["advertisement_interval_cs"]) == (200, 20)
        assert 4 <= each["adverts"] <= 8 and each["ttl"] == 255 and each["virtual_mac"]
    assert found["frames"] == four["adverts"] + six["adverts"]
    strict = heard(pair.client, tmp_path, expected=expected)
    assert codes(strict) == ["missing"]


def test_listening_sends_nothing(lan: Tuple[Namespace, Namespace], tmp_path: Path) -> None:
    router, host = lan
    wire = Wire(router, "lan0")
    host.ip("addr", "add", "10.0.0.10/24", "dev", "eth0")
    heard(host, tmp_path, seconds=0.3, promiscuous=True)
    assert [frame.summary() for frame in wire.frames_now()] == []
    wire.close()


def test_two_masters_are_found(pair: Pair, tmp_path: Path) -> None:
    _one, two = start(pair)
    for port in pair.switch.router_ports():
        bridge = ("bridge", "-n", pair.switch.namespace.name, "link", "set", "dev", port)
        run(*bridge, "isolated", "on")
    two.wait_for(lambda shown: all_are("master", two), "two masters")
    found = heard(pair.client, tmp_path)
    assert codes(found) == ["two-masters", "two-masters"]
    assert found["findings"][0]["sources"] == ["10.0.0.252", "10.0.0.253"]


@pytest.fixture
def hear_frames(
    lan: Tuple[Namespace, Namespace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Dict[str, Any]]]:
    """What is heard of frames, which are sent as soon as somebody listens."""
    wire = Wire(lan[0], "lan0")

    def hear(frames: List[Packet], **more: Any) -> Dict[str, Any]:
        def tap(*words: Any) -> Tap:
            opened = Tap(*words)
            for frame in frames:
                wire.send(frame)
            return opened

        monkeypatch.setattr(listen_here, "Tap", tap)
        return heard(lan[1], tmp_path, seconds=0.1, **more)

    yield hear
    wire.close()


def version_2(password: bytes = b"", **more: Any) -> Packet:
    ethernet = Ether(src="00:00:5e:00:01:07", dst=MULTICAST_MAC)
    ip = IP(src="10.0.0.252", dst="224.0.0.18", ttl=255, proto=112)
    fields = {"vrid": 7, "priority": 100, "adv": 1, "addrlist": ["10.0.0.1"], **more}
    words = [int.from_bytes(password.ljust(8, b"\0")[at : at + 4], "big") for at in (0, 4)]
    return ethernet / ip / VRRP(authtype=bool(password), auth1=words[0], auth2=words[1], **fields)


def test_strangers_frames_are_read_and_kept(
    hear_frames: Callable[..., Dict[str, Any]], tmp_path: Path
) -> None:
    trunk = Ether(src="02:00:00:00:00:01", dst=MULTICAST_MAC) / Dot1Q(vlan=30)
    six = IPv6(src="fe80::9", dst="ff02::12", hlim=64)
    frames = [
        version_2(SECRET.encode()),
        trunk / IP(src="10.0.0.9", dst="224.0.0.18", ttl=255)
        / VRRPv3(vrid=9, priority=1, adv=50, addrlist=["10.0.0.2"]),
        Ether(src="00:00:5e:00:02:05", dst="33:33:00:00:00:12") / six
        / VRRPv3(vrid=5, addrlist=["fe80::1"], adv=100),
        version_2(chksum=1),
        Ether(dst=MULTICAST_MAC) / IP(dst="224.0.0.18", proto=89) / b"no VRRP",
    ]  # fmt: skip
    capture = tmp_path / "heard.pcap"
    found = hear_frames(frames, pcap=str(capture))
    told = {each["vrid"]: each for each in found["speakers"]}
    assert told[7]["authentication"] == "password" and told[7]["version"] == 2
    assert (told[9]["vlan"], told[9]["virtual_mac"]) == (30, False)
    assert (told[5]["ttl"], told[5]["family"], told[5]["vlan"]) == (64, "ipv6", None)
    assert codes(found) == ["wrong-ttl", "clear-text-password", "real-mac", "unreadable"]
    assert found["frames"] == 4 and found["pcap"] == str(capture)
    assert SECRET not in str(found)
    assert_capture(capture, frames[:4])


def assert_capture(capture: Path, frames: List[Packet]) -> None:
    """scapy and tshark read what was sent, but for the password."""
    assert capture.stat().st_mode & 0o777 == 0o600
    assert SECRET.encode() not in capture.read_bytes()
    read = rdpcap(str(capture))
    assert len(read) == len(frames)
    for one, other in list(zip(read, frames))[1:3]:
        assert bytes(one) == bytes(other)
    assert abs(float(read[0].time) - capture.stat().st_mtime) < 5
    words = ["-T", "fields", "-e", "vrrp.virt_rtr_id", "-e", "vlan.id", "-e", "frame.len"]
    shown = subprocess.run(
        ["tshark", "-r", str(capture), *words], capture_output=True, text=True, check=True
    ).stdout
    ids = [line.split("\t")[:2] for line in shown.splitlines()]
    assert ids == [["7", ""], ["9", "30"], ["5", ""], ["7", ""]]


def test_a_capture_in_check_mode_is_not_written(
    lan: Tuple[Namespace, Namespace], tmp_path: Path
) -> None:
    wanted = module(tmp_path, seconds=0.05, pcap=str(tmp_path / "heard.pcap"))
    wanted.check_mode = True
    with lan[1].inside():
        assert listen(wanted)["pcap"] is None
    assert list(tmp_path.iterdir()) == []


def test_what_makes_no_sense_is_refused_all_at_once(
    lan: Tuple[Namespace, Namespace], tmp_path: Path
) -> None:
    with pytest.raises(Exception, match="expected") as refused:
        heard(lan[1], tmp_path, interface="eth7", seconds=0.0, expected=[{"vrid": 300}])
    paths = [problem.path for problem in refused.value.problems]  # type: ignore[attr-defined]
    assert paths == ["interface", "seconds", "expected[0].vrid"]
    expected = [{"vrid": 10, "addresses": ["198.51.100.254"]}]
    with pytest.raises(Exception, match="none of these gateways"):
        heard(lan[1], tmp_path, expected=expected, on_link=True)
    with pytest.raises(ValueError, match="no Ethernet"):
        heard(lan[1], tmp_path, interface="lo")
    lan[1].ip("link", "set", "eth0", "down")
    with pytest.raises(OSError, match="down"):
        heard(lan[1], tmp_path)
