"""Says things by Webex: a message as those that Webex takes, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from daemon.chatbot.contract import Card, Field, Message, Messenger, MessengerAwayError
from daemon.chatbot.webex.api import WebexApi
from protocols.webex import cards
from protocols.webex.splitting import split


class Part(msgspec.Struct, frozen=True):
    """What one message of Webex holds. Where there is a card, people see that, and ``markdown`` only where a program of
    theirs shows no cards: so the card says it too."""

    markdown: str
    card: Mapping[str, Any] | None = None

    def body(self, target: Mapping[str, str]) -> dict[str, Any]:
        """As it is posted; ``target`` is where to."""
        return {**target, "markdown": self.markdown} | ({"attachments": [self.card]} if self.card else {})


def parts_of(message: Message) -> list[Part]:
    """``message`` in parts; a card is in the last one. None for a message that says nothing."""
    texts = split(message.text)
    if message.card is None:
        return [Part(text) for text in texts]
    text = texts.pop() if texts else ""
    card = cards.attachment([*cards.texts(text), *_elements(message.card)])
    return [*(Part(one) for one in texts), Part(text or _offered(message.card), card)]


class WebexMessenger(Messenger):
    """Posts by ``api``."""

    def __init__(self, api: WebexApi) -> None:
        self._api = api
        self.posted = 0
        """How many messages of Webex went out."""

    async def post(self, message: Message, *, room_id: str = "", person_email: str = "", parent_id: str = "") -> str:
        """As the contract says, and ``ValueError`` for a message that says nothing. Of a long one, some of which went
        out before Webex was away, ``is_posted_unknown`` is set."""
        target = target_of(room_id=room_id, person_email=person_email, parent_id=parent_id)
        first = ""
        for part in parts_of(message):
            try:
                posted = await self.post_part(part, target)
            except MessengerAwayError as error:
                if not first:
                    raise
                raise MessengerAwayError(str(error), after=error.after, is_posted_unknown=True) from error
            first = first or posted
        if not first:
            raise ValueError("the message says nothing")
        return first

    async def post_part(self, part: Part, target: Mapping[str, str]) -> str:
        """Post one message of Webex; returns its id. Raises as :meth:`post`."""
        posted = await self._api.post(part.body(target))
        self.posted += 1
        return posted


def target_of(*, room_id: str = "", person_email: str = "", parent_id: str = "") -> dict[str, str]:
    """Where a message goes, in Webex's words. Raises ``ValueError`` where nobody would get it."""
    if bool(room_id) == bool(person_email):
        raise ValueError("name a room or a person")
    target = {"roomId": room_id} if room_id else {"toPersonEmail": person_email}
    return target | ({"parentId": parent_id} if parent_id else {})


def _offered(card: Card) -> str:
    """What stands in the place of a card without a text."""
    titles = " · ".join(choice.title for choice in card.choices) or card.submit
    return next(iter(split(titles)), "…")


def _elements(card: Card) -> Iterator[cards.Element]:
    for field in card.fields:
        yield _input(field)
    yield from cards.buttons((choice.title, {**card.marks, "choice": choice.value}) for choice in card.choices)
    if card.fields:
        yield from cards.buttons([(card.submit, card.marks)])


def _input(field: Field) -> cards.Element:
    needed = f"{field.label} 칸을 채워 주세요." if field.is_required else None
    match field.kind:
        case "number":
            return cards.number_input(field.name, field.label, value=field.value, hint=field.hint, needed=needed)
        case "date":
            return cards.date_input(field.name, field.label, value=field.value, hint=field.hint, needed=needed)
        case "choice":
            choices = [(choice.title, choice.value) for choice in field.choices]
            return cards.choice_input(
                field.name, field.label, choices, value=field.value, hint=field.hint, needed=needed
            )
    lines = field.kind == "lines"
    return cards.text_input(field.name, field.label, value=field.value, hint=field.hint, lines=lines, needed=needed)
