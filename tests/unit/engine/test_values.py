# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the outside world, errors and our own invariants."""

import errno
from ipaddress import ip_address

import pytest

from vrrp.discards import DiscardReason
from vrrp.errors import (
    ConfigError,
    ControlError,
    DecodeError,
    PlatformError,
    Problem,
    VrrpError,
)
from vrrp.facts import Family, family_of, format_address, is_link_local
from vrrp.invariant import InvariantViolation, require


@pytest.mark.parametrize(("family", "length"), [(Family.IPV4, 4), (Family.IPV6, 16)])
def test_family(family, length):
    assert family.address_length == length
    assert family.host_prefix_length == length * 8
    assert family_of(bytes(length)) is family


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fe80::1", True),
        ("febf::1", True),
        ("fec0::1", False),
        ("2001:db8::1", False),
        ("254.128.0.1", False),
    ],
)
def test_link_local(text, expected):
    assert is_link_local(ip_address(text).packed) is expected


@pytest.mark.parametrize("text", ["192.0.2.254", "2001:db8::254"])
def test_addresses_in_words(text):
    assert format_address(ip_address(text).packed) == text
    assert format_address(b"") == ""


def test_reasons_to_discard_have_names_of_their_own():
    values = [reason.value for reason in DiscardReason]
    assert len(set(values)) == len(values) > 15


def test_a_config_error_shows_every_problem():
    problems = (
        Problem("a.vrid", "range", "0 is no VRID", "write 1..255"),
        Problem("b.priority", "range", "300 is no priority", "write 1..255"),
    )
    error = ConfigError(problems)
    assert error.problems == problems
    assert str(error).splitlines() == [
        "a.vrid: 0 is no VRID (write 1..255)",
        "b.priority: 300 is no priority (write 1..255)",
    ]


def test_a_platform_error_says_operation_target_cause_and_remedy():
    error = PlatformError("create", "vg-10", errno.EPERM, "run as root")
    assert str(error) == "create vg-10 failed: Operation not permitted (errno 1): run as root"
    assert str(PlatformError("create", "vg-10")) == "create vg-10 failed"


def test_errors_share_a_base_and_keep_what_they_were_told():
    decode = DecodeError(DiscardReason.CHECKSUM, "wrong")
    control = ControlError("unknown", "no such router")
    assert (decode.reason, decode.detail) == (DiscardReason.CHECKSUM, "wrong")
    assert (control.code, control.message) == ("unknown", "no such router")
    for error in (decode, control, ConfigError(()), PlatformError("a", "b")):
        assert isinstance(error, VrrpError)


def test_our_own_mistakes_are_no_vrrp_error():
    require(True, "fine")
    with pytest.raises(InvariantViolation, match="broken promise"):
        require(False, "broken promise")
    assert not issubclass(InvariantViolation, VrrpError)
