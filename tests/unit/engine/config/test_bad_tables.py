# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a VLAN table is said in the words of the table, all at once.

UPDATE_GOLDEN=1 writes the problems anew; read the difference before you commit it.
"""

import json
import os
from pathlib import Path

import pytest

from vrrp.config.gateways import gateway_configs
from vrrp.errors import ConfigError

CORPUS = sorted(Path(__file__).with_name("bad_tables").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_all_problems_are_named(path):
    case = json.loads(path.read_text())
    with pytest.raises(ConfigError) as caught:
        gateway_configs(case["vlans"], case["routers"], case["defaults"])
    found = [str(problem) for problem in caught.value.problems]
    if os.environ.get("UPDATE_GOLDEN") == "1":
        case["problems"] = found
        path.write_text(json.dumps(case, indent=2) + "\n")
    assert found == case["problems"]
    assert all(each.code and each.message and each.hint for each in caught.value.problems)


def test_the_corpus_is_there():
    assert len(CORPUS) >= 50
