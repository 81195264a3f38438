"""E-mail addresses (RFC 5321, 4.1.2), in the one form in which they are stored and sent to."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ATOM: Final = r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\".]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_ENCODED: Final = re.compile(r"=\?.*\?=")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST: Final = 254
_LONGEST_LOCAL: Final = 64


class MailAddressError(ValueError):
    """The text is no e-mail address. The message does not repeat it."""

    def __init__(self) -> None:
        super().__init__("an e-mail address has a name, an @ and a host, and nothing around it")


def mail_address(text: str) -> str:
    """``text`` as it is stored and sent to: signs of full width plain, the domain in lower case, in ASCII (RFC 3490).

    The part before the ``@`` keeps its case, and may be in any script. Quoted ones and addresses of hosts by number are
    not taken, nor what readers of a header would take for encoded text, and so for another address (RFC 2047). Raises
    :class:`MailAddressError`.
    """
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
        size = len(local.encode())
    except UnicodeError as error:
        raise MailAddressError from error
    fits = 1 <= size <= _LONGEST_LOCAL and size + 1 + len(domain) <= _LONGEST and local.isprintable()
    if _ENCODED.search(local) or not (at and fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise MailAddressError
    return f"{local}@{domain}"
