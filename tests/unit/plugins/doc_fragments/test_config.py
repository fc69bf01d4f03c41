# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the option config says what config/fields.py says."""

from __future__ import annotations

import yaml
from ansible_collections.vlangate.vrrp.plugins.doc_fragments.config import ModuleDocFragment
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.argspec import argument_spec
from ansible_collections.vlangate.vrrp.plugins.module_utils.vrrp.config.fields import (
    DOCUMENT_FIELDS,
)

KEYS = ("type", "elements", "required", "choices", "default")


def compare(documented, fields, spec, path):
    assert sorted(documented) == sorted(field.name for field in fields), path
    for field in fields:
        here = "%s.%s" % (path, field.name)
        document, option = documented[field.name], spec[field.name]
        assert document["description"][0] == field.summary, here
        assert {key: document.get(key) for key in KEYS} == {key: option.get(key) for key in KEYS}, (
            here
        )
        if field.fields:
            compare(document["suboptions"], field.fields, option["options"], here)


def test_every_field_is_documented_as_it_is():
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    compare(options["config"]["suboptions"], DOCUMENT_FIELDS, argument_spec(), "config")
