"""E-mail addresses in one form, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.mail_addresses import MailAddressError, mail_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" mina@example.com ", "mina@example.com"),
        ("Mina.Kim+a@Example.COM", "Mina.Kim+a@example.com"),
        ("ｍｉｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "mina@example.com"),
        ("root@localhost", "root@localhost"),
        ("김미나@example.com", "김미나@example.com"),
        ("mina@보기.example", "mina@xn--ok0b03z.example"),
        ("a'b!#$%&*/=?^_`{|}~-@x-y.example", "a'b!#$%&*/=?^_`{|}~-@x-y.example"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert mail_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mina",
        "@example.com",
        "mina@",
        "Mina <mina@example.com>",
        "a@example.com,b@example.com",
        "a b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@b@example.com",
        "a@example..com",
        "a@-example.com",
        "a@exa_mple.com",
        "a@[192.0.2.1]",
        '"a b"@example.com',
        "a\r\nBcc: b@example.com",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a\0@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 64}.example",
        f"a@{'b.' * 127}example",
        "\ud800@example.com",
        "=?utf-8?q?a=2Cb?=@example.com",
        "x=?utf-8?b?YQ0KQmNjOiB4?=x@example.com",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MailAddressError) as refusal:
        mail_address(text)
    assert len(text) < 4 or text not in str(refusal.value)


@given(st.one_of(st.text(), st.emails(), st.text().map(lambda text: f"{text}@example.com")))
def test_whatever_is_taken_stays_as_it_is_and_cannot_leave_its_line(text: str) -> None:
    try:
        address = mail_address(text)
    except MailAddressError:
        return
    assert mail_address(address) == address
    assert not set(address) & set(' \r\n\t\0<>,;:"()')
    assert len(address.encode()) <= 254
