# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guide is read as its reader does it, and links of the documentation lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.lab.guide import Command, File, steps

ROOT = Path(__file__).resolve().parents[3]
LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)

GUIDE = """
Some words.

```yaml
# group_vars/all.yml
a: 1
```

```console
$ first \\
    and its end
one ... three
...
gw1# second
```

```text
only to be seen
```
"""


def test_files_and_commands_in_order():
    assert steps(GUIDE) == [
        File("group_vars/all.yml", "# group_vars/all.yml\na: 1\n"),
        Command("", "first and its end", ["one ... three"]),
        Command("gw1", "second", []),
    ]


def test_a_file_of_a_router():
    (file,) = steps("```sh\n# /etc/x/x.conf of gw1\ny\n```\n")
    assert (file.path, file.place) == ("/etc/x/x.conf", "gw1")


@pytest.mark.parametrize("text", ["```sh\nls\n```\n", "```console\nno prompt\n```\n"])
def test_a_block_that_nobody_would_do_is_refused(text):
    with pytest.raises(ValueError):
        steps(text)


def test_what_is_expected_comes_in_order_and_may_have_gaps():
    command = Command("", "x", ["one ... three", "four"])
    assert command.missing('  "  one two   three",\n"four"\n') == []
    assert command.missing("four\none two three\n") == ["four"]
    assert command.missing("one two three and more\nfour\n") == ["one ... three"]


def pages():
    argv = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--", "*.md"]
    listed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in filter(None, listed.split("\0"))]


def anchors(page):
    """As the usual forges make them of headings."""
    headings = HEADING.findall(CODE.sub(lambda code: code[0].strip("`"), page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    dead = []
    for link in LINK.finditer(CODE.sub("", page.read_text())):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
            dead.append(link[0])
    assert dead == []
