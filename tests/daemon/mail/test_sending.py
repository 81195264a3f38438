"""Letters on their way: from the inbox to a real mail server, through everything that can happen there."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
import trustme
from structlog.testing import capture_logs

from daemon.config import MailConfig
from daemon.health import Condition
from daemon.inbox.contract import Work
from daemon.mail.contract import Attachment, Letter, LetterRefusedError
from daemon.mail.errors import NotReadyError, RefusedError, TryLaterError
from daemon.mail.room import COPY, LETTER, SOURCE
from daemon.mail.settings import MailAccount
from daemon.stores.audit import latest_audit
from daemon.stores.database import Database
from daemon.stores.delivery_work import DeliveryState
from daemon.stores.smtpinfo import get_smtpinfo, save_smtpinfo
from tests.daemon.mail.conftest import ADMIN, Desk, opened
from tests.daemon.mail.post_office import PASSWORD, SENDER, PostOffice

MINA, JUN = "mina@example.com", "jun@example.com"
LIST = Attachment(name="3월 명단.csv", content_type="text/csv; charset=utf-8", content="이름\r\n김미나\r\n".encode())


def letter(*to: str, subject: str = "3월 명단", text: str = "명단을 보냅니다.\n") -> Letter:
    return Letter(to=to, subject=subject, text=text, attachments=(LIST,))


async def encrypting(
    offices: AsyncExitStack, context: ssl.SSLContext, tls: str, *, password: bool = False
) -> PostOffice:
    office = PostOffice(context, tls=tls, password=password)
    await office.start()
    offices.push_async_callback(office.stop)
    return office


async def test_a_letter_arrives_as_it_was_written(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    delivery_id = await desk.mail.send(letter(MINA), key="list/2026-03")
    assert (await desk.until(delivery_id)).row.state is DeliveryState.DONE
    [taken] = office.taken
    message = taken.message
    assert (taken.sender, taken.recipients) == (SENDER, [MINA])
    assert taken.raw.isascii()
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, MINA, "3월 명단")
    assert message["Auto-Submitted"] == "auto-generated"
    text, attached = message.iter_parts()
    assert text.get_content().splitlines() == ["명단을 보냅니다."]
    assert (attached.get_filename(), attached.get_content_type()) == (LIST.name, "text/csv")
    assert attached.get_content().encode() == LIST.content


async def test_of_one_key_only_the_first_goes_out(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    first = await desk.mail.send(letter(MINA), key="k")
    await desk.until(first)
    assert await desk.mail.send(letter(JUN), key="k") == first
    await desk.until(await desk.mail.send(letter(JUN), key="other"))
    assert [taken.recipients for taken in office.taken] == [[MINA], [JUN]]
    assert len({taken.message["Message-ID"] for taken in office.taken}) == 2


async def test_without_recipients_it_goes_to_the_default_one(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    delivery_id = await desk.mail.send(letter(), key="k")
    assert "a letter names no recipient, and no default one is set" in await desk.until_error(delivery_id)
    await desk.set_account(office, recipient=JUN)
    other = await desk.mail.send(letter(), key="other")
    assert (await desk.until(other)).row.state is DeliveryState.DONE
    assert office.taken[0].message["To"] == JUN


async def test_greylisting_is_sat_out(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    office.says = {MINA: ["451 4.7.1 Greylisted, try again"] * 2}
    delivery = await desk.until(await desk.mail.send(letter(MINA), key="k"))
    assert (delivery.row.state, delivery.row.attempts) == (DeliveryState.DONE, 3)
    assert delivery.runs[0].error == "the mail server refused for now: 451 4.7.1 Greylisted, try again"
    assert len(office.taken) == 1


async def test_one_recipient_s_refusal_is_theirs_alone(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    office.says = {JUN: ["550 5.1.1 No such user"], "late@example.com": ["450 Busy"] * 3}
    await desk.mail.send(letter(MINA, JUN, "late@example.com", "Mina@Example.com"), key="k")
    whole, *copies = await desk.all_ended()
    assert (whole.row.event, whole.row.state) == (LETTER, DeliveryState.DONE)
    ends = {copy.row.error: copy.row.state for copy in copies if copy.row.error}
    assert {copy.row.event for copy in copies} == {COPY}
    assert ends == {"mail: the mail server refused: 550 5.1.1 No such user": DeliveryState.DEAD}
    assert sorted(taken.recipients[0] for taken in office.taken) == ["Mina@example.com", "late@example.com"]
    assert office.asked.count(JUN) == 1, "what is refused for good is not tried again"
    assert len({taken.message["Message-ID"] for taken in office.taken}) == 1, "it is one letter"
    assert all("jun@example.com" in taken.message["To"] for taken in office.taken)
    # Replayed as a whole, only the copy that is dead goes out.
    await desk.inbox.replaying.replay(whole.row.delivery_id, actor=ADMIN)
    await office.until(3)
    await desk.all_ended()
    assert [taken.recipients for taken in office.taken[2:]] == [[JUN]]


@pytest.mark.parametrize("fault", ["cut_in_data", "cut_before_answer"])
async def test_a_connection_that_is_cut_is_made_anew(desk: Desk, office: PostOffice, fault: str) -> None:
    await desk.set_account(office)
    setattr(office, fault, 2)
    delivery = await desk.until(await desk.mail.send(letter(MINA), key="k"))
    assert (delivery.row.state, delivery.row.attempts) == (DeliveryState.DONE, 3)
    assert "cannot be reached" in delivery.runs[0].error
    # Whether it was taken nobody could tell: it is the same letter each time, byte for byte.
    assert len({taken.raw for taken in office.taken}) == 1


async def test_a_server_that_is_away_is_waited_for(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    await office.stop()
    delivery_id = await desk.mail.send(letter(MINA), key="k")
    assert "the mail server cannot be reached" in await desk.until_error(delivery_id)
    await desk.inbox.count()
    part = desk.mail.condition()
    assert (part.condition, part.detail) == (Condition.DEGRADED, "letters wait: the mail server cannot be reached")
    await office.start()
    assert (await desk.until(delivery_id)).row.state is DeliveryState.DONE
    await desk.inbox.count()
    assert desk.mail.condition().condition is Condition.OK
    assert len(office.taken) == 1


async def test_a_letter_waits_also_while_it_is_tried_again(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    await office.stop()
    delivery_id = await desk.mail.send(letter(MINA), key="k")
    await desk.until_error(delivery_id)
    office.greeting = b""
    await office.start()
    await desk.until(delivery_id, DeliveryState.WORKING)
    await desk.inbox.count()
    assert desk.mail.condition().condition is Condition.DEGRADED


@pytest.mark.parametrize(
    ("greeting", "state"),
    [(b"421 Too many connections\r\n", DeliveryState.PENDING), (b"554 Go away\r\n", DeliveryState.DEAD)],
)
async def test_a_server_that_says_no_at_the_door(desk: Desk, greeting: bytes, state: DeliveryState) -> None:
    office = PostOffice()
    office.greeting = greeting
    await office.start()
    await desk.set_account(office)
    delivery_id = await desk.mail.send(letter(MINA), key="k")
    said = greeting.decode().strip()
    if state is DeliveryState.PENDING:
        assert said in await desk.until_error(delivery_id)
    else:
        assert said in (await desk.until(delivery_id)).row.error
    await office.stop()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_encrypted_and_with_a_password(
    desk: Desk, offices: AsyncExitStack, server_context: ssl.SSLContext, tls: str
) -> None:
    office = await encrypting(offices, server_context, tls, password=True)
    await desk.set_account(office, tls=tls, password=PASSWORD)
    assert (await desk.until(await desk.mail.send(letter(MINA), key="k"))).row.state is DeliveryState.DONE
    assert len(office.taken) == 1


async def test_a_wrong_password_is_told_of_and_can_be_mended(
    desk: Desk, offices: AsyncExitStack, server_context: ssl.SSLContext
) -> None:
    office = await encrypting(offices, server_context, "starttls", password=True)
    await desk.set_account(office, tls="starttls", password="a wrong one")
    delivery_id = await desk.mail.send(letter(MINA), key="k")
    error = await desk.until_error(delivery_id)
    assert "the mail server does not take the sender's name and password: 535" in error
    assert "wrong one" not in error
    await desk.inbox.count()
    part = desk.mail.condition()
    assert part.condition is Condition.DEGRADED
    assert "name and password" in part.detail
    await desk.set_account(office, tls="starttls", password=PASSWORD)
    assert (await desk.until(delivery_id)).row.state is DeliveryState.DONE


async def test_nothing_is_said_in_the_clear_where_it_must_not_be(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office, tls="starttls", password=PASSWORD)
    error = await desk.until_error(await desk.mail.send(letter(MINA), key="k"))
    assert "the mail server does not encrypt: it offers no STARTTLS" in error
    assert office.asked == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_wrong_certificate_is_not_spoken_to(desk: Desk, offices: AsyncExitStack, tls: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    office = await encrypting(offices, context, tls)
    await desk.set_account(office, tls=tls)
    error = await desk.until_error(await desk.mail.send(letter(MINA), key="k"))
    assert "the mail server's certificate is not trusted" in error
    assert office.asked == []


async def test_a_certificate_of_another_host_is_not_spoken_to(
    desk: Desk, offices: AsyncExitStack, authority: trustme.CA
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mail.example.com").configure_cert(context)
    office = await encrypting(offices, context, "implicit")
    await desk.set_account(office, tls="implicit")
    error = await desk.until_error(await desk.mail.send(letter(MINA), key="k"))
    assert "the mail server's certificate is not trusted" in error
    assert office.asked == []


async def test_without_settings_letters_wait_and_health_says_so(desk: Desk, office: PostOffice) -> None:
    assert desk.mail.condition().condition is Condition.OK
    delivery_id = await desk.mail.send(letter(MINA), key="k")
    assert "nobody has said how mail is sent" in await desk.until_error(delivery_id)
    await desk.inbox.count()
    part = desk.mail.condition()
    assert part.condition is Condition.DEGRADED
    assert part.detail.startswith("letters wait: nobody has said how mail is sent")
    assert part.numbers == {"waiting": 1.0}
    delivery = await desk.inbox.get(delivery_id)
    assert delivery is not None
    assert (delivery.row.state, delivery.runs) == (DeliveryState.PENDING, []), "that was no attempt"
    await desk.inbox.replaying.cancel(delivery_id, actor=ADMIN)
    await desk.inbox.count()
    assert desk.mail.condition().condition is Condition.OK, "nothing waits any more"


async def test_an_address_in_another_script_is_sent_to(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    await desk.until(await desk.mail.send(letter("김미나@example.com"), key="k"))
    [taken] = office.taken
    assert taken.recipients == ["김미나@example.com"]
    assert "SMTPUTF8" in taken.options


async def test_an_address_that_the_server_cannot_spell_keeps_nobody_else_waiting(desk: Desk) -> None:
    office = PostOffice(utf8=False)
    await office.start()
    await desk.set_account(office)
    await desk.mail.send(letter(MINA, "김미나@example.com", JUN), key="k")
    _, *copies = await desk.all_ended()
    await office.stop()
    assert sorted(taken.recipients[0] for taken in office.taken) == [JUN, MINA]
    assert {taken.message["To"] for taken in office.taken} == {f"{MINA}, {JUN}"}
    [refused] = [copy.row.error for copy in copies if copy.row.state is DeliveryState.DEAD]
    assert refused == "mail: the mail server does not know SMTPUTF8, which the address needs"


@pytest.mark.parametrize(
    "words", ["사용자가 없습니다".encode("cp949"), "사용자가 없습니다".encode(), "사용자가\0 없습니다".encode()]
)
async def test_a_server_s_words_are_read_in_either_encoding(desk: Desk, words: bytes) -> None:
    office = PostOffice()
    office.greeting = b"554 " + words + b"\r\n"
    await office.start()
    await desk.set_account(office)
    with pytest.raises(RefusedError, match=r"^the mail server refused: 554 사용자가 없습니다$"):
        await desk.mail.try_out(MINA, by=ADMIN)
    await office.stop()


async def test_words_in_no_encoding_are_words_that_can_be_shown(desk: Desk) -> None:
    office = PostOffice()
    office.greeting = b"554 \xff\xff no\r\n"
    await office.start()
    await desk.set_account(office)
    with pytest.raises(RefusedError, match=r"554 .* no") as refusal:
        await desk.mail.try_out(MINA, by=ADMIN)
    assert str(refusal.value).encode()
    await office.stop()


async def test_a_host_that_cannot_be_looked_up_kills_no_letter(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    async with desk.database.transaction() as connection:
        row = await get_smtpinfo(connection)
        assert row is not None
        await save_smtpinfo(connection, msgspec.structs.replace(row, host="mail..example.com"))
    delivery_id = await desk.mail.send(letter(MINA), key="k")
    assert "mail..example.com is no name of a host" in await desk.until_error(delivery_id)


async def test_certificates_that_cannot_be_read_are_said(store: Database, tmp_path: Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("no certificate")
    async with opened(store, MailConfig(ca_file=str(broken)), {}) as desk:
        await desk.mail.settings.save(
            MailAccount(sender=SENDER, host="127.0.0.1", port=25, tls="implicit"), keep_password=False, by=ADMIN
        )
        error = await desk.until_error(await desk.mail.send(letter(MINA), key="k"))
    assert error == "mail: the certificates of [mail] ca_file cannot be read (SSLError)"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (letter("nobody"), "an e-mail address has"),
        (letter(MINA, subject="a\r\nBcc: b@example.com"), "a subject is one line"),
        (letter(*(f"a{number}@example.com" for number in range(201))), "at most 200 recipients"),
        (letter(MINA, text="a" * 10_000_000), "at most 10,000,000 bytes"),
        (letter(MINA, text="\ud800"), "cannot be written in UTF-8"),
        (Letter(subject="", text="", attachments=(Attachment(name="a\nb", content_type="a/b", content=b""),)), "name"),
        (Letter(subject="", text="", attachments=(Attachment(name="a", content_type="a", content=b""),)), "type"),
    ],
)
async def test_what_can_never_be_sent_is_refused_before_it_is_stored(desk: Desk, wrong: Letter, text: str) -> None:
    with pytest.raises(LetterRefusedError, match=text):
        await desk.mail.send(wrong, key="k")
    with pytest.raises(LetterRefusedError, match="key"):
        await desk.mail.send(letter(MINA), key="")
    assert await desk.deliveries() == []


async def test_what_is_no_letter_dies(desk: Desk) -> None:
    work = Work(source=SOURCE, event=LETTER, body=b"{}")
    assert (await desk.until(await desk.inbox.put(work))).row.error == "mail: the body is no letter"


async def test_many_go_a_few_at_a_time_and_each_once(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    people = [f"person-{number}@example.com" for number in range(40)]
    await desk.mail.send(letter(*people), key="k")
    await office.until(40)
    assert {one.row.state for one in await desk.all_ended()} == {DeliveryState.DONE}
    assert sorted(taken.recipients[0] for taken in office.taken) == sorted(people)


async def test_a_trial_goes_at_once_and_says_how_it_went(desk: Desk, office: PostOffice) -> None:
    with pytest.raises(NotReadyError, match="nobody has said"):
        await desk.mail.try_out(MINA, by=ADMIN)
    await desk.set_account(office)
    with pytest.raises(NotReadyError, match="names no recipient"):
        await desk.mail.try_out("", by=ADMIN)
    await desk.set_account(office, recipient=JUN)
    assert await desk.mail.try_out("", by=ADMIN) == JUN
    assert await desk.mail.try_out(MINA, by=ADMIN) == MINA
    assert [taken.recipients for taken in office.taken] == [[JUN], [MINA]]
    async with desk.database.read() as connection:
        rows = await latest_audit(connection, 2)
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("chief", "mail_tested", MINA),
        ("chief", "mail_tested", JUN),
    ]
    office.says = {MINA: ["550 No such user"]}
    with pytest.raises(RefusedError, match="550 No such user"):
        await desk.mail.try_out(MINA, by=ADMIN)
    await office.stop()
    with pytest.raises(TryLaterError, match="cannot be reached"):
        await desk.mail.try_out(MINA, by=ADMIN)
    with pytest.raises(LetterRefusedError):
        await desk.mail.try_out("nobody", by=ADMIN)
    assert await desk.deliveries() == [], "a trial waits for nothing"


async def test_a_server_that_hangs_is_given_up(store: Database) -> None:
    office = PostOffice()
    office.greeting = b""
    await office.start()
    async with opened(store, MailConfig(timeout=0.05), {}) as desk:
        await desk.set_account(office)
        error = await desk.until_error(await desk.mail.send(letter(MINA), key="k"))
    assert "the mail server did not answer in time" in error
    await office.stop()


async def test_a_server_that_takes_no_password_is_not_sent_to(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office, password=PASSWORD)
    error = await desk.until_error(await desk.mail.send(letter(MINA), key="k"))
    assert "the mail server takes no password" in error
    assert office.asked == []


async def test_no_log_and_no_health_says_who_gets_what(desk: Desk, office: PostOffice) -> None:
    await desk.set_account(office)
    office.says = {MINA: ["550 No such user mina@example.com"], JUN: ["450 jun@example.com is busy"] * 1000}
    with capture_logs() as logs:
        await desk.until(await desk.mail.send(letter(MINA), key="refused"))
        await desk.until_error(await desk.mail.send(letter(JUN), key="later"))
        await desk.inbox.count()
        part = desk.mail.condition()
    assert {"letter_refused", "letter_not_taken"} <= {entry["event"] for entry in logs}
    for told in (str(logs), part.detail):
        assert not any(word in told for word in ("mina", "jun", "명단", PASSWORD))
    assert part.detail == "letters wait: the mail server refused for now (450)"
