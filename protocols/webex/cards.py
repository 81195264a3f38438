"""Adaptive cards, version 1.3, as far as Webex shows them: texts, buttons and the inputs of a form.

What comes back of a card is one object: the ``data`` of the button that was pressed, and each input by its id.
Sources: adaptivecards.io, "Schema Explorer"; developer.webex.com, "Buttons and Cards".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from protocols.webex.objects import CARD

Element = dict[str, Any]

VERSION: Final = "1.3"
_SCHEMA: Final = "http://adaptivecards.io/schemas/adaptive-card.json"
_IN_A_ROW: Final = 5
"""Buttons of one set: a client may leave out those past its own bound."""


def attachment(body: Sequence[Element]) -> Element:
    """A card as it is attached to a message."""
    content = {"$schema": _SCHEMA, "type": "AdaptiveCard", "version": VERSION, "body": list(body)}
    return {"contentType": CARD, "content": content}


def texts(text: str) -> Iterator[Element]:
    """A block for each paragraph of ``text``, which may have Markdown's emphasis, lists and links."""
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            yield {"type": "TextBlock", "text": paragraph.strip("\n"), "wrap": True}


def buttons(choices: Iterable[tuple[str, Mapping[str, str]]]) -> Iterator[Element]:
    """A button for each title, and the data that comes back of it, in sets of a few."""
    left = iter(choices)
    while row := list(islice(left, _IN_A_ROW)):
        yield {"type": "ActionSet", "actions": [_submit(title, data) for title, data in row]}


def text_input(
    name: str, label: str, *, value: str = "", hint: str = "", lines: bool = False, needed: str | None = None
) -> Element:
    """A line of text, or several. ``needed`` is what is said where nothing was entered; ``None``: it may be empty."""
    element = _input("Input.Text", name, label, value, needed) | ({"placeholder": hint} if hint else {})
    return element | ({"isMultiline": True} if lines else {})


def number_input(name: str, label: str, *, value: str = "", hint: str = "", needed: str | None = None) -> Element:
    """A number. A ``value`` that is none is left out."""
    element = _input("Input.Number", name, label, "", needed) | ({"placeholder": hint} if hint else {})
    try:
        number = float(value)
    except ValueError:
        return element
    return element | ({"value": int(number) if number.is_integer() else number} if math.isfinite(number) else {})


def date_input(name: str, label: str, *, value: str = "", hint: str = "", needed: str | None = None) -> Element:
    """A date, as ``YYYY-MM-DD``."""
    return _input("Input.Date", name, label, value, needed) | ({"placeholder": hint} if hint else {})


def choice_input(
    name: str,
    label: str,
    choices: Iterable[tuple[str, str]],
    *,
    value: str = "",
    hint: str = "",
    needed: str | None = None,
) -> Element:
    """One of ``choices``, which are titles and what comes back of them."""
    offered = [{"title": title, "value": chosen} for title, chosen in choices]
    element = _input("Input.ChoiceSet", name, label, value, needed) | ({"placeholder": hint} if hint else {})
    return element | {"style": "compact", "choices": offered}


def _submit(title: str, data: Mapping[str, str]) -> Element:
    return {"type": "Action.Submit", "title": title, "data": dict(data)}


def _input(kind: str, name: str, label: str, value: str, needed: str | None) -> Element:
    element: Element = {"type": kind, "id": name, "label": label}
    if value:
        element["value"] = value
    if needed is not None:
        element |= {"isRequired": True, "errorMessage": needed}
    return element
