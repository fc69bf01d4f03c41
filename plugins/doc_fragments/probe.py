# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options of vrrp_probe."""

    DOCUMENTATION = r"""
options:
  gateway:
    description:
      - The addresses to ask about, IPv4 or IPv6. They have to be on a network of this host.
      - Left out, and without O(plan) and O(expected), they are the default gateways of this host.
    type: list
    elements: str
  interface:
    description: By which interface to ask. Left out, the one that the host's routes say. C(fe80::254%eth0) says it, too.
    type: str
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run. Its gateways are O(expected).
    type: path
  expected:
    description: Gateways, and where they should be. Those on networks of this host are asked about, and one at least has to be.
    type: list
    elements: dict
    suboptions:
      address:
        description: The address.
        type: str
        required: true
      virtual_mac:
        description: The MAC that has to answer for it. Left out, any virtual MAC of its family will do.
        type: str
      name:
        description: What to call it in the problems.
        type: str
  beyond:
    description:
      - An address for each family that is on no LAN, to see which router sends on what goes there. The packets are not forwarded.
      - The defaults are for documentation, so nobody has them.
    type: list
    elements: str
    default: [192.0.2.1, "2001:db8::1"]
  intervals:
    description: For how many advertisement intervals to listen. Two masters are noticed after two.
    type: int
    default: 3
  timeout:
    description: Seconds after which not to wait for anything more. Have it longer than O(intervals) of what is advertised.
    type: float
    default: 5
  fail_on_problems:
    description: Fail when anything is wrong with one of the gateways.
    type: bool
    default: false
  measure:
    description: Send echo requests and tell what was lost, in place of everything else.
    type: dict
    suboptions:
      targets:
        description:
          - The addresses to probe, each at this rate. Something behind the gateway shows that it forwards.
          - Left out, the gateways themselves, which have to answer to echo requests.
        type: list
        elements: str
      seconds:
        description: For how long to measure, at most when there is a O(measure.marker).
        type: float
        default: 10
      rate:
        description: Probes in a second, up to 1000.
        type: int
        default: 1000
      marker:
        description:
          - A file that this task makes once all targets have answered for 0.3 seconds; from then on it counts. It ends when somebody
            removes the file, so that it can go on around other tasks.
          - The task fails when the targets do not answer that well within O(measure.seconds), and when the file is there already.
        type: path
"""
