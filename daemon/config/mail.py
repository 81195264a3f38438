"""The mail server."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from daemon.config.values import Count, Positive


class MailConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[mail]``: how mail is sent, unless an admin has said otherwise.

    The password is the secret ``mail-password``.
    """

    host: str = ""
    """Empty: as an admin says, else not at all."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    sender: str = ""
    recipient: str = ""
    """Who gets what has no other recipient; empty: nobody."""
    ca_file: str = ""
    """Certificates that are trusted beside the system's."""
    timeout: Positive = 30.0
    """How long each answer of the mail server may take."""
    at_once: Count = 4
    """Letters that are handed over at the same time."""
