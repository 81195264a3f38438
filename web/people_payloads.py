"""What REST takes and gives about people, teams and mail. Texts that are not known are ``""``."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from daemon.config import Role
from daemon.stores.smtpinfo import Tls

Words = Annotated[str, Meta(max_length=300)]


class PersonPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A person. ``name`` is what they sign in by, if they ``may_sign_in``: without a password nobody does.

    ``team`` and ``tenant`` are names, ``in_webex`` whether they have been met there, ``tgday`` the date that they have
    registered (``YYYY-MM-DD``), ``null`` for none.
    """

    name: str
    full_name: str
    email: str
    team: str
    role: Role
    extension: str
    tenant: str
    may_sign_in: bool
    in_webex: bool
    tgday: str | None


class PeoplePayload(msgspec.Struct, frozen=True):
    """Everybody, by name. ``tenants`` are the aliases that somebody may be of."""

    people: list[PersonPayload]
    tenants: list[str]


class PersonWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is to be said of a person; what is left out is not known then. ``team`` is one that is there."""

    role: Role
    full_name: Words = ""
    email: Words = ""
    team: Words = ""
    extension: Words = ""
    tenant: Words = ""


class PasswordWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password. It cannot be read again."""

    password: Annotated[str, Meta(max_length=2_000)]


class TeamPayload(msgspec.Struct, frozen=True):
    """A team. ``manager_email`` is where its list goes, ``size`` how many people are in it."""

    name: str
    manager_email: str
    size: int


class TeamsPayload(msgspec.Struct, frozen=True):
    """All teams, by name."""

    teams: list[TeamPayload]


class TeamWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is to be said of a team."""

    manager_email: Words = ""


class MailAccountPayload(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a mail server, without its password. ``recipient`` gets what has no other recipient."""

    sender: str
    host: str
    port: int
    tls: Tls
    recipient: str


class MailSettingsPayload(msgspec.Struct, frozen=True, kw_only=True):
    """How mail is sent; ``account`` is ``null`` where nobody has said so.

    ``is_stored``: by an admin, else in the configuration. ``problem`` is why it cannot be used. ``has_key``: there is a
    key, so that a password can be stored.
    """

    account: MailAccountPayload | None
    has_password: bool
    is_stored: bool
    problem: str
    has_key: bool


class MailSettingsWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How mail is to be sent. Without a ``password`` the one in use stays, for the same sender, host, port and ``tls``
    alone; ``""``: the server asks for none."""

    sender: Words
    host: Words
    port: Annotated[int, Meta(ge=1, le=65_535)]
    tls: Tls
    recipient: Words = ""
    password: Annotated[str, Meta(max_length=2_000)] | None = None


class MailTestWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To whom a test letter goes; ``""``: to the default recipient."""

    to: Words = ""


class MailTestPayload(msgspec.Struct, frozen=True):
    """The mail server has taken the letter; ``to`` is to whom it goes."""

    to: str
