# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx settings of the documentation; tools/build_docs puts the pages together."""

from __future__ import annotations

project = "vlangate.vrrp"
author = "The vlangate.vrrp authors"
project_copyright = "2026, The vlangate.vrrp authors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "260px"}
html_title = "vlangate.vrrp"
myst_heading_anchors = 3
# Options of modules carry their own targets; links to Ansible's own pages need a network.
suppress_warnings = ["myst.xref_missing", "ref.ref"]
