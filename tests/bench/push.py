"""GitHub pushes of 8 KB, signed: what every server of the inbox's benchmark is delivered.

They are of many repositories, as an organisation's webhook delivers them: the pushes of one are worked in order.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final

SECRET: Final = "example-secret"
REPOSITORIES: Final = 500
SIZE: Final = 8192
_COMMITS: Final = 12


def pushes() -> list[bytes]:
    """The bodies, one for each repository: JSON of :data:`SIZE` bytes."""
    return [_push(f"example/parts-{number:03}") for number in range(REPOSITORIES)]


def signature(body: bytes, algorithm: str) -> str:
    """What GitHub's signature header says of ``body``, such as ``sha256=…``."""
    return f"{algorithm}={hmac.new(SECRET.encode(), body, algorithm).hexdigest()}"


def _push(repository: str) -> bytes:
    payload = {
        "ref": "refs/heads/main",
        "before": f"{0:040x}",
        "after": f"{_COMMITS:040x}",
        "repository": {"id": 1, "name": repository.partition("/")[2], "full_name": repository, "private": True},
        "pusher": {"name": "example", "email": "example@example.com"},
        "sender": {"login": "example", "id": 1, "type": "User", "site_admin": False},
        "created": False,
        "deleted": False,
        "forced": False,
        "compare": f"https://example.com/{repository}/compare/0...{_COMMITS}",
        "commits": [_commit(repository, number) for number in range(1, _COMMITS + 1)],
        "note": "",
    }
    room = SIZE - len(_encoded(payload))
    return _encoded(payload | {"note": "x" * room})


def _commit(repository: str, number: int) -> dict[str, object]:
    person = {"name": "Example", "email": "example@example.com", "username": "example"}
    return {
        "id": f"{number:040x}",
        "tree_id": hashlib.sha1(f"{repository} {number}".encode()).hexdigest(),
        "distinct": True,
        "message": f"Count the parts of shelf {number} before they are moved",
        "timestamp": f"2026-01-01T00:00:{number:02}+09:00",
        "url": f"https://example.com/{repository}/commit/{number:040x}",
        "author": person,
        "committer": person,
        "added": [f"shelves/{number}.txt"],
        "removed": [],
        "modified": ["README.md", f"shelves/{number - 1}.txt"],
    }


def _encoded(payload: dict[str, object]) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()
