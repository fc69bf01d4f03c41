# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of VRRPv2: the type is compared, then the password, with its padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.discards import DiscardReason
from vrrp.errors import DecodeError
from vrrp.invariant import InvariantViolation
from vrrp.wire.authentication import simple_text, verify_authentication

passwords = st.binary(min_size=1, max_size=8)


def reason_for(auth_type: int, auth_data: bytes, password: bytes) -> DiscardReason:
    with pytest.raises(DecodeError) as caught:
        verify_authentication(auth_type, auth_data, password)
    return caught.value.reason


def test_short_passwords_are_padded():
    assert simple_text(b"secret") == b"secret\0\0"
    assert simple_text(b"12345678") == b"12345678"


@pytest.mark.parametrize("password", [b"", b"123456789"])
def test_lengths_that_the_field_cannot_carry_are_our_own_mistake(password):
    with pytest.raises(InvariantViolation):
        simple_text(password)


@given(passwords)
def test_the_same_password_is_authentic(password):
    verify_authentication(1, simple_text(password), password)


@given(passwords, passwords)
def test_another_password_is_not(sent, configured):
    if simple_text(sent) != simple_text(configured):
        assert reason_for(1, simple_text(sent), configured) is DiscardReason.AUTH_DATA


def test_octets_behind_the_password_count():
    assert reason_for(1, b"secret\0x", b"secret") is DiscardReason.AUTH_DATA
    assert reason_for(1, b"secret", b"secret") is DiscardReason.AUTH_DATA


def test_without_a_password_the_data_is_ignored():
    verify_authentication(0, b"whatever")


@pytest.mark.parametrize(
    ("auth_type", "password"), [(1, b""), (2, b""), (255, b""), (0, b"secret"), (2, b"secret")]
)
def test_another_type_is_refused(auth_type, password):
    assert reason_for(auth_type, simple_text(b"secret"), password) is DiscardReason.AUTH_TYPE
