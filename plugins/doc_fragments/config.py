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
      format:
        description:
          - Version of this document's form.
        type: int
        default: 1
      virtual_routers:
        description:
          - The virtual routers that this host takes part in.
          - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - Name of the virtual router; its device is called vg-NAME.
            type: str
            required: true
          interface:
            description:
              - Interface on the LAN whose gateway this is.
              - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
            type: str
          family:
            description:
              - Address family of the virtual router.
              - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
            type: str
            choices: [ipv4, ipv6]
          vrid:
            description:
              - Virtual router identifier, the same on all routers of the group and unique on the LAN.
              - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
            type: int
          version:
            description:
              - Version of VRRP; 2 is for IPv4 only.
            type: int
            default: 3
          priority:
            description:
              - The highest one becomes master; 255 belongs to the owner of the addresses.
            type: int
            default: 100
          advertisement_interval_cs:
            description:
              - How often a master advertises, the same on all routers of the group.
              - A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms).
            type: raw
            default: 100
          preempt:
            description:
              - Take the role from a master with a lower priority.
            type: bool
            default: true
          preempt_delay_cs:
            description:
              - How long a router that came up waits before it takes the role from a lower master.
              - A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms).
            type: raw
            default: 0
          accept:
            description:
              - As master, accept what is sent to the virtual addresses (a ping, DNS), not only forward.
            type: bool
            default: false
          addresses:
            description:
              - Virtual addresses, of one family, without prefix lengths.
              - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
            type: list
            elements: str
          checksum:
            description:
              - Which checksum VRRPv3 over IPv4 sends; both forms are always accepted.
            type: str
            choices: [auto, rfc5798, rfc9568]
            default: auto
          profile:
            description:
              - The RFC that counts where they differ; auto is rfc9568, or rfc3768 for version 2.
            type: str
            choices: [auto, rfc9568, rfc5798, rfc3768]
            default: auto
          password:
            description:
              - 'Password of VRRPv2, against mistakes only: it is readable on the wire.'
            type: str
            default: ""
          track:
            description:
              - Trackers whose failure lowers the priority.
            type: list
            elements: dict
            default: []
            suboptions:
              tracker:
                description:
                  - Name of a tracker of this configuration.
                type: str
                required: true
              penalty:
                description:
                  - What is taken off the priority while the tracker fails.
                type: int
                default: 101
          router_advertisements:
            description:
              - What hosts are told about an IPv6 virtual router, the same on all routers of the group.
            type: dict
            default: {}
            suboptions:
              enabled:
                description:
                  - The master sends router advertisements and answers router solicitations.
                type: bool
                default: false
              lifetime_s:
                description:
                  - How long the virtual router is a default router without being heard; 0 is never.
                type: int
                default: 1800
              max_interval_cs:
                description:
                  - Longest time from one advertisement to the next.
                  - A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms).
                type: raw
                default: 60000
              min_interval_cs:
                description:
                  - Shortest time from one advertisement to the next; 0 derives it from the longest.
                  - A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms).
                type: raw
                default: 0
              hop_limit:
                description:
                  - Hop limit that hosts send with; 0 says nothing about it.
                type: int
                default: 64
              managed:
                description:
                  - Hosts get addresses by DHCPv6.
                type: bool
                default: false
              other:
                description:
                  - Hosts get everything but addresses by DHCPv6.
                type: bool
                default: false
              preference:
                description:
                  - How hosts rank it among several default routers.
                type: str
                choices: [low, medium, high]
                default: medium
              mtu:
                description:
                  - MTU that all hosts of the LAN use; 0 says nothing about it.
                type: int
                default: 0
              prefixes:
                description:
                  - Networks that hosts are told.
                type: list
                elements: dict
                default: []
                suboptions:
                  prefix:
                    description:
                      - IPv6 network of the LAN, with its length.
                    type: str
                    required: true
                  on_link:
                    description:
                      - Its addresses are reached without a router.
                    type: bool
                    default: true
                  autonomous:
                    description:
                      - Hosts may make themselves addresses in it (SLAAC).
                    type: bool
                    default: true
                  valid_lifetime_s:
                    description:
                      - How long such addresses are valid.
                    type: int
                    default: 2592000
                  preferred_lifetime_s:
                    description:
                      - How long such addresses are used for new connections.
                    type: int
                    default: 604800
              rdnss:
                description:
                  - IPv6 addresses of DNS servers.
                type: list
                elements: str
                default: []
              dnssl:
                description:
                  - Domains that hosts search for short names.
                type: list
                elements: str
                default: []
              rdnss_lifetime_s:
                description:
                  - How long hosts use these servers and domains; 0 takes them back.
                type: int
                default: 1800
      trackers:
        description:
          - What is watched so that its failure costs priority.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description:
              - Name of the tracker.
            type: str
            required: true
          kind:
            description:
              - 'link: the interface has to be up with carrier; ping: one of the targets has to answer.'
              - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
            type: str
            choices: [link, ping]
          interface:
            description:
              - The interface that is watched, or by which the ping leaves.
            type: str
            default: ""
          targets:
            description:
              - Addresses to ping; one answer is enough.
            type: list
            elements: str
            default: []
          interval_cs:
            description:
              - Time from one ping to the next.
              - A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms).
            type: raw
            default: 100
          timeout_cs:
            description:
              - How long an answer is waited for.
              - A number counts centiseconds; a text has its unit, such as V(1s) or V(100ms).
            type: raw
            default: 100
          fall:
            description:
              - Failures in a row after which the tracker fails.
            type: int
            default: 3
          rise:
            description:
              - Successes in a row after which the tracker is well again.
            type: int
            default: 2
      sync_groups:
        description:
          - 'Virtual routers that are master together or not at all: who loses one gives up all.'
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description:
              - Name of the sync group.
            type: str
            required: true
          members:
            description:
              - Names of two or more virtual routers that preempt alike, all of them owners or none.
              - Needed, but where O(state=merged) finds it on the router, and for O(state=deleted).
            type: list
            elements: str
      leases:
        description:
          - 'Virtual addresses expire in the kernel unless the daemon goes on advertising; auto: while there are at most 100 of them.'
        type: str
        choices: [auto, "on", "off"]
        default: auto
"""
