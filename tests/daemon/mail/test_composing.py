"""A letter over the wire is the letter that was written, whatever stands in it."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.mail.composing import StoredLetter, checked_letter, envelope
from daemon.mail.contract import Attachment, Letter, LetterRefusedError

PLAIN = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs"))
NAMES = st.text(PLAIN, max_size=60).map(str.strip).filter(lambda name: name != "" and name.isprintable())
LINES = st.text(st.one_of(PLAIN, st.just("\n"), st.just(".")), max_size=300)


def message_of(letter: Letter, key: str = "k") -> EmailMessage:
    stored = StoredLetter(
        letter=checked_letter(letter, key), key=key, written_at=1_774_000_000.7, recipient="a@b.example"
    )
    return message_from_bytes(envelope(stored, sender="parley@example.com").message, policy=default)


@given(st.text(PLAIN, max_size=200).filter(str.isprintable), LINES)
def test_subject_and_text_come_out_as_they_went_in(subject: str, text: str) -> None:
    message = message_of(Letter(to=("a@b.example",), subject=subject, text=text))
    # How much white space stands between words is no part of a header: it may be folded there.
    assert message["Subject"].split() == subject.split()
    assert message.get_content().splitlines() == text.splitlines() or text == ""
    assert message["To"] == "a@b.example"
    assert "Bcc" not in message


LOCALS = st.text(st.one_of(st.sampled_from("=?_.-+'`!#$%&*/^{|}~abQ"), PLAIN), min_size=1, max_size=64)


@example("=?utf-8?q?a=2Cb?=")
@example("=?utf-8?q?a=0d=0aBcc=3a_x?=")
@given(LOCALS)
def test_an_address_is_named_as_it_is_written(local: str) -> None:
    try:
        letter = checked_letter(Letter(to=(f"{local}@example.com",), subject="s", text="t"), "k")
    except LetterRefusedError:
        return
    stored = StoredLetter(letter=letter, key="k", written_at=1_774_000_000.7, recipient=letter.to[0])
    head = envelope(stored, sender="parley@example.com").message.partition(b"\r\nSubject:")[0].decode()
    assert head.partition("\r\nTo: ")[2].split() == list(letter.to)


@example(b"", "<>")
@given(st.binary(max_size=300), NAMES)
def test_files_come_out_as_they_went_in(content: bytes, name: str) -> None:
    file = Attachment(name=name, content_type="application/octet-stream", content=content)
    message = message_of(Letter(to=("a@b.example",), subject="s", text="t\n", attachments=(file,)))
    [attached] = message.iter_attachments()
    assert attached.get_content() == content
    # get_filename() would take angle brackets around all of it for signs of the header's own.
    assert attached["Content-Disposition"].params["filename"] == name


@pytest.mark.parametrize("written", ["text/csv; charset=utf-8", 'text/csv; charset="utf-8"; header=present', "a/b"])
def test_the_type_of_a_file_is_kept(written: str) -> None:
    file = Attachment(name="a.csv", content_type=written, content=b"a")
    [attached] = message_of(Letter(subject="s", text="t", attachments=(file,))).iter_attachments()
    assert attached.get_content_type() == written.partition(";")[0]
    assert attached.get_content_charset() == ("utf-8" if "charset" in written else None)


def test_the_same_letter_is_the_same_bytes_and_known_by_its_key() -> None:
    letter = Letter(to=("a@b.example", "c@d.example"), subject="s", text="t")
    one, again, other = message_of(letter), message_of(letter), message_of(letter, "other")
    assert one.as_bytes() == again.as_bytes()
    assert one["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert one["Message-ID"].endswith("@example.com>")
    assert one["Date"] == "Fri, 20 Mar 2026 09:46:40 +0000"
    assert one["To"] == "a@b.example, c@d.example"
