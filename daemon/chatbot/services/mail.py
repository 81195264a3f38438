"""The service ``mail``: writes a letter to registered people, and sends it once the person has read it over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from daemon.chatbot.contract import Field, escaped
from daemon.chatbot.phrases import plain
from daemon.chatbot.turn import Reply, Turn, ask, confirm, done
from daemon.mail.contract import LONGEST_SUBJECT, Letter, LetterRefusedError, Mail
from daemon.stores.audit import add_audit, count_audit
from daemon.stores.database import Database
from daemon.stores.people import PersonRow, list_people

_SENT: Final = "chat_mail_sent"
_HOUR: Final = 3_600.0
_MOST_RECIPIENTS: Final = 10
_FORM: Final = "메일을 써 주십시오. 받는 사람은 이름이나 이메일로, 여럿이면 쉼표로 나누어 씁니다."

_REFUSED: Final = "이 메일은 보낼 수 없습니다. 받는 사람의 주소와 내용을 확인해 주십시오."


class MailOptions(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The options of the service ``mail``."""

    per_hour: Annotated[int, Meta(ge=1)] = 10
    """Letters that one person may send in an hour."""
    addresses: tuple[str, ...] = ()
    """E-mail addresses that may be written to beside those of registered people."""


_USUAL: Final = MailOptions()


class UnknownRecipientError(Exception):
    """Somebody is not known, or several are of that name. The text is for the person who writes."""


async def send_mail(turn: Turn, *, database: Database, mail: Mail, options: MailOptions = _USUAL) -> Reply:
    """등록된 사람에게 메일을 보냅니다."""
    match turn.step:
        case "form":
            return await _written(turn, database, options)
        case "confirm" if turn.yes:
            return await _sent(turn, database, mail, options)
        case "confirm":
            return done("보내지 않았습니다.")
    return _form(_FORM, {"to": turn.text})


def _form(text: str, values: Mapping[str, str]) -> Reply:
    fields = [
        Field(name="to", label="받는 사람", value=values.get("to", ""), hint="김민아, jun@example.com"),
        Field(name="subject", label="제목", value=values.get("subject", "")),
        Field(name="text", label="내용", kind="lines", value=values.get("text", "")),
    ]
    return ask(text, step="form", fields=fields, submit="다음")


async def _written(turn: Turn, database: Database, options: MailOptions) -> Reply:
    async with database.read() as connection:
        people = await list_people(connection)
    try:
        addresses = recipients(turn.inputs["to"], people, options.addresses)
    except UnknownRecipientError as error:
        return _form(str(error), turn.inputs)
    # What nobody sees, as between the parts of an emoji, no mail server takes there.
    subject, text = "".join(filter(str.isprintable, turn.inputs["subject"])).strip(), turn.inputs["text"]
    if not 1 <= len(subject) <= LONGEST_SUBJECT:
        return _form(f"제목은 {LONGEST_SUBJECT}자까지 한 줄로 써 주십시오.", turn.inputs)
    shown = [f"받는 사람: {escaped(', '.join(addresses))}", f"제목: **{escaped(subject)}**", "", escaped(text)]
    slots = {"to": ",".join(addresses), "subject": subject, "text": text}
    return confirm("\n".join([*shown, "", "이대로 보낼까요?"]), step="confirm", slots=slots)


async def _sent(turn: Turn, database: Database, mail: Mail, options: MailOptions) -> Reply:
    """The row of the audit comes first: what has one may have been sent, what has none was not."""
    to = tuple(turn.slots["to"].split(","))
    async with database.transaction() as connection:
        since = turn.now - _HOUR
        if await count_audit(connection, actor=turn.person.name, action=_SENT, since=since) >= options.per_hour:
            return done(f"한 시간에 {options.per_hour}통까지 보낼 수 있습니다. 나중에 다시 해 주십시오.")
        await add_audit(connection, turn.audit(_SENT, ", ".join(to)))
    known_as = f"{turn.person.called} <{turn.person.email}>" if turn.person.email else turn.person.called
    text = f"{turn.slots['text']}\n\n-- \n{known_as}"
    try:
        await mail.send(Letter(to=to, subject=turn.slots["subject"], text=text), key=f"chat/{turn.key}")
    except LetterRefusedError:
        return done(_REFUSED)
    return done(f"{escaped(', '.join(to))} 앞으로 보낼 메일을 접수했습니다.")


def recipients(text: str, people: Iterable[PersonRow], others: Iterable[str]) -> list[str]:
    """The addresses of those whom ``text`` names, each once: of ``people`` by name or address, of ``others`` by
    address. Raises :class:`UnknownRecipientError`."""
    by_name: dict[str, list[str]] = {}
    allowed = {address.casefold(): address for address in others}
    for person in people:
        if person.email:
            allowed[person.email.casefold()] = person.email
            for name in {plain(person.full_name), plain(person.name)} - {""}:
                by_name.setdefault(name, []).append(person.email)
    found: dict[str, None] = {}
    for one in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        named = [allowed[one.casefold()]] if one.casefold() in allowed else by_name.get(plain(one), [])
        if not named:
            raise UnknownRecipientError(
                f"받는 사람 가운데 등록되지 않았거나 이메일 주소가 없는 분이 있습니다: **{escaped(one)}**"
            )
        if len(named) > 1:
            several = escaped(", ".join(named))
            raise UnknownRecipientError(f"이름이 **{escaped(one)}**인 분이 여럿입니다. 이메일로 써 주십시오: {several}")
        found[named[0]] = None
    if not found:
        raise UnknownRecipientError("받는 사람을 써 주십시오.")
    if len(found) > _MOST_RECIPIENTS:
        raise UnknownRecipientError(f"한 번에 {_MOST_RECIPIENTS}명까지 보낼 수 있습니다.")
    return list(found)
