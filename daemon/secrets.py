"""Secrets: read from systemd credentials or the environment, never from the configuration file.

A secret's name is lower case with hyphens: ``switch-<name>-password``, ``database-password``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from daemon.config import CallAppConfig, DestinationConfig, PbxHeaderConfig, PbxTenantConfig, SourceConfig, SwitchConfig

SECRET_URL = "secret"  # noqa: S105 - says that there is one
"""In the place of a destination's address: it is a secret, as one is to which anybody may post who knows it."""
DATABASE_PASSWORD = "database-password"  # noqa: S105 - the name of a secret
MAIL_PASSWORD = "mail-password"  # noqa: S105
"""Of the mail server in ``[mail]``."""
MAIL_PASSWORD_KEY = "mail-password-key"  # noqa: S105
"""Encrypts the password of the mail server that an admin has set."""
_KEY_BYTES = 32
REDIS_PASSWORD = "redis-password"  # noqa: S105 - the name of a secret
WEBEX_BOT_TOKEN = "webex-bot-token"  # noqa: S105 - the name of a secret
ELASTICSEARCH_PASSWORD = "elasticsearch-password"  # noqa: S105
ELASTICSEARCH_API_KEY = "elasticsearch-api-key"


def switch_password(switch: SwitchConfig) -> str:
    """The name of the secret that is the event socket's password of ``switch``."""
    return f"switch-{switch.name}-password"


def tenant_id(tenant: PbxTenantConfig) -> str:
    """The name of the secret that is the id of ``tenant`` at the vendor of the PBX."""
    return f"pbx-tenant-{tenant.name}-id"


def tenant_app_key(tenant: PbxTenantConfig) -> str:
    """The name of the secret that lets ``tenant`` place calls by the vendor's REST."""
    return f"pbx-tenant-{tenant.name}-app-key"


def pbx_header(header: PbxHeaderConfig) -> str:
    """The name of the secret that is the value of ``header`` where the configuration gives none."""
    return f"pbx-header-{header.name.lower()}"


def source_secret(source: SourceConfig) -> str:
    """The name of the secret by which ``source`` proves who it is."""
    return f"source-{source.name}-secret"


def source_secrets(source: SourceConfig, secrets: Secrets) -> list[str]:
    """All secrets of ``source`` that there are now: up to three while one is changed for another.

    Where a Webex source is given none and there is a bot, its secret is made of the bot's token: every Parley of that
    bot makes the same, at each start.
    """
    first = source_secret(source)
    found = (secrets.get(name) for name in (first, f"{first}-2", f"{first}-3"))
    given = [secret for secret in found if secret is not None]
    token = secrets.get(WEBEX_BOT_TOKEN) if source.kind == "webex" and not given else None
    return given if token is None else [hmac.digest(token.encode(), f"webhooks of {first}".encode(), "sha256").hex()]


def destination_secret(destination: DestinationConfig) -> str:
    """The name of the secret with which what goes to ``destination`` is signed."""
    return f"destination-{destination.name}-secret"


def destination_url_secret(destination: DestinationConfig) -> str:
    """The name of the secret that is the address of ``destination`` where the configuration says ``secret``."""
    return f"destination-{destination.name}-url"


def destination_url(destination: DestinationConfig, secrets: Secrets) -> str | None:
    """Where to send what goes to ``destination``; ``None`` for a secret that is missing.

    Raises :class:`UnreadableSecretError`.
    """
    if destination.url != SECRET_URL:
        return destination.url
    return secrets.get(destination_url_secret(destination))


def callapp_secret(app: CallAppConfig) -> str:
    """The name of the secret that is ``app``'s own."""
    return f"callapp-{app.name}-secret"


def mail_password_keys(secrets: Secrets) -> list[bytes]:
    """The keys that mail's password is encrypted with: the first for what is stored, all to read what was.

    Raises :class:`UnreadableSecretError` for one that is none.
    """
    found = (secrets.get(name) for name in (MAIL_PASSWORD_KEY, f"{MAIL_PASSWORD_KEY}-2"))
    keys = []
    for text in filter(None, found):
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY_BYTES:
            raise UnreadableSecretError("it is no key: parley mail key prints one")
        keys.append(key)
    return keys


def environment_name(name: str) -> str:
    """The environment variable that holds the secret ``name`` where there is no credential file."""
    return "PARLEY_" + name.upper().replace("-", "_")


class UnreadableSecretError(Exception):
    """A secret is there and cannot be used. The text says why, without the secret."""


class Secrets:
    """Looks a secret up by name: the file ``$CREDENTIALS_DIRECTORY/<name>`` first, else the environment."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, name: str) -> str | None:
        """The secret without a trailing line break; ``None`` where it is given nowhere, or is empty.

        Raises :class:`UnreadableSecretError` for a file that cannot be read or a value of more than one line.
        """
        value = self._from_file(name)
        if value is None:
            value = self._environment.get(environment_name(name))
        if value is None:
            return None
        value = value.rstrip("\r\n")
        if any(sign in value for sign in "\r\n\0"):
            raise UnreadableSecretError("it has more than one line")
        return value or None

    def _from_file(self, name: str) -> str | None:
        directory = self._environment.get("CREDENTIALS_DIRECTORY")
        if not directory:
            return None
        try:
            return (Path(directory) / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreadableSecretError(error.strerror or str(error)) from error
        except UnicodeDecodeError as error:
            raise UnreadableSecretError("it is not UTF-8 text") from error
