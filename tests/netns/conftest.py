# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests with real sockets. They need root and network namespaces: without them
they fail, for a test that did not run has shown nothing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))
sys.path.insert(0, str(_HERE.parents[1] / "plugins" / "module_utils"))
sys.path.insert(0, str(_HERE.parents[1] / "tests" / "unit" / "engine"))
sys.path.insert(0, str(_HERE.parents[1]))

import kernels  # noqa: E402
from daemons import Daemon, build, document  # noqa: E402
from frames import Wire  # noqa: E402
from gateways import Pair  # noqa: E402
from hosts import Host  # noqa: E402
from namespaces import LAN, Namespace, Site, connect  # noqa: E402

from tests.harness import stalls  # noqa: E402

# What a kernel may lack without a test failing for it: others run there instead, and the summary
# names those that did not.
_MAY_LACK = os.environ.get("VLANGATE_NETNS_MAY_LACK", "netem vrf").split()
_LEFT_OUT: Dict[str, List[str]] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kernel(*features): runs on a kernel that has them all")
    stalls.register(config)


def pytest_collection_modifyitems(config: pytest.Config, items: List[pytest.Item]) -> None:
    """Leave out what this kernel cannot run, if it may lack that; see README of tests/uml."""
    wanted = {name for item in items for name in _features_of(item)}
    lacking = {name for name in wanted if name in _MAY_LACK and not kernels.HAS[name]()}
    left_out = [item for item in items if lacking & set(_features_of(item))]
    for item in left_out:
        items.remove(item)
        reason = " and ".join(sorted(lacking & set(_features_of(item))))
        _LEFT_OUT.setdefault(reason, []).append(item.name)
    config.hook.pytest_deselected(items=left_out)


def _features_of(item: pytest.Item) -> List[str]:
    return [name for mark in item.iter_markers("kernel") for name in mark.args]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for reason, names in sorted(_LEFT_OUT.items()):
        terminalreporter.write_line(
            "left out, as this kernel has no %s: %d tests: %s"
            % (reason, len(names), ", ".join(names))
        )


@pytest.fixture(scope="session", autouse=True)
def _able() -> None:
    if os.geteuid() != 0:
        pytest.fail("these tests make network namespaces: run them as root")
    if shutil.which("ip") is None:
        pytest.fail("these tests need the command ip: install iproute2")
    try:
        Namespace("try").remove()
    except OSError as error:
        pytest.fail("this host refuses network namespaces: %s" % error)


@pytest.fixture
def namespace() -> Iterator[Callable[[str], Namespace]]:
    """Makes namespaces that are gone after the test, whatever happens."""
    made = []

    def make(role: str) -> Namespace:
        made.append(Namespace(role))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def site(namespace: Callable[[str], Namespace]) -> Site:
    """A router, a client on its LAN and a host beyond it."""
    return Site([namespace(role) for role in Site.ROLES])


@pytest.fixture
def wire(site: Site) -> Iterator[Wire]:
    """The client's end of the LAN."""
    opened = Wire(site.client, "eth0")
    opened.router_mac = site.router.mac(LAN)
    # The router knows its client, so that its answers need no question first.
    site.router.batch(
        "neigh add 10.0.0.10 lladdr %s dev %s" % (opened.mac, LAN),
        "neigh add 2001:db8:a::10 lladdr %s dev %s" % (opened.mac, LAN),
    )
    opened.forget()
    yield opened
    opened.close()


@pytest.fixture
def host(site: Site, tmp_path: Path) -> Host:
    """The data plane of the router."""
    return Host(site.router, tmp_path)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine's release, built once."""
    return build(tmp_path_factory.mktemp("release"))


@pytest.fixture
def lan(namespace: Callable[[str], Namespace]) -> Tuple[Namespace, Namespace]:
    """A router, and what is on the other end of its cable."""
    router, other = namespace("router"), namespace("other")
    connect(router, LAN, other, "eth0")
    router.ip("addr", "add", "10.0.0.252/24", "dev", LAN)
    router.ip("addr", "add", "fe80::252/64", "dev", LAN, "nodad")
    return router, other


@pytest.fixture
def start(
    program: Path, lan: Tuple[Namespace, Namespace], tmp_path: Path
) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons on the router, with three virtual routers, that are gone after the test."""
    started = []

    def make(*more: str, interval_cs: int = 10) -> Daemon:
        config = document(interval_cs=interval_cs)
        started.append(Daemon(lan[0], program, tmp_path, config, *more))
        return started[-1]

    yield make
    for daemon in started:
        daemon.kill()


@pytest.fixture
def pair(namespace: Callable[[str], Namespace], program: Path, tmp_path: Path) -> Iterator[Pair]:
    """Two gateways with real daemons, and what they serve."""
    made = Pair(namespace, program, tmp_path)
    yield made
    made.close()
