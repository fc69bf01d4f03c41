# Copyright (c) 2026, The vlangate.vrrp authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact state of a router as a JSON-ready document, and a router from it. Layer L3.

Every attribute is written as it is found, so that a new one is not forgotten; what is left out is
named here. Objects that are shared are written once. A thousand virtual routers take a quarter of
a second, so they come in pieces, of a copy that is made in milliseconds.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional

from ..config.model import RouterConfig
from ..fsm.virtual_router import VirtualRouter
from . import bound_router, peers, vrrp_router
from .bound_router import BoundRouter
from .masks import Masks, NoMasks
from .values import KINDS, Notation
from .vrrp_router import VrrpRouter
from .wires import Wires

# Left out, because no action depends on them: answers that are worked out again when they are
# missing, and the past that only `show` and `why` tell.
_LEFT_OUT = {
    VrrpRouter: {"_steady"},
    Wires: {"known"},
    BoundRouter: {"_frame", "history", "occurrences"},
    VirtualRouter: {"_steady"},
}
# The package that holds router/.
_ENGINE = __name__.rsplit(".", 2)[0] + "."
# What lives and changes, and is made of values: the classes of this engine that a router uses.
_LIVING: Dict[str, Any] = {
    name: kind
    for module in (vrrp_router, bound_router, peers)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and kind.__module__.startswith(_ENGINE) and name not in KINDS
}


def frozen(router: VrrpRouter) -> VrrpRouter:
    """A copy that stays as the router is between two steps; values are not copied. Fast."""
    router.come_to_rest()
    copied: VrrpRouter = _copy(router, {})
    return copied


def pieces(router: VrrpRouter, masks: Masks) -> Iterator[Any]:
    """The documents of a frozen router: its virtual routers one by one, then the router itself."""
    writing = _Writing(masks)
    for bound in router.bound_routers():
        yield writing.write(bound)
    yield writing.write(router)


class Restoring:
    """Takes pieces in their order. The router that comes out does what the saved one would do; its
    history is empty."""

    def __init__(self) -> None:
        self._reading = _Reading()
        self.router: Optional[VrrpRouter] = None

    def take(self, piece: Any) -> None:
        """Raises JournalError, also for a state that only another version of the engine has."""
        value = self._reading.read(piece)
        if isinstance(value, VrrpRouter):
            self.router = value


def _copy(value: Any, copies: Dict[int, Any]) -> Any:
    """copies: what was copied already, for what is shared."""
    kind = type(value)
    if kind is dict:
        return {key: _copy(each, copies) for key, each in value.items()}
    if kind is list or kind is tuple:
        return kind(_copy(each, copies) for each in value)
    if _LIVING.get(kind.__name__) is not kind:
        return value
    if id(value) not in copies:
        left_out = _LEFT_OUT.get(kind, ())
        copied = copies[id(value)] = kind.__new__(kind)
        vars(copied).update(
            {
                name: each if name in left_out else _copy(each, copies)
                for name, each in vars(value).items()
            }
        )
    return copies[id(value)]


def _make(kind: Any, attributes: Dict[str, Any]) -> Any:
    """An object that just came to be; its other attributes are set afterwards."""
    if kind is VrrpRouter:
        return VrrpRouter(RouterConfig(), (), 0)
    code = kind.__init__.__code__
    # Living things keep what they are made from, under the same name.
    return kind(*(attributes[name] for name in code.co_varnames[1 : code.co_argcount]))


class _Writing(Notation):
    """{"r": 7} stands for the eighth object that was written, objects within it counted first."""

    def __init__(self, masks: Masks) -> None:
        super().__init__(masks)
        self._numbers: Dict[int, int] = {}

    def _write_object(self, value: Any, kind: Any) -> Any:
        number = self._numbers.get(id(value))
        if number is not None:
            return {"r": number}
        if kind.__name__ in _LIVING:
            left_out = _LEFT_OUT.get(kind, ())
            attributes = {
                name: self.write(each) for name, each in vars(value).items() if name not in left_out
            }
            written: Any = {kind.__name__: attributes}
        else:
            written = super()._write_object(value, kind)
        self._numbers[id(value)] = len(self._numbers)
        return written


class _Reading(Notation):
    def __init__(self) -> None:
        super().__init__(NoMasks())
        self._objects: List[Any] = []

    def _read_tagged(self, tag: str, content: Any) -> Any:
        if tag == "r":
            if not isinstance(content, int) or not 0 <= content < len(self._objects):
                raise ValueError("no object has the number %r" % (content,))
            return self._objects[content]
        if tag not in _LIVING:
            return super()._read_tagged(tag, content)
        attributes = self._read_attributes(content)
        made = _make(_LIVING[tag], attributes)
        unknown = set(attributes) - set(vars(made))
        if unknown:
            raise ValueError("a %s has no %s" % (tag, ", ".join(sorted(unknown))))
        for name, value in attributes.items():
            if isinstance(vars(made)[name], int) and not isinstance(value, int):
                raise ValueError("%s of a %s is no number" % (name, tag))
        vars(made).update(attributes)
        self._objects.append(made)
        return made

    def _read_object(self, kind: Any, attributes: Dict[str, Any]) -> Any:
        made = super()._read_object(kind, attributes)
        self._objects.append(made)
        return made
