# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tidiness as a test: sizes, headers, and words that must not be in a published tree.

There are no exceptions to lift later: the tree starts clean and stays so.
"""

import ast
import re
import subprocess
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENGINE = Path("plugins/module_utils/vrrp")
MAXIMUM_LINE = 100
# One sentence of DOCUMENTATION is one line of YAML: Ansible's own limit there.
MAXIMUM_DOCUMENTATION_LINE = 160
DOCUMENTED = [Path("plugins", name) for name in ("modules", "doc_fragments", "filter")]
MAXIMUM_FUNCTION = 70
MAXIMUM_FILE = 600
# Without its texts: what users are told takes the room that it takes.
MAXIMUM_MODULE = 60
TEXTS = re.compile(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r""".*?^"""$', re.MULTILINE | re.DOTALL)
# REUSE-IgnoreStart
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
# REUSE-IgnoreEnd
# Written in two pieces, so that this file does not contain what it looks for.
MARKERS = re.compile("|".join(r"\b%s\b" % word for word in ("TO" + "DO", "FIX" + "ME", "X" * 3)))
OUTSIDE_NAME = r"(?<![\w.~$}/-])"
BANNED = {
    "a home directory": re.compile(OUTSIDE_NAME + "/ho" + r"me/\w"),
    "a path of one machine": re.compile(OUTSIDE_NAME + "/wo" + "rk/"),
    "a private package index": re.compile("--(extra-)?index" + "-url|[a-z0-9]/sim" + "ple/?$"),
    "a private host": re.compile(r"https?://[\w.-]+\.(internal|corp|local|lan)\b|artifac" + "tory"),
    "a Windows line end": re.compile("\r"),
}
HEADED = (".py", ".yml", ".yaml", ".sh", ".toml", ".cfg")
# antsibull-changelog eats and writes them; REUSE.toml states their licence.
CHANGES = (Path("changelogs/changelog.yaml"), Path("changelogs/fragments"))


def tracked() -> List[Path]:
    """All files of the project that git knows or would add, relative to its root."""
    # The checkout may belong to somebody else than who runs the tests (root, say).
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in sorted(set(listed.split("\0"))) if name and is_file(name)]


def is_file(name: str) -> bool:
    path = ROOT / name
    return path.is_file() and not path.is_symlink()


def text_files() -> Iterator[Tuple[Path, str]]:
    for path in tracked():
        data = (ROOT / path).read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8")


def is_python(path: Path, text: str) -> bool:
    shebang = text.split("\n", 1)[0] if text.startswith("#!") else ""
    return path.suffix == ".py" or "python" in shebang


def python_files() -> List[Tuple[Path, str]]:
    return [(path, text) for path, text in text_files() if is_python(path, text)]


# Each rule yields what is wrong in one file.


def long_lines(text: str, maximum: int) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        # The licence line that Ansible asks for is longer; so may be an address.
        if len(line) > maximum and "://" not in line:
            yield "line %d has %d columns, %d are allowed" % (number, len(line), maximum)


def long_functions(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAXIMUM_FUNCTION:
                message = "function %s has %d lines, %d are allowed"
                yield message % (node.name, lines, MAXIMUM_FUNCTION)


def underscore_names(text: str) -> Iterator[str]:
    """ansible-test's pylint refuses the name; a minute earlier it is said here."""
    for node in ast.walk(ast.parse(text)):
        name = node.id if isinstance(node, ast.Name) else getattr(node, "name", "")
        if name == "_" and not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
            yield "line %d: name it, even if it is unused: _rest, _turn" % node.lineno


def foreign_shebang(path: Path, text: str) -> Iterator[str]:
    """ansible-test accepts Python's in modules only."""
    if text.startswith("#!") and path.parts[:2] != ("plugins", "modules"):
        yield "a Python file has no #! line: say `python FILE` in the Makefile"


def long_file(text: str, maximum: int) -> Iterator[str]:
    lines = len((TEXTS.sub("", text) if maximum == MAXIMUM_MODULE else text).splitlines())
    if lines > maximum:
        yield "%d lines, %d are allowed" % (lines, maximum)


def missing_header(path: Path, text: str) -> Iterator[str]:
    changes = path in CHANGES or path.parent in CHANGES
    wanted = (path.suffix in HEADED or text.startswith("#!")) and not changes
    if wanted and text and SPDX not in "\n".join(text.splitlines()[:12]):
        yield "the first lines lack: %s" % SPDX


def untidy_text(path: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip(" \t"):
            yield "line %d ends in white space" % number
        if "\t" in line and path.name != "Makefile" and path.suffix != ".mk":
            yield "line %d has a tab" % number
        if MARKERS.search(line):
            yield "line %d has a leftover marker: do it, or open an issue" % number
        for name, pattern in BANNED.items():
            if pattern.search(line):
                yield "line %d names %s" % (number, name)
    if text and not text.endswith("\n"):
        yield "the last line has no end"


def columns_of(path: Path) -> int:
    documented = any(folder in path.parents for folder in DOCUMENTED)
    return MAXIMUM_DOCUMENTATION_LINE if documented else MAXIMUM_LINE


def lines_of(path: Path) -> int:
    return MAXIMUM_MODULE if path.parts[:2] == ("plugins", "modules") else MAXIMUM_FILE


def check(rule, files) -> None:
    problems = ["%s: %s" % (path, problem) for path, text in files for problem in rule(path, text)]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def test_lines_are_short():
    check(lambda path, text: long_lines(text, columns_of(path)), python_files())


def test_functions_are_short():
    check(lambda _path, text: long_functions(text), python_files())


def test_files_are_short():
    check(lambda path, text: long_file(text, lines_of(path)), python_files())


def test_python_pleases_ansible_test():
    check(lambda _path, text: underscore_names(text), python_files())
    check(foreign_shebang, python_files())


def test_files_carry_their_licence():
    files = [
        (path, text)
        for path, text in text_files()
        if "LICENSES" not in path.parts and not (ENGINE in path.parents and not text)
    ]
    check(missing_header, files)


def test_text_is_tidy():
    files = [(path, text) for path, text in text_files() if "LICENSES" not in path.parts]
    check(untidy_text, files)


def test_there_is_something_to_check():
    paths = tracked()
    assert ENGINE / "wire" / "ip.py" in paths
    assert len(python_files()) > 50


# The test itself: each of these has to be found.


def test_a_long_line_is_found():
    for path, maximum in ((ENGINE / "facts.py", 100), (Path("plugins/modules/a.py"), 160)):
        assert list(long_lines("x" * maximum, columns_of(path))) == []
        assert len(list(long_lines("fine\n" + "x" * (maximum + 1), columns_of(path)))) == 1


def test_a_long_function_is_found():
    def source(lines: int) -> str:
        return "def f():\n" + "    pass\n" * lines

    assert list(long_functions(source(69))) == []
    assert len(list(long_functions("class C:\n    async " + source(70).replace("  ", "    ")))) == 1


def test_a_long_file_is_found():
    module, engine = Path("plugins/modules/vrrp_info.py"), ENGINE / "facts.py"
    told = 'RETURN = r"""\n%s"""' % ("x\n" * 150)
    assert list(long_file("x\n" * 59 + told, lines_of(module))) == []
    assert len(list(long_file("x\n" * 61 + told, lines_of(module)))) == 1
    assert list(long_file("x\n" * 600, lines_of(engine))) == []
    assert len(list(long_file("x\n" * 601, lines_of(engine)))) == 1


@pytest.mark.parametrize("text", ["_, b = c\n", "for _ in c: pass\n", "def _(): pass\n"])
def test_an_underscore_is_found(text):
    assert len(list(underscore_names(text))) == 1
    assert list(underscore_names(text.replace("_", "_rest") + "print(_)\n")) == []


def test_a_foreign_shebang_is_found():
    text = "#!/usr/bin/python\n"
    assert len(list(foreign_shebang(Path("tools/x.py"), text))) == 1
    assert list(foreign_shebang(Path("plugins/modules/x.py"), text)) == []


def test_a_missing_header_is_found():
    assert len(list(missing_header(Path("a.yml"), "---\n"))) == 1
    assert len(list(missing_header(Path("script"), "#!/bin/sh\n"))) == 1
    assert list(missing_header(Path("a.yml"), "# %s\n---\n" % SPDX)) == []
    assert list(missing_header(Path("a.md"), "words\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "ends in a blank \n",
        "a\ttab\n",
        "# TO" + "DO later\n",
        "# X" + "XX later\n",
        "see /ho" + "me/somebody/file\n",
        "path: /wo" + "rk/main\n",
        'path = "/wo' + 'rk/main"\n',
        "pip install --index" + "-url x\n",
        "https://host.example/sim" + "ple/\n",
        "https://packages.cor" + "p.internal/x\n",
        "windows\r\n",
        "no end",
    ],
)
def test_untidy_text_is_found(text):
    assert len(list(untidy_text(Path("notes.md"), text))) == 1


@pytest.mark.parametrize("text", ["", "fine\n", "tests/wo" + "rk/x and ~/ho" + "me/x\n"])
def test_tidy_text_is_left_alone(text):
    assert list(untidy_text(Path("notes.md"), text)) == []
