"""How mail is sent, over REST, for admins. The password goes in and never comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from daemon.mail.contract import LetterRefusedError
from daemon.mail.errors import KeyMissingError, MailError, NotReadyError, SettingsRefusedError, TryLaterError
from daemon.mail.room import MailRoom
from daemon.mail.settings import MailAccount
from web.auth import Auth, Needs
from web.endpoint import JSON, Answer, Asked, Endpoint
from web.people_payloads import (
    MailAccountPayload,
    MailSettingsPayload,
    MailSettingsWish,
    MailTestPayload,
    MailTestWish,
)
from web.problems import ProblemError
from web.sources import Sources

_PATH: Final = "/api/v1/mail-settings"


class MailRoutes:
    """The one account that mail is sent by."""

    def __init__(self, sources: Sources) -> None:
        self._mail: MailRoom = sources.mail
        self._auth: Auth = sources.auth

    def endpoints(self) -> list[Endpoint]:
        """Its routes."""
        settings = (Answer(200, "As it stands, without the password.", {JSON: MailSettingsPayload}),)
        return [
            Endpoint(
                method="GET",
                path=_PATH,
                tag="mail",
                summary="How mail is sent",
                handler=self.get_mail_settings,
                needs=Needs.ADMIN,
                answers=settings,
            ),
            Endpoint(
                method="PUT",
                path=_PATH,
                tag="mail",
                summary="Say how mail is sent",
                description="Letters that wait for it go within a minute.",
                handler=self.put_mail_settings,
                needs=Needs.ADMIN,
                body=MailSettingsWish,
                answers=settings,
                errors=(409,),
            ),
            Endpoint(
                method="DELETE",
                path=_PATH,
                tag="mail",
                summary="Send mail as the configuration says again, or not at all",
                handler=self.delete_mail_settings,
                needs=Needs.ADMIN,
                answers=(Answer(204, "Forgotten."),),
            ),
            Endpoint(
                method="POST",
                path=f"{_PATH}/test",
                tag="mail",
                summary="Send a test letter",
                description="At once and once; where it does not go, the answer has the mail server's own words.",
                handler=self.test_mail,
                needs=Needs.ADMIN,
                body=MailTestWish,
                answers=(Answer(200, "The mail server has taken it.", {JSON: MailTestPayload}),),
                errors=(409, 502, 503),
            ),
        ]

    async def get_mail_settings(self, _: Asked[None, None]) -> MailSettingsPayload:
        """As it stands."""
        return await self._payload()

    async def put_mail_settings(self, asked: Asked[None, MailSettingsWish]) -> MailSettingsPayload:
        """Another."""
        wish = msgspec.structs.asdict(asked.body)
        password = wish.pop("password")
        with _problems():
            await self._mail.settings.save(
                MailAccount(**wish, password=password or ""),
                keep_password=password is None,
                by=self._auth.actor(asked.request),
            )
        return await self._payload()

    async def delete_mail_settings(self, asked: Asked[None, None]) -> None:
        """None."""
        await self._mail.settings.remove(by=self._auth.actor(asked.request))

    async def test_mail(self, asked: Asked[None, MailTestWish]) -> MailTestPayload:
        """Try it out."""
        with _problems():
            return MailTestPayload(await self._mail.try_out(asked.body.to, by=self._auth.actor(asked.request)))

    async def _payload(self) -> MailSettingsPayload:
        settings = self._mail.settings
        shown = await settings.shown()
        if shown is None:
            return MailSettingsPayload(
                account=None, has_password=False, is_stored=False, problem="", has_key=settings.has_key
            )
        values = msgspec.structs.asdict(shown.account)
        return MailSettingsPayload(
            account=MailAccountPayload(**{name: values[name] for name in MailAccountPayload.__struct_fields__}),
            has_password=shown.has_password,
            is_stored=shown.is_stored,
            problem=shown.problem,
            has_key=settings.has_key,
        )


@contextmanager
def _problems() -> Iterator[None]:
    """Turn the room's errors into problems."""
    try:
        yield
    except (SettingsRefusedError, LetterRefusedError) as error:
        raise ProblemError(422, "Not understood", _sentence(error)) from error
    except (KeyMissingError, NotReadyError) as error:
        raise ProblemError(409, "Not ready", _sentence(error)) from error
    except TryLaterError as error:
        raise ProblemError(503, "Not sent now", _sentence(error)) from error
    except MailError as error:
        raise ProblemError(502, "Not sent", _sentence(error)) from error


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
