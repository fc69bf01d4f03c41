# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a received packet was thrown away. Layer L0.

The value of a member is its counter, its log key and its JSON key. Counters that RFC 8347 or
RFC 6527 define keep the name given there.
"""

from __future__ import annotations

import enum


class DiscardReason(enum.Enum):
    """One member for each kind of packet that the receive ladder rejects."""

    IP_HEADER = "ip-header-errors"
    FRAGMENT = "fragment-errors"
    WRONG_PROTOCOL = "protocol-errors"
    WRONG_DESTINATION = "destination-errors"
    WRONG_SOURCE = "source-errors"
    OWN_SOURCE = "own-source-packets"
    IP_TTL = "ip-ttl-errors"
    PACKET_LENGTH = "packet-length-errors"
    VERSION = "version-errors"
    INVALID_TYPE = "invalid-type-pkts-rcvd"
    CHECKSUM = "checksum-errors"
    VRID = "vrid-errors"
    NO_ADDRESSES = "address-count-errors"
    INTERVAL_ZERO = "interval-zero-errors"
    INTERVAL_MISMATCH = "interval-errors"
    ADDRESS_LIST = "address-list-errors"
    AUTH_TYPE = "auth-type-errors"
    AUTH_DATA = "auth-data-errors"
    OWNER = "owner-conflict-packets"
    NOT_RUNNING = "not-running-packets"
    SOLICITATION = "router-solicitation-errors"
