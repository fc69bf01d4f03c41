# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One target under the fuzzer. Started by __main__.py; libFuzzer's arguments follow the name."""

import random
import sys

import atheris

with atheris.instrument_imports(include=["vrrp"]):
    import fuzz_targets

from mutation import mutate_lines

_JSON = ("config", "control", "journal")


def _mutate(data: bytes, maximum: int, seed: int) -> bytes:
    """Half of the time octets, half of the time values."""
    if random.Random(seed).random() < 0.5:
        return atheris.Mutate(data, maximum)
    return mutate_lines(data, seed)[:maximum]


def main() -> None:
    """Never returns: the fuzzer ends the process."""
    name = sys.argv.pop(1)
    more = {"custom_mutator": _mutate} if name in _JSON else {}
    atheris.Setup(sys.argv, fuzz_targets.TARGETS[name], **more)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
