"""The console has words for every reason that the PBX, the inbox, people and mail give in their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from daemon.inbox.sources import REASONS as INBOX_REASONS
from daemon.pbx.click_to_call_progress import CAUSES, REASONS, STATUSES, UNKNOWN
from tests.daemon.mail.post_office import PostOffice
from tests.web.browser import bearer
from tests.web.client import ask
from tests.web.house import House

NAME, TEAM = "/api/v1/people/sora", "/api/v1/teams/a"
PASSWORD, MAIL = f"{NAME}/password", "/api/v1/mail-settings"
ACCOUNT = {"sender": "parley@example.com", "host": "127.0.0.1", "port": 1, "tls": "none"}

WORDS = Path(__file__).resolve().parents[2] / "web" / "console" / "src" / "i18n"


@pytest.mark.parametrize("reason", sorted({*REASONS.values(), *CAUSES.values(), *STATUSES.values(), *UNKNOWN}))
def test_a_reason_has_words(reason: str) -> None:
    assert f'"{reason}": "' in (WORDS / "pbx.ts").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", INBOX_REASONS)
def test_a_reason_to_refuse_a_webhook_has_words_in_both_languages(reason: str) -> None:
    assert (WORDS / "inbox.ts").read_text(encoding="utf-8").count(f'      {reason}: "') == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/people/so%20ra", {"role": "viewer"}),
        (NAME, {"role": "viewer", "extension": "-"}),
        (NAME, {"role": "viewer", "extension": "11a4"}),
        (NAME, {"role": "viewer", "full_name": "a" * 101}),
        (NAME, {"role": "viewer", "email": "sora"}),
        (NAME, {"role": "viewer", "email": "jun@example.com"}),
        (NAME, {"role": "viewer", "team": "none"}),
        ("/api/v1/teams/%20", {}),
        (f"/api/v1/teams/{'a' * 101}", {}),
        (TEAM, {"manager_email": "lead"}),
        (PASSWORD, {"password": "short"}),
        (PASSWORD, {"password": "long" * 300}),
        (PASSWORD, {"password": "sorasorasora"}),
        (PASSWORD, {"password": "aaaaaaaaaaaa"}),
        (f"{MAIL}/test", {"to": "sora@example.com"}),
        (MAIL, ACCOUNT | {"host": "mail.example.com:25"}),
        (MAIL, ACCOUNT | {"password": "two\nlines"}),
        (MAIL, ACCOUNT | {"password": "an example secret"}),
    ],
)
async def test_a_reason_to_refuse_people_or_mail_has_words(house: House, path: str, body: dict[str, Any]) -> None:
    server, admin = await house.serve(), bearer(await house.token("admin"))
    assert (await ask(server, "PUT", NAME, json={"role": "viewer"}, headers=admin)).status == 201
    jun = {"role": "viewer", "email": "jun@example.com"}
    assert (await ask(server, "PUT", "/api/v1/people/jun", json=jun, headers=admin)).status == 201
    method = "POST" if path.endswith("/test") else "PUT"
    refused = await ask(server, method, path, json=body, headers=admin)
    assert refused.status in (409, 422)
    assert has_words(refused.json["detail"])


async def test_a_reason_that_a_letter_does_not_go_has_words(house: House) -> None:
    server, admin = await house.serve(), bearer(await house.token("admin"))
    office = PostOffice()
    await office.start()
    here = ACCOUNT | {"port": office.port}
    await ask(server, "PUT", MAIL, json=here, headers=admin)
    office.says = {"sora@example.com": ["550 No", "450 Not now"]}
    details = []
    for to in ("", "sora@example.com", "sora@example.com"):
        details.append((await ask(server, "POST", f"{MAIL}/test", json={"to": to}, headers=admin)).json["detail"])
    await ask(server, "PUT", MAIL, json=here | {"tls": "starttls"}, headers=admin)
    trial = {"to": "sora@example.com"}
    details.append((await ask(server, "POST", f"{MAIL}/test", json=trial, headers=admin)).json["detail"])
    await ask(server, "PUT", MAIL, json=here | {"tls": "implicit"}, headers=admin)
    details.append((await ask(server, "POST", f"{MAIL}/test", json=trial, headers=admin)).json["detail"])
    await office.stop()
    details.append((await ask(server, "POST", f"{MAIL}/test", json=trial, headers=admin)).json["detail"])
    assert len(set(details)) == 6
    assert all(map(has_words, details))


def has_words(detail: str) -> bool:
    """Whether the page of people knows what begins so, in both languages."""
    parts = (WORDS / "people.ts").read_text(encoding="utf-8").split("  reasons: {\n")[1:]
    known = [re.findall(r'^    "([^"]+)":', part.partition("\n  }")[0], re.MULTILINE) for part in parts]
    assert len(known) == 2
    return all(any(detail.lower().startswith(one.lower()) for one in beginnings) for beginnings in known)
