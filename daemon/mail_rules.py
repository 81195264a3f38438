"""What must hold of mail in a configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from daemon.authorities import authority_rule
from daemon.broken_rule import BrokenRule
from daemon.config import MailConfig
from daemon.secrets import MAIL_PASSWORD, MAIL_PASSWORD_KEY, Secrets, UnreadableSecretError, mail_password_keys
from daemon.toml_lines import KeyPath
from protocols.mail_addresses import MailAddressError, mail_address

_HOST: Final = re.compile(r"[^\s/@:\\\x00-\x1f]{1,253}|[0-9A-Fa-f:.]{2,45}")


def mail_rules(mail: MailConfig, secrets: Secrets | None) -> Iterator[BrokenRule]:
    """Every rule that ``mail`` breaks. Without a host an admin says how mail is sent."""
    if mail.host:
        if not is_mail_host(mail.host):
            yield BrokenRule(("mail", "host"), "this is no host", "give a host name or an address, no port")
        yield from _address("sender", mail.sender)
    if mail.recipient:
        yield from _address("recipient", mail.recipient)
    yield from authority_rule(mail.ca_file, ("mail", "ca_file"))
    if secrets is not None:
        yield from _secrets(secrets)


def is_mail_host(text: str) -> bool:
    """Whether ``text`` is a host's name or address as it can be looked up: no port, no scheme."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return _HOST.fullmatch(text) is not None


def mail_place(text: str, port: str, *, default: int) -> tuple[str, int]:
    """The host and port that an older program was given as one text, or as two. The host is ``""`` where it is none."""
    host, _, own = text.strip().strip("/").partition(":")
    if ":" in own:
        host, own = text.strip(), ""
    number = port or own
    if not is_mail_host(host) or (number and not (number.isascii() and number.isdigit())):
        return "", default
    found = int(number or default)
    return (host, found) if 1 <= found <= 65_535 else ("", default)


def _address(key: str, text: str) -> Iterator[BrokenRule]:
    path: KeyPath = ("mail", key)
    if not text:
        yield BrokenRule(path, "it is missing", "give the e-mail address that mail is from")
        return
    try:
        mail_address(text)
    except MailAddressError as error:
        yield BrokenRule(path, str(error), "give it like name@example.com")


def _secrets(secrets: Secrets) -> Iterator[BrokenRule]:
    path: KeyPath = ("mail", "sender")
    try:
        secrets.get(MAIL_PASSWORD)
    except UnreadableSecretError as error:
        yield BrokenRule(path, f"the secret {MAIL_PASSWORD} cannot be used: {error}", "mend its file")
    try:
        mail_password_keys(secrets)
    except UnreadableSecretError as error:
        yield BrokenRule(path, f"the secret {MAIL_PASSWORD_KEY} cannot be used: {error}", "mend its file")
