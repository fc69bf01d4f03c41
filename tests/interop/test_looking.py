# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrrp_probe and vrrp_listen look at gateways of keepalived and FRR, from a host."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Tuple

import pytest

from tests.interop.lan import HOST, VIRTUAL, VIRTUAL_MAC, VRID, Lan, in_other_namespace
from tests.interop.match import PEERS
from tests.interop.participants import Setting, Side

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from module_utils.listen_here import listen
from module_utils.probe_here import asked

PASSWORD = "one-word"
FOUR = VIRTUAL[4][0]


@pytest.fixture
def look(lan: Lan, tmp_path: Path) -> Any:
    """Starts a peer, and returns what the host is told of it: the probe, and the audit."""
    started = []

    def made(peer: str, protocol: int, **more: Any) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        interval_cs = 100 if protocol == 2 else 30
        side = Side(200, interval_cs, password=more.pop("password", ""))
        setting = Setting(peer, protocol, 4, side, side, **more)
        started.append(PEERS[peer](lan, setting, tmp_path))
        started[-1].start()
        lan.capture.wait_for(lambda advert: True, 20, 0.0)
        probe = in_host(lan, lambda: asked(probe_options()))
        return probe[0], in_host(lan, lambda: listen(module(tmp_path, 3.5 * interval_cs / 100)))

    yield made
    for each in started:
        each.kill()


def in_host(lan: Lan, work: Callable[[], Any]) -> Any:
    return in_other_namespace(lan.namespace(HOST), work)


def probe_options() -> Dict[str, Any]:
    given = {"gateway": [FOUR], "interface": None, "expected": None, "beyond": []}
    return {**given, "intervals": 3, "timeout": 10.0}


def module(directory: Path, seconds: float) -> Any:
    """What listen() needs of AnsibleModule."""
    params = {"interface": "eth0", "seconds": seconds, "expected": None, "on_link": False}
    params.update(promiscuous=False, pcap=None, ignore=[])
    return SimpleNamespace(
        params=params, check_mode=False, tmpdir=str(directory), atomic_move=shutil.move
    )


def codes(heard: Dict[str, Any]) -> List[str]:
    return [each["code"] for each in heard["findings"]]


@pytest.mark.parametrize("peer", sorted(PEERS))
def test_a_gateway_with_a_virtual_mac_is_known(look: Any, peer: str) -> None:
    probed, heard = look(peer, 3)
    assert (probed["vrid"], probed["version"], probed["macs"]) == (VRID, 3, [VIRTUAL_MAC[4]])
    assert probed["is_vrrp"] and probed["speakers"][0]["source"] == "198.18.30.253"
    assert probed["speakers"][0]["priority"] == 200
    assert heard["speakers"][0]["addresses"] == [FOUR]
    assert codes(heard) == [] and probed["problems"] == []


def test_keepalived_without_a_virtual_mac_is_found_out(look: Any) -> None:
    probed, heard = look("keepalived", 3, virtual_mac=False)
    assert codes(heard) == ["real-mac"]
    (mac,) = probed["macs"]
    assert probed["is_vrrp"] and probed["vrid"] == VRID
    assert probed["problems"] == [
        "%s on eth0: advertised by VRRP, but answered from the real MAC %s" % (FOUR, mac)
    ]


def test_a_password_of_keepalived_is_told_of_and_not_told(look: Any) -> None:
    probed, heard = look("keepalived", 2, password=PASSWORD)
    assert codes(heard) == ["clear-text-password"]
    assert heard["speakers"][0]["authentication"] == "password"
    assert PASSWORD not in str(heard) + str(probed)
    assert (probed["version"], probed["problems"]) == (2, [])
