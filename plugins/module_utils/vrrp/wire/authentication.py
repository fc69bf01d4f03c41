# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of VRRPv2 messages. Layer L1. RFC 2338 sections 5.3.6 and 5.3.10.

It guards against misconfiguration, not against attackers: the password is readable on the wire.
Type 2 (authentication header) is refused like any unknown type; VRRPv3 has none at all.
"""

from __future__ import annotations

from ..discards import DiscardReason
from ..errors import DecodeError
from ..invariant import require

AUTH_NONE = 0
AUTH_SIMPLE_TEXT = 1
AUTH_DATA_LENGTH = 8


def simple_text(password: bytes) -> bytes:
    """The authentication data that carries a password of 1 to 8 octets."""
    require(1 <= len(password) <= AUTH_DATA_LENGTH, "a VRRPv2 password has 1 to 8 octets")
    return password.ljust(AUTH_DATA_LENGTH, b"\0")


def verify_authentication(auth_type: int, auth_data: bytes, password: bytes = b"") -> None:
    """Return when a VRRPv2 message is authentic; an empty password means type 0 is expected.

    Raises DecodeError with AUTH_TYPE or AUTH_DATA. The data of type 0 is ignored.
    """
    expected = AUTH_SIMPLE_TEXT if password else AUTH_NONE
    if auth_type != expected:
        raise DecodeError(
            DiscardReason.AUTH_TYPE,
            "authentication type %d, %d is configured" % (auth_type, expected),
        )
    if password and not _equal(auth_data, simple_text(password)):
        raise DecodeError(DiscardReason.AUTH_DATA, "the password differs from the configured one")


def _equal(left: bytes, right: bytes) -> bool:
    """Compare in time that does not depend on where they differ.

    hmac.compare_digest would load OpenSSL into a small router for eight octets.
    """
    difference = len(left) ^ len(right)
    for one, other in zip(left, right):
        difference |= one ^ other
    return difference == 0
