"""Dial strings: whom a switch is told to call, made of a template of the configuration and a number.

A template is an endpoint with ``{number}`` in it, such as ``sofia/gateway/trunk/{number}``, behind any number of groups
of channel variables (``{name=value,…}``). One endpoint alone: a switch that is given several takes the first that
answers, and the leg that we know by its id may not be that one.
"""

from __future__ import annotations

import re
from typing import Final

from protocols.errors import LocalError

NUMBER: Final = re.compile(r"[0-9A-Za-z*#+_.-]{1,64}")
"""What can be dialled. Nothing of it means anything to the switch."""

_VARIABLE = r"(?P<name>[A-Za-z_][0-9A-Za-z_-]*)=[0-9A-Za-z_.:;@+*/-]*"
_ITEM: Final = re.compile(_VARIABLE)
_GROUP: Final = re.compile(r"\{(?!number\})(?P<items>[^{}]*)\}")
_ENDPOINT: Final = re.compile(r"(?:[0-9A-Za-z*#+_./:;=@-]|\{number\}){1,256}")
_PLACE: Final = "{number}"
_OURS: Final = frozenset({"origination_uuid", "origination_caller_id_number", "originate_timeout", "parley_app"})


class DialString:
    """``template``, which can be used. Raises :class:`LocalError` for one that cannot."""

    def __init__(self, template: str) -> None:
        rest = template
        while group := _GROUP.match(rest):
            for item in group["items"].split(","):
                variable = _ITEM.fullmatch(item)
                if variable is None:
                    raise LocalError("a group of variables is written {name=value,name=value}, without blanks")
                if variable["name"] in _OURS:
                    raise LocalError(f"the variable {variable['name']} is set by Parley itself")
            rest = rest[group.end() :]
        if not _ENDPOINT.fullmatch(rest) or "/" not in rest:
            raise LocalError("this is no endpoint such as sofia/gateway/NAME/{number}")
        if _PLACE not in rest:
            raise LocalError("{number} does not stand in it")
        self._template = template

    def of(self, number: str) -> str:
        """The string that dials ``number``. Raises :class:`LocalError` for what is none."""
        if NUMBER.fullmatch(number) is None:
            raise LocalError("the number holds what the switch would not take as a plain value")
        return self._template.replace(_PLACE, number)
