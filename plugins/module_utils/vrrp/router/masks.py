# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which word stands for which password in a journal. Layer L3. RFC 2338 section 5.3.10.

The same password gets the same word everywhere, so what was equal stays equal and what differed
stays different; the password cannot be had back from the word.
"""

from __future__ import annotations

from typing import Dict, Union

from ..facts import Family
from ..wire.authentication import AUTH_DATA_LENGTH
from ..wire.ethernet import ETHERTYPE
from ..wire.masking import mask_packet

_ETHERNET_HEADER = 14
# Words for passwords that were only heard; whoever sends more of them shares one word.
MAXIMUM_HEARD = 1000
_OF_THE_OTHERS = b"mask----"


class Masks:
    """Passwords to words, in the order in which they were met."""

    def __init__(self) -> None:
        self._words: Dict[bytes, bytes] = {}

    def password(self, value: Union[str, bytes]) -> Union[str, bytes]:
        """The word for a configured password, in the same type; empty stays empty."""
        if not value:
            return value
        octets = value.encode("utf-8") if isinstance(value, str) else value
        word = self._word(octets.ljust(AUTH_DATA_LENGTH, b"\0"))
        return word.decode("ascii") if isinstance(value, str) else word

    def packet(self, packet: bytes) -> bytes:
        """A packet that begins at its IP header, with words for passwords."""
        return mask_packet(packet, self._heard, self._anywhere)

    def frame(self, frame: bytes) -> bytes:
        """The same for a whole Ethernet frame."""
        if frame[12:_ETHERNET_HEADER] != ETHERTYPE[Family.IPV4].to_bytes(2, "big"):
            return frame
        return frame[:_ETHERNET_HEADER] + self.packet(frame[_ETHERNET_HEADER:])

    def _word(self, octets: bytes) -> bytes:
        return self._words.setdefault(octets, b"mask%04d" % len(self._words))

    def _heard(self, octets: bytes) -> bytes:
        if octets not in self._words and len(self._words) >= MAXIMUM_HEARD:
            return _OF_THE_OTHERS
        return self._word(octets)

    def _anywhere(self, octets: bytes) -> bytes:
        for password, word in self._words.items():
            octets = octets.replace(password, word)
        return octets


class NoMasks(Masks):
    """For a journal that is read: its words are passwords now."""

    def password(self, value: Union[str, bytes]) -> Union[str, bytes]:
        """As it is."""
        return value

    def packet(self, packet: bytes) -> bytes:
        """As it is."""
        return packet

    def frame(self, frame: bytes) -> bytes:
        """As it is."""
        return frame
