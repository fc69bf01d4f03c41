# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets another release of the engine when."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.vlangate.vrrp.plugins.filter.vrrp_waves import vrrp_waves


def survey(release="0.1.0-a", is_wanted=False, **states):
    routers = [{"name": name, "state": state} for name, state in states.items()]
    return {"engine": {"release": release, "is_wanted": is_wanted}, "routers": routers}


def test_backups_come_first_and_pairs_side_by_side():
    surveys = {
        "gw1": survey(a="master"),
        "gw2": survey(a="backup"),
        "gw3": survey(b="backup"),
        "gw4": survey(b="master"),
    }
    assert vrrp_waves(surveys) == [["gw2", "gw3"], ["gw1", "gw4"]]


def test_who_has_the_release_or_none_at_all_is_left_alone():
    surveys = {
        "gw1": survey(a="master"),
        "gw2": survey(a="backup", is_wanted=True),
        "gw3": survey(release=None),
    }
    assert vrrp_waves(surveys) == [["gw1"]]


@pytest.mark.parametrize("surveys", [[], {"gw1": {}}, {"gw1": None}])
def test_what_is_no_survey_is_refused(surveys):
    with pytest.raises(AnsibleFilterError, match="what vrrp_survey returned"):
        vrrp_waves(surveys)
