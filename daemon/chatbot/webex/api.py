"""Webex's REST API, by the bot's token, over one pool of connections.

A request that Webex does not take now (429, 5xx) is tried a few times more within seconds, after what ``Retry-After``
asks for where that is sensible, and a moment of chance. A message is posted again only where it is sure that it was not
taken: Webex would show it twice.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from daemon.backoff import Backoff
from daemon.chatbot.contract import MessageRefusedError, MessengerAwayError
from daemon.config import WebexConfig
from daemon.version import version
from protocols.errors import RemoteError
from protocols.retry_after import retry_after
from protocols.webex.objects import (
    WebexCardAction,
    WebexHook,
    WebexMessage,
    WebexObject,
    WebexPerson,
    WebexRoom,
    problem_in,
    read_answer,
    read_items,
)
from protocols.webex.paging import next_page

_TRIES: Final = 4
_LONGEST_WAIT: Final = 5.0
"""Seconds that a request waits for another try; past it, whoever asked is told when."""
_LONGEST_ASKED: Final = 3600.0
"""No ``Retry-After`` is believed beyond this."""
_JITTER: Final = 0.25
_CONNECTIONS: Final = 64
_LARGEST: Final = 8_388_608
"""Bytes of an answer at most."""
_NOT_TAKEN: Final = frozenset({423, 429})
"""Statuses that say that nothing was done."""
_PAGE: Final = 100
_MOST_PAGES: Final = 1_000

_Object = TypeVar("_Object", bound=WebexObject)


class WebexRefusedError(MessageRefusedError):
    """Webex says no, with this HTTP status."""

    def __init__(self, text: str, *, status: int) -> None:
        super().__init__(text)
        self.status = status

    @property
    def is_missing(self) -> bool:
        """There is no such thing (any more), or not for the bot."""
        return self.status in (404, 410)


class BotUnknownError(MessengerAwayError):
    """Webex does not know the bot's token (any more): nothing goes until somebody gives another."""


class _Answer(msgspec.Struct, frozen=True):
    body: bytes
    links: list[str]


class WebexApi:
    """``clock`` gives Unix seconds.

    Every method raises :class:`MessengerAwayError` (``is_posted_unknown`` by what creates something alone) and
    :class:`WebexRefusedError`.
    """

    def __init__(self, config: WebexConfig, token: str, *, clock: Callable[[], float]) -> None:
        self._config = config
        self._token = token
        self._clock = clock
        self._base = config.api_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self.problem = ""
        """What is wrong with the link as of the last request, ``""`` for nothing."""
        self.retries = 0
        """How many requests were made again."""

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def me(self) -> WebexPerson:
        """The bot."""
        return await self._get("people", "me", kind=WebexPerson)

    async def person(self, person_id: str) -> WebexPerson:
        """Somebody."""
        return await self._get("people", person_id, kind=WebexPerson)

    async def message(self, message_id: str) -> WebexMessage:
        """A message."""
        return await self._get("messages", message_id, kind=WebexMessage)

    async def card_action(self, action_id: str) -> WebexCardAction:
        """What somebody did with a card."""
        return await self._get("attachment", "actions", action_id, kind=WebexCardAction)

    async def rooms(self, *, until: Callable[[WebexRoom], bool], most: int) -> list[WebexRoom]:
        """The rooms that the bot is in, the one where something happened last first, up to the first that is
        ``until``."""
        return await self._list("rooms", {"sortBy": "lastactivity"}, WebexRoom, until=until, most=most)

    async def messages(
        self, room: WebexRoom, *, until: Callable[[WebexMessage], bool], most: int
    ) -> list[WebexMessage]:
        """The messages of a room, newest first, up to the first that is ``until``. Of a group room those that mention
        the bot: it is shown no others, nor its own."""
        query = {"roomId": room.id} | ({} if room.type == "direct" else {"mentionedPeople": "me"})
        return await self._list("messages", query, WebexMessage, until=until, most=most)

    async def post(self, body: Mapping[str, Any]) -> str:
        """Post a message; returns its id."""
        return (await self._create("messages", body, WebexMessage)).id

    async def hooks(self) -> list[WebexHook]:
        """All webhooks of the bot, whoever made them."""
        return await self._list("webhooks", {}, WebexHook, until=lambda _: False, most=10_000)

    async def add_hook(self, fields: Mapping[str, str]) -> WebexHook:
        """Make a webhook."""
        return await self._create("webhooks", fields, WebexHook)

    async def change_hook(self, hook_id: str, fields: Mapping[str, str]) -> None:
        """Change a webhook; ``name`` and ``targetUrl`` must be among ``fields``."""
        await self._ask("PUT", self._url("webhooks", hook_id), fields)

    async def delete_hook(self, hook_id: str) -> None:
        """Delete a webhook."""
        await self._ask("DELETE", self._url("webhooks", hook_id))

    # Asking

    def _url(self, *path: str) -> str:
        return "/".join([self._base, *(quote(part, safe="") for part in path)])

    async def _get(self, *path: str, kind: type[_Object]) -> _Object:
        return _read((await self._ask("GET", self._url(*path))).body, kind)

    async def _create(self, path: str, body: Mapping[str, Any], kind: type[_Object]) -> _Object:
        return _read((await self._ask("POST", self._url(path), body)).body, kind, creates=True)

    async def _list(
        self,
        path: str,
        query: Mapping[str, str],
        kind: type[_Object],
        *,
        until: Callable[[_Object], bool],
        most: int,
    ) -> list[_Object]:
        """What all pages have, up to the first that is ``until``, ``most`` at most."""
        found: list[_Object] = []
        url = f"{self._url(path)}?{urlencode(dict(query) | {'max': str(_PAGE)})}"
        for _ in range(_MOST_PAGES):
            answer = await self._ask("GET", url)
            for item in _read_page(answer.body, kind):
                if len(found) == most or until(item):
                    return found
                found.append(item)
            following = next_page(answer.links, self._base)
            if following is None:
                return found
            url = following
        raise MessengerAwayError("a list of Webex has no end")

    async def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> _Answer:
        backoff = Backoff(0.25, 2.0)
        for left in reversed(range(_TRIES)):
            try:
                answer = await self._once(method, url, body)
            except WebexRefusedError:
                self.problem = ""  # it is there, and says no
                raise
            except MessengerAwayError as error:
                self.problem = str(error)
                wait = backoff.next() if error.after is None else error.after + random.uniform(0.0, _JITTER)  # noqa: S311
                is_hopeless = isinstance(error, BotUnknownError) or error.is_posted_unknown
                if is_hopeless or not left or wait > _LONGEST_WAIT:
                    raise
            else:
                self.problem = ""
                return answer
            self.retries += 1
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> _Answer:
        creates = method == "POST"
        try:
            async with (
                asyncio.timeout(self._config.timeout),
                self._client().request(
                    method,
                    url,
                    data=None if body is None else msgspec.json.encode(body),
                    headers={} if body is None else {"Content-Type": "application/json"},
                    allow_redirects=False,
                ) as response,
            ):
                status, headers = response.status, response.headers
                content = await _whole(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise MessengerAwayError(f"Webex cannot be reached ({type(error).__name__})") from error
        except TimeoutError as error:
            text = f"Webex did not answer within {self._config.timeout:g} s"
            raise MessengerAwayError(text, is_posted_unknown=creates) from error
        except (aiohttp.ClientError, OSError) as error:
            text = f"Webex broke off ({type(error).__name__})"
            raise MessengerAwayError(text, is_posted_unknown=creates) from error
        if 200 <= status < 300:
            return _Answer(content, headers.getall("Link", []))
        asked = retry_after(headers.get("Retry-After"), self._clock())
        raise _error(status, content, None if asked is None else min(asked, _LONGEST_ASKED), creates=creates)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                headers={"Authorization": f"Bearer {self._token}", "User-Agent": f"Parley/{version()}"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _error(status: int, body: bytes, after: float | None, *, creates: bool) -> Exception:
    """What an answer that is none means."""
    problem = problem_in(body)
    text = f"Webex answers HTTP {status}{f': {problem}' if problem else ''}"
    if status == 401:
        return BotUnknownError(text)
    if status in _NOT_TAKEN:
        return MessengerAwayError(text, after=after)
    if status >= 500 or status == 408:
        # With 503 and a time it says that it does nothing now. What stands behind another's 5xx may have done it.
        is_turned_away = status == 503 and after is not None
        return MessengerAwayError(text, after=after, is_posted_unknown=creates and not is_turned_away)
    return WebexRefusedError(text, status=status)


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The body. Raises ``aiohttp.ClientPayloadError`` for one that has no end."""
    chunks = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > _LARGEST:
            raise aiohttp.ClientPayloadError("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _read(body: bytes, kind: type[_Object], *, creates: bool = False) -> _Object:
    try:
        return read_answer(body, kind)
    except RemoteError as error:
        raise MessengerAwayError(str(error), is_posted_unknown=creates) from error


def _read_page(body: bytes, kind: type[_Object]) -> list[_Object]:
    try:
        return read_items(body, kind)
    except RemoteError as error:
        raise MessengerAwayError(str(error)) from error
