"""Mentions of the bot in what people write: in a group room it hears nothing without one."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Sequence
from typing import Final

_MENTION: Final = re.compile(
    r"<spark-mention\b([^<>]*)>((?:(?!</?spark-mention).)*)</spark-mention\s*>", re.IGNORECASE | re.DOTALL
)
_OBJECT: Final = re.compile(r"""data-object-id\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_AFTER: Final = re.compile(r"\A[\s,:]+")
"""What stands between a name and what is said to it."""


def without_mention(text: str, html_text: str, *, person_id: str, names: Sequence[str]) -> str:
    """``text`` without the mention of the bot that is ``person_id``, its blanks at both ends stripped.

    ``html_text`` is the same as HTML, which marks each mention; where it marks none of the bot, one of its ``names``
    at the beginning is taken for it, with or without an ``@``.
    """
    mentions = [found for found in _MENTION.finditer(html_text) if _is_of(found[1], person_id)]
    # The last one first: what stands before the others stays as it is.
    for found in reversed(mentions):
        text = _without(text, _plain(found[2]).strip(), before=_plain(html_text[: found.start()]))
    if not mentions:
        text = _without_name(text.strip(), names)
    return text.strip()


def _is_of(attributes: str, person_id: str) -> bool:
    found = _OBJECT.search(attributes)
    if found is None:
        return False
    mentioned = html.unescape(found[1] or found[2] or found[3] or "")
    return mentioned != "" and mentioned in (person_id, _bare(person_id))


def _bare(person_id: str) -> str:
    """The UUID in an id, which is ``ciscospark://us/PEOPLE/<uuid>`` in Base64; ``""`` for another."""
    try:
        uri = base64.urlsafe_b64decode(person_id + "=" * (-len(person_id) % 4)).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        return ""
    return uri.rpartition("/")[2] if uri.startswith("ciscospark://") else ""


def _plain(marked: str) -> str:
    return html.unescape(_TAG.sub("", marked))


def _without(text: str, name: str, *, before: str) -> str:
    """``text`` without the ``name`` that stands after ``before``, in which it may stand too."""
    places = [found.start() for found in re.finditer(re.escape(name), text)] if name else []
    if not places:
        return text
    start = places[min(before.count(name), len(places) - 1)]
    return _joined(text[:start].removesuffix("@"), text[start + len(name) :])


def _joined(before: str, after: str) -> str:
    if not before.strip():
        return _AFTER.sub("", after)
    # What stood between two blanks leaves one of them.
    return before + (after[1:] if before[-1:].isspace() and after[:1].isspace() else after)


def _without_name(text: str, names: Sequence[str]) -> str:
    bare = text.removeprefix("@")
    for name in sorted(filter(None, names), key=len, reverse=True):
        rest = bare[len(name) :]
        said = _AFTER.sub("", rest)
        if bare[: len(name)].casefold() == name.casefold() and (not rest or said != rest):
            return said
    return text
