"""Calls and what was said on them: lists, one call, its transcript in several forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from daemon.calls.call import Call, CallState
from daemon.calls.numbers import any_spelling
from daemon.stores.agent_calls import get_agent_call
from daemon.stores.calls import CallFilter, CallRow, get_call, page_calls
from daemon.stores.cursor import CursorError, read_cursor, write_cursor
from daemon.stores.utterances import utterances_of
from web.auth import Auth
from web.endpoint import JSON, Answer, Asked, Endpoint
from web.payloads import CallPayload, CallsPage, TranscriptPayload, UtterancePayload, WholeCallPayload
from web.problems import ProblemError
from web.sources import Sources
from web.transcript_formats import in_order, to_csv, to_text, to_vtt
from web.views import View, call_payload, utterance_payload, whole_call_payload

Format = Literal["json", "csv", "text", "vtt"]

_MEDIA: Final[Mapping[Format, str]] = {"json": JSON, "csv": "text/csv", "text": "text/plain", "vtt": "text/vtt"}
_SUFFIX: Final[Mapping[Format, str]] = {"csv": "csv", "text": "txt", "vtt": "vtt"}
_WRITERS: Final[Mapping[Format, Callable[[CallPayload, list[UtterancePayload]], str]]] = {
    "csv": to_csv,
    "text": to_text,
    "vtt": to_vtt,
}
_CALL_ID: Final = {"call_id": "Our id of the call."}

Text = Annotated[str, Meta(max_length=200)]


class CallsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls, and which page of them."""

    state: Annotated[Literal["live", "ended"] | None, Meta(description="Only those.")] = None
    caller: Annotated[Text | None, Meta(description="The caller's number, whole, with its country code or not.")] = None
    did: Annotated[Text | None, Meta(description="The number dialled from outside, in the same way.")] = None
    code: Annotated[Text | None, Meta(description="The app code of the dialplan.")] = None
    server: Annotated[Text | None, Meta(description="The switch's name in the configuration.")] = None
    since: Annotated[float | None, Meta(description="Created at this time (Unix seconds) or later.")] = None
    until: Annotated[float | None, Meta(description="Created before this time.")] = None
    limit: Annotated[int, Meta(ge=1, le=500, description="Calls on a page.")] = 50
    cursor: Annotated[Text | None, Meta(description="The field next of the page before.")] = None

    def wanted(self) -> CallFilter:
        """The filter of it."""
        return CallFilter(
            state=self.state,
            callers=self.callers,
            dids=self.dids,
            code=self.code,
            server=self.server,
            since=self.since,
            until=self.until,
        )

    @property
    def callers(self) -> tuple[str, ...]:
        """How the caller's number may stand; empty: any does."""
        return () if self.caller is None else any_spelling(self.caller)

    @property
    def dids(self) -> tuple[str, ...]:
        """The same of the number dialled from outside."""
        return () if self.did is None else any_spelling(self.did)


class TranscriptQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which form."""

    format: Annotated[Format | None, Meta(description="The form; without it the header Accept says.")] = None


class CallRoutes:
    """Calls, from memory while they are there and from the store after."""

    def __init__(self, sources: Sources) -> None:
        self._auth: Auth = sources.auth
        self._registry = sources.registry
        self._transcripts = sources.transcripts
        self._database = sources.database

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/v1/calls",
                tag="calls",
                summary="Calls, newest first",
                description="Numbers are masked for accounts that may not see them whole, and those cannot ask for a "
                "caller. Calls that became part of another are left out.",
                handler=self.list_calls,
                query=CallsQuery,
                answers=(Answer(200, "One page.", {JSON: CallsPage}),),
                errors=(403,),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/calls/{call_id}",
                tag="calls",
                summary="One call",
                handler=self.get_call,
                path_parameters=_CALL_ID,
                answers=(Answer(200, "The call as it stands.", {JSON: WholeCallPayload}),),
                errors=(404,),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/calls/{call_id}/transcript",
                tag="calls",
                summary="What was said on a call",
                description="CSV begins with a byte order mark, which spreadsheets need for Korean, and a text that "
                "one would take for a formula has an apostrophe before it. Times of plain text and WebVTT are "
                "since the answer.",
                handler=self.get_transcript,
                path_parameters=_CALL_ID,
                query=TranscriptQuery,
                answers=(
                    Answer(
                        200,
                        "The finals: as JSON in order of seq, else in order of speech.",
                        {media: TranscriptPayload if media == JSON else None for media in _MEDIA.values()},
                    ),
                ),
                errors=(404, 406),
            ),
        ]

    async def list_calls(self, asked: Asked[CallsQuery, None]) -> CallsPage:
        """Live calls as they stand now; all others as stored, those in memory as they stand."""
        view = self._auth.view(asked.somebody)
        query = asked.query
        if query.caller is not None and view is not View.FULL:
            # Whoever may ask whether a number is there can find out every number by asking often enough.
            raise ProblemError(403, "Callers are masked", "Your role sees no whole numbers, so it cannot ask for one.")
        try:
            if query.state == "live":
                return self._live_page(query, view)
            return await self._stored_page(query, view)
        except CursorError as error:
            raise ProblemError(422, "Not understood", "In the query: not a cursor of this list.") from error

    async def _stored_page(self, query: CallsQuery, view: View) -> CallsPage:
        """The next page with anything on it: calls whose DID this view masks are not found by it."""
        cursor = query.cursor
        while True:
            async with self._database.read() as connection:
                rows, cursor = await page_calls(connection, query.wanted(), query.limit, cursor)
            calls = [call_payload(self._registry.get(row.call_id) or row, view) for row in rows]
            calls = [call for call in calls if query.did is None or call.did in query.dids]
            if calls or cursor is None:
                return CallsPage(calls, cursor)

    def _live_page(self, query: CallsQuery, view: View) -> CallsPage:
        before = None if query.cursor is None else read_cursor(query.cursor)
        found = [
            call
            for call in self._registry.calls()
            if _matches(call, query, view) and (before is None or (call.created_at, call.call_id) < before)
        ]
        found.sort(key=lambda call: (call.created_at, call.call_id), reverse=True)
        page = found[: query.limit]
        more = len(found) > query.limit
        following = write_cursor(page[-1].created_at, page[-1].call_id) if more else None
        return CallsPage([call_payload(call, view) for call in page], following)

    async def get_call(self, asked: Asked[None, None]) -> WholeCallPayload:
        """From memory, else from the store; those that voice agents were on are in the store alone."""
        call = await self._call(asked.path("call_id"))
        agent = None
        if isinstance(call, CallRow):
            async with self._database.read() as connection:
                agent = await get_agent_call(connection, call.call_id)
        return whole_call_payload(call, agent, self._auth.view(asked.somebody))

    async def get_transcript(self, asked: Asked[TranscriptQuery, None]) -> web.Response | TranscriptPayload:
        """In the form that was asked for."""
        form = asked.query.format or _accepted(asked.request)
        call = await self._call(asked.path("call_id"))
        utterances = await self._finals(call.call_id)
        if form == "json":
            return TranscriptPayload(call.call_id, self._transcripts.epoch, utterances)
        text = _WRITERS[form](call_payload(call, self._auth.view(asked.somebody)), in_order(utterances))
        headers = {"Content-Disposition": f'attachment; filename="transcript-{call.call_id}.{_SUFFIX[form]}"'}
        return web.Response(text=text, content_type=_MEDIA[form], charset="utf-8", headers=headers)

    async def _call(self, call_id: str) -> Call | CallRow:
        call: Call | CallRow | None = self._registry.get(call_id)
        if call is None:
            async with self._database.read() as connection:
                call = await get_call(connection, call_id)
        if call is None:
            raise ProblemError(404, "No such call", "Neither live nor stored.")
        return call

    async def _finals(self, call_id: str) -> list[UtterancePayload]:
        if self._transcripts.knows(call_id):
            return [utterance_payload(final) for final in self._transcripts.finals(call_id)]
        async with self._database.read() as connection:
            return [utterance_payload(final) for final in await utterances_of(connection, call_id)]


def _matches(call: Call, query: CallsQuery, view: View) -> bool:
    """Whether a call in memory is live and is one of those asked for, by the store's rules and as ``view`` shows it."""
    return (
        call.state is not CallState.ENDED
        and (query.caller is None or call.caller in query.callers)
        and (query.did is None or call_payload(call, view).did in query.dids)
        and (query.code is None or call.code == query.code)
        and (query.server is None or call.server == query.server)
        and (query.since is None or call.created_at >= query.since)
        and (query.until is None or call.created_at < query.until)
    )


def _accepted(request: web.Request) -> Format:
    """The form that the header Accept likes best; JSON where it does not say. Raises a problem 406 for none of ours."""
    likes: list[tuple[float, Format]] = []
    accept = request.headers.get("Accept", "*/*")
    for entry in accept.split(","):
        media, *parameters = (part.strip().lower() for part in entry.split(";"))
        for form, ours in _MEDIA.items():
            if media in (ours, ours.partition("/")[0] + "/*", "*/*"):
                likes.append((_quality(parameters), form))
                break
    best = max(likes, key=lambda like: like[0], default=(0.0, None))
    if best[0] <= 0 or best[1] is None:
        raise ProblemError(406, "Not Acceptable", f"There is {', '.join(_MEDIA.values())}.")
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
