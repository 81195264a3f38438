"""What is on an Elasticsearch, asked for by plain HTTP, and small changes to it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import aiohttp


class ServerView:
    """Enter it to connect."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What it answers, which must be well."""
        async with self._session.request(method, f"{self._url}{path}", json=body) as answer:
            document = await answer.json()
            assert answer.ok, document
            return document

    async def indices(self, alias: str) -> dict[str, set[str]]:
        """The aliases of each index whose name begins like the alias."""
        found = await self.ask("GET", "/_alias")
        return {name: set(each["aliases"]) for name, each in found.items() if name.startswith(alias)}

    async def behind(self, alias: str) -> str:
        """The name of the one index that has that alias."""
        [name] = [name for name, aliases in (await self.indices(alias)).items() if alias in aliases]
        return name

    async def note(self, alias: str, **changed: object) -> None:
        """Change what the index behind the alias says of itself."""
        name = await self.behind(alias)
        mapping = await self.ask("GET", f"/{name}/_mapping")
        meta = mapping[name]["mappings"]["_meta"] | changed
        await self.ask("PUT", f"/{name}/_mapping", {"_meta": meta})
