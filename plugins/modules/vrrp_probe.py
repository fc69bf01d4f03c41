#!/usr/bin/python
# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrrp_probe
short_description: Ask from a host whether its gateway is VRRP and who stands behind it, or measure what is lost
version_added: 0.2.0
author:
  - The vlangate.vrrp authors (@vlangate)
description:
  - Runs on any Linux host of a VLAN, which needs no engine, and asks about its gateways. Several are asked about at the same time.
  - By ARP or neighbour solicitation, which MAC answers for the address; a virtual MAC tells family and VRID. By the advertisements,
    who is master, from which address and real MAC. By a datagram that may go no further, which real router forwards.
  - With O(measure), nothing of this. It sends echo requests instead, and tells which of them were lost and when.
extends_documentation_fragment: [vlangate.vrrp.attributes, vlangate.vrrp.attributes.info, vlangate.vrrp.probe]
notes:
  - Needs root, for raw sockets.
  - An answer of a host is no proof for its neighbours; ask from a host of each VLAN.
seealso:
  - module: vlangate.vrrp.vrrp_listen
  - module: vlangate.vrrp.vrrp_assert
"""

EXAMPLES = r"""
- name: Is the default gateway of this host VRRP, and who is it?
  vlangate.vrrp.vrrp_probe:
  register: probed

- name: Every gateway of the plan that this host can see answers from its virtual MAC
  vlangate.vrrp.vrrp_probe:
    plan: "{{ planned.plan }}"
    fail_on_problems: true

- name: Begin to measure what is lost on the way to a host behind the gateway
  vlangate.vrrp.vrrp_probe:
    measure:
      targets: [198.51.100.1]
      seconds: 300
      marker: /run/measuring
  async: 330
  poll: 0
  register: job

- name: Go on when it has begun
  ansible.builtin.wait_for:
    path: /run/measuring

- name: End it, after what was to be measured
  ansible.builtin.file:
    path: /run/measuring
    state: absent

- name: Ask what was lost
  ansible.builtin.async_status:
    jid: "{{ job.ansible_job_id }}"
  register: measured
  until: measured is finished
  delay: 1
"""

RETURN = r"""
gateways:
  description:
    - What was found out about each gateway. C(router) and C(router_mac) are the real router that forwards, by its own addresses;
      C(speakers) are the masters that advertise it, as M(vlangate.vrrp.vrrp_listen) tells them.
  returned: without O(measure)
  type: list
  elements: dict
  sample:
    - address: 198.18.10.254
      name: vlan10-v4
      family: ipv4
      interface: eth0
      is_vrrp: true
      vrid: 10
      version: 3
      macs: ["00:00:5e:00:01:0a"]
      router: 198.18.10.252
      router_mac: 02:00:0a:00:00:fc
      speakers:
        - {vlan: null, family: ipv4, vrid: 10, version: 3, source: 198.18.10.252, mac: "00:00:5e:00:01:0a", virtual_mac: true,
           real_mac: "02:00:0a:00:00:fc", destination: 224.0.0.18, ttl: 255, priority: 200, advertisement_interval_cs: 100,
           addresses: [198.18.10.254], authentication: none, checksum: rfc9568, adverts: 4, first: 1790000000.1, last: 1790000003.1}
      problems: []
problems:
  description: The problems of all gateways, a sentence each.
  returned: without O(measure)
  type: list
  elements: str
  sample: ["198.18.10.254 (vlan10-v4) on eth0: answered from 02:00:0a:00:00:fc, not from the virtual MAC 00:00:5e:00:01:0a"]
sent:
  description: How many probes were sent, to all targets.
  returned: &measured with O(measure)
  type: int
  sample: 300000
received:
  description: How many were answered within a second.
  returned: *measured
  type: int
  sample: 299998
lost:
  description: How many were not.
  returned: *measured
  type: int
  sample: 2
longest:
  description: The longest outage in seconds.
  returned: *measured
  type: float
  sample: 0.002001
late:
  description: By how many seconds the host itself was late at worst. Shorter outages may be its own.
  returned: *measured
  type: float
  sample: 0.000213
outages:
  description: Times without answers, from the first lost probe to the next one that was answered. Times are seconds since 1970.
  returned: *measured
  type: list
  elements: dict
  sample: [{"target": "198.51.100.1", "start": 1790000012.345, "end": 1790000012.347001, "seconds": 0.002001, "lost": 2}]
samples:
  description: How many probes were sent and lost in times of the same length, at most 600 for each target.
  returned: *measured
  type: list
  elements: dict
  sample: [{"target": "198.51.100.1", "start": 1790000012.3, "seconds": 0.5, "sent": 500, "lost": 2}]
targets:
  description: The same sums for each target.
  returned: *measured
  type: list
  elements: dict
  sample: [{"target": "198.51.100.1", "sent": 300000, "received": 299998, "lost": 2, "longest": 0.002001}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.probe_here import argument_spec, run


def main() -> None:
    run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
