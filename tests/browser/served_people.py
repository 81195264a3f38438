"""The people, teams and mail that :class:`~tests.browser.console_server.ConsoleServer` tells of, for pictures."""

from __future__ import annotations

from collections import Counter

import msgspec
from aiohttp import web

from web.people_payloads import (
    MailAccountPayload,
    MailSettingsPayload,
    PeoplePayload,
    PersonPayload,
    TeamPayload,
    TeamsPayload,
)

_PEOPLE = (
    ("김미나", "mina", "영업팀", "operator", "2001", "2026-03-14"),
    ("박준", "jun", "상담팀", "viewer", "2002", None),
    ("한소라", "sora", "상담팀", "admin", "2003", "2026-03-20"),
    ("최하늘", "", "", "viewer", "", None),
)
_MANAGERS = {"영업팀": "sales-lead@example.com", "상담팀": "care-lead@example.com", "기술팀": ""}


class ServedPeople:
    """Tells of a few people of an office that does not exist."""

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/api/v1/people", self._people)
        app.router.add_get("/api/v1/teams", self._teams)
        app.router.add_get("/api/v1/mail-settings", self._mail)

    async def _people(self, _: web.Request) -> web.Response:
        people = [
            PersonPayload(
                name=name or "sky@example.com",
                full_name=full_name,
                email=f"{name or 'sky'}@example.com",
                team=team,
                role=role,  # type: ignore[arg-type]
                extension=extension,
                tenant="seoul" if extension else "",
                may_sign_in=role != "viewer",
                in_webex=tgday is not None,
                tgday=tgday,
            )
            for full_name, name, team, role, extension, tgday in _PEOPLE
        ]
        return _answer(PeoplePayload(people, ["busan", "seoul"]))

    async def _teams(self, _: web.Request) -> web.Response:
        sizes = Counter(team for _, _, team, *_ in _PEOPLE)
        return _answer(TeamsPayload([TeamPayload(name, manager, sizes[name]) for name, manager in _MANAGERS.items()]))

    async def _mail(self, _: web.Request) -> web.Response:
        account = MailAccountPayload(
            sender="parley@example.com",
            host="mail.example.com",
            port=587,
            tls="starttls",
            recipient="office@example.com",
        )
        return _answer(
            MailSettingsPayload(account=account, has_password=True, is_stored=True, problem="", has_key=True)
        )


def _answer(payload: msgspec.Struct) -> web.Response:
    return web.json_response(msgspec.to_builtins(payload))
