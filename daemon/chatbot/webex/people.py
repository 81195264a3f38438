"""Who somebody at Webex is: asked once, as far as memory goes."""

from __future__ import annotations

from typing import Final

from daemon.chatbot.webex.api import WebexApi, WebexRefusedError
from protocols.webex.objects import WebexPerson

_MOST: Final = 10_000
_BOT_DOMAINS: Final = ("@webex.bot", "@sparkbot.io")


class WebexPeople:
    """Asks ``api``; each method raises ``MessengerAwayError``, :meth:`me` also ``WebexRefusedError``."""

    def __init__(self, api: WebexApi) -> None:
        self._api = api
        self._me: WebexPerson | None = None
        self._known: dict[str, WebexPerson] = {}

    async def me(self) -> WebexPerson:
        """The bot itself."""
        if self._me is None:
            self._me = await self._api.me()
        return self._me

    async def get(self, person_id: str) -> WebexPerson | None:
        """Somebody; ``None``: Webex does not say who that is."""
        if person_id not in self._known:
            try:
                person = await self._api.person(person_id)
            except WebexRefusedError:
                return None
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            self._known[person_id] = person
        return self._known[person_id]


def is_bots(email: str) -> bool:
    """Whether Webex gives such an address to bots alone."""
    return email.lower().endswith(_BOT_DOMAINS)
