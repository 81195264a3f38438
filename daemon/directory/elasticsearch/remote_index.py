"""The index in Elasticsearch: an alias, behind it an index that is filled and then takes the place of the one before.

Whatever is written goes by an alias that must be there. A server that lost everything in between would else make an
index of its own idea from the first document.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import Any, Final

import msgspec
from elasticsearch import AsyncElasticsearch, NotFoundError
from elasticsearch.helpers import async_streaming_bulk

from daemon.config import ElasticsearchConfig
from daemon.directory.contract import Entry
from daemon.directory.elasticsearch.documents import definition, document_id, document_of, entry_of

_AT_ONCE: Final = 200
"""Documents in one request."""
_MOST_BYTES: Final = 8_000_000
_TRIES_AGAIN: Final = 5
_FIRST_PAUSE: Final = 0.2
"""What a busy server puts off is tried again, after so many seconds and then twice as many."""
_PAGE: Final = 10_000
_SUPERSEDED: Final = 409

Action = dict[str, Any]


class RefusedError(Exception):
    """What is there cannot be used, or a document was not taken. The text is for an operator, and has nothing of the
    document."""


class State(msgspec.Struct, frozen=True):
    """What stands behind the alias: the index's own ``name``, the store whose entries it has, and the store's
    revision that it is up to."""

    name: str
    format: int
    store: str
    revision: int


class RemoteIndex:
    """The index behind the alias of ``config``. Its methods raise what the client
    does, and for an answer of another form than it should have ``LookupError`` or ``TypeError``."""

    def __init__(self, client: AsyncElasticsearch, config: ElasticsearchConfig) -> None:
        self._client = client
        self._writing = client.options(request_timeout=config.write_timeout)
        self.alias = config.index
        self._definition = definition()
        self._own_name = re.compile(rf"{re.escape(config.index)}-\d+-[0-9a-f]{{8}}")

    @property
    def format(self) -> int:
        """The number of the definition and the analysis that this Parley makes an index by."""
        number: int = self._definition["mappings"]["_meta"]["format"]
        return number

    async def state(self) -> State | None:
        """What stands behind the alias; ``None``: nothing. Raises :class:`RefusedError` for several indices."""
        try:
            answer = await self._client.indices.get_mapping(index=self.alias)
        except NotFoundError:
            return None
        if len(answer.body) != 1:
            raise RefusedError(f"the alias {self.alias} is that of {len(answer.body)} indices")
        [(name, found)] = answer.body.items()
        meta = found["mappings"].get("_meta", {})
        return State(name, int(meta.get("format", 0)), str(meta.get("store", "")), int(meta.get("revision", -1)))

    async def get(self, entry_id: str) -> Entry | None:
        """The entry of that id. Raises :class:`elasticsearch.NotFoundError` where there is no index."""
        answer = await self._client.options(ignore_status=404).get(index=self.alias, id=document_id(entry_id))
        if "error" in answer:
            raise NotFoundError("no index", answer.meta, answer.body)
        return entry_of(answer["_source"]) if answer["found"] else None

    async def entry_ids(self) -> set[str]:
        """The ids of all entries in it."""
        found: set[str] = set()
        after: list[Any] | None = None
        while True:
            page = await self._writing.search(
                index=self.alias,
                size=_PAGE,
                sort=[{"id": "asc"}],
                search_after=after,
                source=False,
                track_total_hits=False,
            )
            hits = page["hits"]["hits"]
            found |= {hit["sort"][0] for hit in hits}
            if len(hits) < _PAGE:
                return found
            after = hits[-1]["sort"]

    async def change(self, new: State, entries: AsyncIterator[Entry], gone: Collection[str]) -> None:
        """Put ``entries`` into what stands behind the alias and remove those that are ``gone``, so that it is ``new``.

        Raises :class:`RefusedError`.
        """
        await self._bulk(self.alias, entries, gone, new.revision)
        await self._writing.indices.refresh(index=self.alias)
        await self._note(new)

    async def fill(self, old: State | None, entries: AsyncIterator[Entry], store: str, revision: int) -> State:
        """Make a new index of all ``entries`` and put it in the place of the ``old`` one, all at once.

        The old one is left for those who are searching it. Raises :class:`RefusedError`; then nothing is replaced.
        """
        new = State(f"{self.alias}-{revision}-{secrets.token_hex(4)}", self.format, store, revision)
        filling = f"{new.name}-filling"
        made = self._definition
        mappings = {**made["mappings"], "_meta": {"format": self.format, "store": store}}
        await self._writing.indices.create(
            index=new.name, settings=made["settings"], mappings=mappings, aliases={filling: {}}
        )
        await self._bulk(filling, entries, (), revision)
        await self._writing.indices.refresh(index=filling)
        await self._note(new)
        actions: list[Mapping[str, Any]] = [
            {"remove": {"index": new.name, "alias": filling, "must_exist": True}},
            {"add": {"index": new.name, "alias": self.alias, "is_write_index": True}},
        ]
        if old is not None:
            actions.append({"remove": {"index": old.name, "alias": self.alias}})
        await self._writing.indices.update_aliases(actions=actions)
        return new

    async def remove(self, name: str) -> None:
        """Remove an index that has no alias any more, where it is still there."""
        await self._writing.options(ignore_status=404).indices.delete(index=name)

    async def sweep(self, keep: Collection[str], store: str) -> None:
        """Remove what was half filled or not removed when somebody died over it, all but those to ``keep``.

        Nobody else may be filling one.
        """
        there = await self._writing.indices.get_mapping(index=f"{self.alias}-*")
        left = [
            name
            for name, found in there.body.items()
            if name not in keep
            and self._own_name.fullmatch(name)
            and found["mappings"].get("_meta", {}).get("store") == store
        ]
        for name in left:
            await self.remove(name)

    async def _note(self, state: State) -> None:
        meta = {"format": state.format, "store": state.store, "revision": state.revision}
        await self._writing.indices.put_mapping(index=state.name, meta=meta)

    async def _bulk(self, alias: str, entries: AsyncIterator[Entry], gone: Iterable[str], revision: int) -> None:
        """With the store's revision as that of each document, so that who is late changes nothing that is newer."""
        version = {"version": revision, "version_type": "external_gte"}

        async def actions() -> AsyncIterator[Action]:
            for entry_id in gone:
                yield {"_op_type": "delete", "_id": document_id(entry_id), **version}
            async for entry in entries:
                yield {
                    "_op_type": "index",
                    "_id": document_id(entry.entry_id),
                    **version,
                    "_source": document_of(entry),
                }

        async for done, answer in async_streaming_bulk(
            self._writing,
            actions(),
            chunk_size=_AT_ONCE,
            max_chunk_bytes=_MOST_BYTES,
            max_retries=_TRIES_AGAIN,
            initial_backoff=_FIRST_PAUSE,
            raise_on_error=False,
            index=alias,
            require_alias=True,
        ):
            if not done:
                _accept(answer)


def _accept(answer: Mapping[str, Any]) -> None:
    """Let go what was not done for a good reason. Raises :class:`RefusedError` for the rest."""
    [(action, result)] = answer.items()
    if result["status"] == _SUPERSEDED or (action == "delete" and result["status"] == 404 and "error" not in result):
        return
    raise RefusedError(f"a document was refused: {result['status']} ({result['error']['type']})")
