# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password reaches the wire and the file of the daemon, and nothing that people read."""

import dataclasses
import json

import pytest

from vrrp.config.argspec import argument_spec
from vrrp.config.diff import diff
from vrrp.config.gateways import gateway_configs
from vrrp.config.hosts import host_problems
from vrrp.config.model import RouterConfig
from vrrp.config.parse import parse
from vrrp.config.render import HIDDEN, canonical_json, document
from vrrp.config.resolve import resolve
from vrrp.config.schema import json_schema
from vrrp.errors import ConfigError
from vrrp.facts import InterfaceAddress, LinkFacts

SECRET = "s3cret"
ROUTER = {
    "name": "a",
    "interface": "lan0",
    "family": "ipv4",
    "vrid": 10,
    "version": 2,
    "addresses": ["198.18.10.254"],
    "password": SECRET,
}
CONFIG = parse({"virtual_routers": [ROUTER]})
LINK = LinkFacts(
    7, "lan0", bytes(6), 1500, True, True, (InterfaceAddress(b"\xc6\x12\x0a\x05", 24),)
)


@pytest.mark.parametrize("password", ["x", "12345678", " a b ", "~!#%&()"])
def test_one_to_eight_printable_characters_are_a_password(password):
    config = parse({"virtual_routers": [dict(ROUTER, password=password)]})
    assert config.virtual_routers[0].password == password
    assert resolve(config.virtual_routers[0], LINK, 0).password == password.encode()


def test_no_password_is_the_default_and_may_be_written():
    without = {key: value for key, value in ROUTER.items() if key != "password"}
    assert parse({"virtual_routers": [dict(ROUTER, password="")]}) == parse(
        {"virtual_routers": [without]}
    )


def test_the_file_of_the_daemon_has_it():
    assert parse(json.loads(canonical_json(CONFIG))) == CONFIG


def test_what_is_for_people_does_not():
    shown = canonical_json(CONFIG, secrets=False)
    assert SECRET not in shown
    assert document(CONFIG, secrets=False)["virtual_routers"][0]["password"] == HIDDEN
    parameters = resolve(CONFIG.virtual_routers[0], LINK, 0)
    assert SECRET not in repr(CONFIG) + str(CONFIG) + repr(parameters) + repr(
        vars(parameters).keys()
    )


def test_what_stands_for_it_cannot_be_written_back():
    with pytest.raises(ConfigError, match="too many"):
        parse(document(CONFIG, secrets=False))


def test_without_a_password_nothing_stands_for_it():
    open_config = parse({"virtual_routers": [dict(ROUTER, password="")]})
    assert document(open_config, secrets=False) == document(open_config)


@pytest.mark.parametrize("password", [SECRET + "-12", SECRET + "\n", [SECRET], {SECRET: 1}])
def test_a_refusal_does_not_repeat_it(password):
    with pytest.raises(ConfigError) as caught:
        parse({"virtual_routers": [dict(ROUTER, password=password)]})
    assert [each.path for each in caught.value.problems] == ["virtual_routers[a].password"]
    assert SECRET not in str(caught.value)


def test_a_difference_names_the_field_only():
    other = parse({"virtual_routers": [dict(ROUTER, password="other")]})
    (change,) = diff(CONFIG, other)
    assert (change.fields, change.hitless) == (("password",), False)
    assert SECRET not in repr(change)


def test_routers_of_one_group_have_one_password():
    (router,) = CONFIG.virtual_routers
    other = dataclasses.replace(router, priority=90, password="other")
    (problem,) = host_problems({"gw1": CONFIG, "gw2": RouterConfig((other,))})
    assert (problem.path, problem.code) == ("gw2: virtual_routers[a].password", "host-password")
    assert SECRET not in str(problem) and "other" not in problem.message
    same = dataclasses.replace(other, password=SECRET)
    assert host_problems({"gw1": CONFIG, "gw2": RouterConfig((same,))}) == ()


def test_ansible_and_editors_know_that_it_is_one():
    options = argument_spec()["virtual_routers"]["options"]
    assert {name for name, option in options.items() if option.get("no_log")} == {"password"}
    routers = json_schema()["properties"]["virtual_routers"]["items"]["properties"]
    assert {name for name, each in routers.items() if each.get("writeOnly")} == {"password"}


VLAN = {"id": 10, "networks": ["198.18.10.0/24", "2001:db8:10::/64"], "version": 2}


def groups_of(*vlans, **defaults):
    (router, _other) = gateway_configs(vlans, ["gw1", "gw2"], defaults).values()
    return {each["name"]: each for each in router["config"]["virtual_routers"]}


@pytest.mark.parametrize(
    "vlan, defaults",
    [(dict(VLAN, password=SECRET), {}), (VLAN, {"password": SECRET})],
)
def test_a_vlan_or_the_defaults_give_it_to_version_2(vlan, defaults):
    groups = groups_of(vlan, **defaults)
    assert groups["vlan10-v4"]["password"] == SECRET
    assert groups["vlan10-v6"]["password"] == "", "IPv6 has version 3, and that no authentication"


def test_the_password_of_a_vlan_comes_before_that_of_the_defaults():
    groups = groups_of(dict(VLAN, password="mine"), password="theirs")
    assert groups["vlan10-v4"]["password"] == "mine"


@pytest.mark.parametrize(
    "version, profile, four, six",
    [
        (2, "rfc3768", "rfc3768", "auto"),
        (2, "rfc9568", "auto", "rfc9568"),
        (3, "rfc5798", "rfc5798", "rfc5798"),
        (3, "auto", "auto", "auto"),
    ],
)
def test_a_profile_counts_for_the_family_of_its_version(version, profile, four, six):
    groups = groups_of(dict(VLAN, version=version, profile=profile))
    assert groups["vlan10-v4"]["profile"] == four
    assert groups["vlan10-v6"]["profile"] == six
