"""Pages of a list: the ``Link`` header names the next one (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

_LINK: Final = re.compile(r"<([^<>]*)>((?:[^,\"]|\"[^\"]*\")*)")
_NEXT: Final = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next\s*(?:;|$))", re.IGNORECASE)
_LENGTH: Final = 8_192


def next_page(headers: Iterable[str], api_url: str) -> str | None:
    """The address of the next page in the ``Link`` headers of an answer; ``None`` for none.

    What leads away from ``api_url`` counts for none too: the bot's token goes along.
    """
    for header in headers:
        for target, parameters in _LINK.findall(header[:_LENGTH]):
            if _NEXT.search(parameters.strip()):
                return target if _is_below(target, api_url) else None
    return None


def _is_below(target: str, api_url: str) -> bool:
    try:
        parts, api = urlsplit(target), urlsplit(api_url)
        same = (parts.scheme, parts.netloc) == (api.scheme, api.netloc)
    except ValueError:
        return False
    return same and ".." not in parts.path and parts.path.startswith(f"{api.path.rstrip('/')}/")
