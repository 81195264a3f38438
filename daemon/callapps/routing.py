"""Which app a call is for: by its code, else by the number dialled. Calls of nobody here are not touched."""

from __future__ import annotations

import re
from collections.abc import Iterable

from daemon.config import CallAppConfig


class Routes:
    """The calls of each app. ``default`` names the app of all that are no other's, ``""`` where there is none."""

    def __init__(self, apps: Iterable[CallAppConfig], default: str = "") -> None:
        self._by_code: dict[str, str] = {}
        self._by_did: dict[str, str] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        self._default = default
        for app in apps:
            self._by_code.update(dict.fromkeys(app.codes, app.name))
            self._by_did.update(dict.fromkeys(app.dids, app.name))
            self._patterns += [(re.compile(pattern), app.name) for pattern in app.did_patterns]

    def app_of_code(self, code: str) -> str:
        """The name of the app that has that code, ``""`` for none."""
        return self._by_code.get(code, "")

    def app_of(self, code: str, did: str) -> str:
        """The name of the app, ``""`` where the call is none of ours. The first pattern that fits counts."""
        exact = (self._by_code.get(code) if code else None) or (self._by_did.get(did) if did else None)
        if exact is not None:
            return exact
        return next((name for pattern, name in self._patterns if pattern.fullmatch(did)), self._default)
