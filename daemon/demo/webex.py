"""The demo's Webex: a simulated one with a chat page, and the people who are there."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.config import ChatbotConfig, Role, SourceConfig, WebexConfig
from daemon.demo.pbx import TENANT
from daemon.demo.webex_cloud import BOT_NAME, SimulatedWebex
from daemon.demo.webex_page import WebexPage
from daemon.secrets import WEBEX_BOT_TOKEN, environment_name
from daemon.stores.people import PersonRow, TeamRow

TEAMS: Final = (
    TeamRow(name="상담팀", manager_email="lead@example.com"),
    TeamRow(name="인사팀", manager_email="hr@example.com"),
)


def _person(name: str, full_name: str, team: str, extension: str, role: Role) -> PersonRow:
    return PersonRow(
        name=name,
        role=role,
        full_name=full_name,
        email=f"{name}@example.com",
        team=team,
        extension=extension,
        tenant=TENANT,
    )


PEOPLE: Final = (
    _person("mina", "김민아", "상담팀", "1010", "operator"),
    _person("jun", "박준", "상담팀", "1011", "viewer"),
    _person("sora", "이소라", "인사팀", "1012", "admin"),
)
"""Whom Parley knows. There is somebody more at Webex, whom it does not."""

_ROLES: Final = {"viewer": "보기", "operator": "운영", "admin": "관리"}
_STRANGER: Final = ("손님", "guest@example.net", "Parley가 모르는 사람")


class DemoWebex(SimulatedWebex):
    """Start it, point Parley at :attr:`config`, and people can be at :attr:`address`."""

    def __init__(self) -> None:
        super().__init__()
        about = {}
        everybody = []
        for row in PEOPLE:
            person = self.world.add_person(row.called, row.email or "")
            about[person.id] = f"{row.team}, 내선 {row.extension}, {_ROLES[row.role]}"
            everybody.append(person)
        name, email, what = _STRANGER
        stranger = self.world.add_person(name, email)
        about[stranger.id] = what
        for person in (*everybody, stranger):
            self.world.direct_room(person)
        self.world.group_room("상담팀 단체방", *everybody)
        self._page = WebexPage(self.world, about)
        self.source = SourceConfig(name="webex", kind="webex")

    def add_to(self, app: web.Application) -> None:
        """As :class:`SimulatedWebex` says."""
        self._page.add_to(app)

    def config(self, parley: str) -> ChatbotConfig:
        """How to reach it once it runs, for the Parley at ``parley``, such as ``http://127.0.0.1:8000``."""
        webex = WebexConfig(api_url=self.url, webhook_url=parley, bot_name=BOT_NAME, reconcile_interval=15.0)
        return ChatbotConfig(console_url=parley, webex=webex)

    @property
    def secrets(self) -> dict[str, str]:
        """The environment that goes with :meth:`config`."""
        return {environment_name(WEBEX_BOT_TOKEN): self.token}
