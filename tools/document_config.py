# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes plugins/doc_fragments/config.py anew from the table of fields, after a change there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "plugins" / "module_utils"))

from vrrp.config.argspec import argument_spec  # noqa: E402  (needs the path above)
from vrrp.config.fields import DOCUMENT_FIELDS, Field, Kind  # noqa: E402

HEADER = '''\
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The configuration of a router. Written by tools/document_config.py; a test compares."""

    DOCUMENTATION = r"""
options:
  config:
    description:
      - The configuration of the router, in the form of the daemon's own file; a part of it with
        O(state=merged), O(state=replaced) and O(state=deleted).
      - What is left out has its default, or with O(state=merged) stays as it is.
    type: dict
    suboptions:
'''
INTERVAL = "A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms)."
NEEDED = "Needed, but where O(state=merged) finds it on the router, and for O(state=deleted)."
# Words that YAML 1.1 takes for a truth value.
TRUTH = ("on", "off", "yes", "no", "true", "false")


def main() -> int:
    """Write the file."""
    lines = documented(DOCUMENT_FIELDS, argument_spec(), "      ")
    target = ROOT / "plugins" / "doc_fragments" / "config.py"
    target.write_text(HEADER + "\n".join(lines) + '\n"""\n', encoding="utf-8")
    return 0


def documented(fields: tuple[Field, ...], spec: dict, indent: str) -> list[str]:
    """The suboptions of some fields as lines of YAML."""
    lines = []
    for field in fields:
        option = spec[field.name]
        sentences = [field.summary] + ([INTERVAL] if field.kind is Kind.INTERVAL else [])
        sentences += [NEEDED] if field.required and "required" not in option else []
        lines += [indent + field.name + ":", indent + "  description:"]
        lines += [indent + "    - " + quoted(sentence) for sentence in sentences]
        for key in ("type", "elements", "required", "choices"):
            if key in option:
                lines.append("%s  %s: %s" % (indent, key, plain(option[key])))
        if not field.required:
            lines.append("%s  default: %s" % (indent, plain(option["default"])))
        if field.fields:
            lines.append(indent + "  suboptions:")
            lines += documented(field.fields, option["options"], indent + "    ")
    return lines


def plain(value: object) -> str:
    """A value in YAML, as people write it."""
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(plain, value))
    is_bare = isinstance(value, str) and value and value not in TRUTH
    return value if is_bare else json.dumps(value)


def quoted(sentence: str) -> str:
    """A sentence as a YAML scalar."""
    return "'%s'" % sentence.replace("'", "''") if ": " in sentence else sentence


if __name__ == "__main__":
    sys.exit(main())
