#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_listen
short_description: Listen who speaks VRRP on a wire, and tell what is wrong with it
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Hears every VRRP advertisement that reaches an interface, of any make, also those that routers throw away, and on a trunk those of
    every VLAN. Runs on any Linux host, which needs no engine.
  - Sends nothing, not even a report of a multicast group. Of passwords it tells that they are there, never what they are.
extends_documentation_fragment: [vlangate.vrrp.attributes]
attributes:
  check_mode:
    support: full
    details:
      - It listens, and writes no capture file.
  diff_mode:
    support: N/A
    details:
      - Nothing is changed but the capture file.
  idempotent:
    support: partial
    details:
      - A capture file is a change each time. Without one, nothing is changed.
options:
  interface:
    description: Where to listen, an Ethernet interface. An address is not needed.
    type: str
    required: true
  seconds:
    description:
      - For how long to listen, up to an hour. Three advertisement intervals are the least; VRRPv2 may have up to 255 seconds.
    type: float
    default: 10
  expected:
    description: The virtual routers that should be there. Left out, and without O(plan), nobody is a stranger and nobody is missing.
    type: list
    elements: dict
    suboptions:
      vrid:
        description: The VRID.
        type: int
        required: true
      family:
        description: The address family. Left out, either will do.
        type: str
        choices: [ipv4, ipv6]
      vlan:
        description: On a trunk, the VLAN. Left out, any will do.
        type: int
      routers:
        description: The real addresses that may advertise it. For IPv6 they are link-local. Left out, any may.
        type: list
        elements: str
      addresses:
        description: The virtual addresses that have to be listed; for IPv6, link-local ones may be besides. Left out, any will do.
        type: list
        elements: str
  on_link:
    description: Expect only those of O(expected) with an address that is on a network of O(interface).
    type: bool
    default: false
  plan:
    description: What M(vlangate.vrrp.vrrp_plan) returned earlier in this run. Its gateways on networks of O(interface) are expected.
    type: path
  groups:
    description: Of O(plan), expect exactly the gateways with these names, whatever addresses O(interface) has.
    type: list
    elements: str
  ignore:
    description: Kinds of findings to leave out, by their C(code).
    type: list
    elements: str
    default: []
    choices: [two-masters, unknown-vrid, unknown-router, unexpected-addresses, missing, different-versions, different-addresses,
              different-intervals, different-checksums, wrong-ttl, clear-text-password, authentication, real-mac, carp, unreadable,
              too-many]
  fail_on_findings:
    description: Fail when there is any other finding.
    type: bool
    default: false
  promiscuous:
    description: Have the card let everything in, to hear what is sent to unicast peers where a port mirrors a switch.
    type: bool
    default: false
  pcap:
    description: A file on the host to write the frames to, for Wireshark and its like. Only root may read it; passwords are stars in it.
    type: path
notes:
  - Needs root, for packet sockets.
  - A switch that listens to MLD may keep IPv6 advertisements from a host that joined no group. Listen on a router or a mirror port there.
seealso:
  - module: vlangate.vrrp.vrrp_probe
"""

EXAMPLES = r"""
- name: Who speaks VRRP here?
  vlangate.vrrp.vrrp_listen:
    interface: eth0
  register: heard

- name: Nobody speaks but the routers of the plan, and they say what is planned
  vlangate.vrrp.vrrp_listen:
    interface: eth0
    plan: "{{ planned.plan }}"
    fail_on_findings: true
    pcap: /var/tmp/vrrp.pcap
"""

RETURN = r"""
speakers:
  description: Who advertises which virtual router, as it was said last. C(first) and C(last) are seconds since 1970.
  returned: always
  type: list
  elements: dict
  sample:
    - {vlan: null, family: ipv4, vrid: 10, version: 3, source: 198.18.10.252, mac: "00:00:5e:00:01:0a", virtual_mac: true,
       destination: 224.0.0.18, ttl: 255, priority: 200, advertisement_interval_cs: 100, addresses: [198.18.10.254],
       authentication: none, checksum: rfc9568, adverts: 10, first: 1790000000.1, last: 1790000009.1}
findings:
  description: What is wrong, worst first. C(sources) are the speakers it is about.
  returned: always
  type: list
  elements: dict
  sample:
    - {code: two-masters, vlan: null, family: ipv4, vrid: 10, sources: [198.18.10.252, 198.18.10.253],
       message: "ipv4 VRID 10: 198.18.10.252 and 198.18.10.253 advertise by turns, for 8.4 s"}
frames: {description: How many frames were heard., returned: always, type: int, sample: 10}
dropped: {description: How many more the host had no room for., returned: always, type: int, sample: 0}
pcap: {description: "The capture file, or null.", returned: always, type: str, sample: /var/tmp/vrrp.pcap}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.listen_here import argument_spec, run


def main() -> None:
    run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
