"""What a role may: viewers read, operators act, admins configure, each also what those before may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from daemon.config import Role

_RANK: Final[Mapping[str, int]] = {"viewer": 0, "operator": 1, "admin": 2}


def includes(role: str, least: Role) -> bool:
    """Whether ``role`` may what ``least`` may; a role that nobody knows may nothing."""
    return _RANK.get(role, -1) >= _RANK[least]


def sees_numbers(role: str, full_numbers: Literal["viewer", "operator", "admin", "nobody"]) -> bool:
    """Whether ``role`` sees whole phone numbers where ``full_numbers`` is the least that does."""
    return full_numbers != "nobody" and includes(role, full_numbers)
