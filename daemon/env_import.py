"""Turning the ``.env`` of the services that Parley takes the place of into a configuration and credential files.

Nothing of the file is dropped silently: what Parley has a key for becomes one, what is a secret becomes a credential
file, what belongs to a room that does not exist yet is listed in the written configuration, and a name that nobody
knows is reported by its name alone, since its value may be a secret.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from daemon.env_elasticsearch import search_server
from daemon.env_file import read_env
from daemon.errors import OperatorError
from daemon.inbox_rules import url_problem
from daemon.mail_rules import mail_place
from daemon.secrets import DATABASE_PASSWORD, ELASTICSEARCH_PASSWORD, MAIL_PASSWORD, REDIS_PASSWORD, WEBEX_BOT_TOKEN
from protocols.mail_addresses import MailAddressError, mail_address

# The names as they are really in use, and as they should have been spelled. Where a file gives both, the first is the
# one that the old programs read.
_MISSPELLED = {
    "DB_PASSWROD": "DB_PASSWORD",
    "ELASTCSEARCH_HOST": "ELASTICSEARCH_HOST",
    "ELASTCSEARCH_PORT": "ELASTICSEARCH_PORT",
}

_MAIL = ("SMTP_URL", "SMTP_PORT", "SEND_MAIL", "RECEIVE_MAIL")
_IMPLICIT_TLS = 465
# Where the events of Vox.ai's calls were posted to, and what is called so now: by its name and what sends it there.
_DESTINATIONS = {
    "CUSTOM_SERVER_WEBHOOK_URL": ("custom-server", "forward"),
    "MAKE_COM_WEBHOOK_URL": ("make-com", "make-com"),
}
# Nothing in such a file says by what Vox.ai is known: the address that it delivers from is all there is.
_VOXAI = """\
# Vox.ai, by the address that it delivers from. Behind a proxy name that in [web] trusted_proxies; a token is better.
[[inbox.source]]
name = "voxai"
kind = "voxai"
check = "address"
addresses = ["34.123.198.226"]"""
_DESTINATION = """\
# An address that is not public must stand in its private_networks.
[[inbox.destination]]
name = "{name}"
url = "secret"
signed = false

[[inbox.handler]]
name = "{name}"
source = "voxai"
use = "{use}"
destination = "{name}\""""
_WEBEX = """\
[[inbox.source]]
name = "webex"
kind = "webex\""""
_HOOK_PATH = "/webhooks/webex"
_HOOK_NAME = re.compile(r"\S(?:.{0,98}\S)?")
_SOURCES = {"GITHUB_WEBHOOK_SECRET": "github", "STRIPE_WEBHOOK_SECRET": "stripe"}
_LATER = ("SERVER_WORKER",)

_PASSWORD_IN_URL = re.compile(r"//[^/\s]*:[^/\s]*@")


class Imported(msgspec.Struct):
    """What an import makes: a TOML document, credentials by their file's name, and remarks for the operator."""

    document: str = ""
    credentials: dict[str, str] = {}
    remarks: list[str] = []


def import_env(text: str, source: str) -> Imported:
    """The configuration that the ``.env`` in ``text`` amounts to; ``source`` is its name for the head of the file."""
    return _Import(text).result(source)


def write(imported: Imported, directory: Path) -> list[Path]:
    """Write ``parley.toml`` and ``credentials/`` (0700, its files 0600) into ``directory``; what was written.

    Raises :class:`OperatorError`, and writes nothing, where one of the files is there already.
    """
    secrets = directory / "credentials"
    files = {directory / "parley.toml": imported.document}
    files |= {secrets / name: value + "\n" for name, value in sorted(imported.credentials.items())}
    there = [str(path) for path in files if path.exists()]
    if there:
        raise OperatorError(f"{', '.join(there)}: already there; move it away or give another folder with --out")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if imported.credentials:
            secrets.mkdir(mode=0o700, exist_ok=True)
        for path, content in files.items():
            mode = 0o600 if path.parent == secrets else 0o644
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
                file.write(content)
    except OSError as error:
        raise OperatorError(f"{error.filename}: cannot be written ({error.strerror})") from error
    return list(files)


class _Import:
    def __init__(self, text: str) -> None:
        env = read_env(text)
        self._values = {name: value.text for name, value in env.values.items()}
        self._remarks = env.remarks
        self._credentials: dict[str, str] = {}
        self._later: dict[str, str] = {}
        for wrong, right in _MISSPELLED.items():
            if wrong in self._values:
                if self._values.get(right, self._values[wrong]) != self._values[wrong]:
                    self._remarks.append(f"{wrong} and {right} differ; {wrong}, which is read today, was taken")
                self._values[right] = self._values.pop(wrong)

    def result(self, source: str) -> Imported:
        listener = self._listener()
        database = self._database()
        redis = self._redis()
        sources = self._sources()
        destinations = self._destinations()
        mail = self._mail()
        bot = self._bot()
        elasticsearch = self._elasticsearch()
        self._keep_for_later()
        unknown = sorted(self._values)
        for name in unknown:
            self._remarks.append(f"{name} is no name that Parley knows; it was not taken over")
        tables = [
            f"# Made from {source}. config/parley.toml shows every key there is.",
            listener,
            database,
            redis,
            *sources,
            *destinations,
            mail,
            bot,
            elasticsearch,
            "# A switch is named like this; its password is the secret switch-main-password.",
            '# [[switch]]\n# name = "main"',
        ]
        if self._later:
            rows = [f"#   {name} = {value}" for name, value in sorted(self._later.items())]
            tables.append("\n".join(["# Not used yet, and kept for the rooms to come:", *rows]))
        if unknown:
            tables.append(
                "\n".join(["# Not known to Parley, and not taken over:", *(f"#   {name}" for name in unknown)])
            )
        document = "\n\n".join(table for table in tables if table) + "\n"
        remarks = self._remarks + [f"{name} is not used yet; kept" for name in sorted(self._later)]
        return Imported(document, self._credentials, remarks)

    def _take(self, name: str) -> str:
        """The value of ``name``, ``""`` where the file gives none; it counts as dealt with."""
        return self._values.pop(name, "")

    def _listener(self) -> str:
        host, port = self._take("SERVER_HOST"), self._take("SERVER_PORT")
        rows = []
        if host:
            rows.append(f"host = {_toml(host)}")
        if port.isascii() and port.isdigit() and int(port) <= 65535:
            rows.append(f"port = {int(port)}")
        elif port:
            self._remarks.append(f"SERVER_PORT is no port; the default was kept in its place ({_toml(port)})")
        return "\n".join(["[[web.listener]]", *rows]) if rows else ""

    def _database(self) -> str:
        address = self._take("DATABASE_URL")
        if address:
            url = self._from_url(address)
            if any(self._values.get(name) for name in ("DB_USER", "DB_HOST", "DB_PORT", "DB_NAME", "DB_PASSWORD")):
                self._remarks.append("both DATABASE_URL and DB_… are given; DATABASE_URL was taken")
                self._set_parts_aside()
        elif self._values.get("DB_NAME"):
            url = self._from_parts()
        else:
            if any(self._values.get(name) for name in ("DB_USER", "DB_HOST", "DB_PASSWORD")):
                self._remarks.append("DB_NAME is missing, so the database could not be taken over")
            self._set_parts_aside()
            return ""
        rows = ["[database]"]
        if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
            rows.append("# A relative path: it counts from the folder in which Parley is started.")
        return "\n".join([*rows, f"url = {_toml(url)}"])

    def _redis(self) -> str:
        """The old program gave it no password; one that stands in the host, as of an address, is kept as the secret."""
        host, port = self._take("REDIS_HOST"), self._take("REDIS_PORT")
        if not host:
            if port:
                self._remarks.append("REDIS_PORT stands without REDIS_HOST; it was not taken over")
            return ""
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
            if port:
                self._remarks.append(f"REDIS_PORT is no port; 6379 was taken in its place ({_toml(port)})")
            port = "6379"
        scheme, colon, place = host.rpartition("://")
        user_and_password, _, place = place.rpartition("@")
        user, _, password = user_and_password.partition(":")
        if password:
            self._credentials[REDIS_PASSWORD] = unquote(password)
        place = place.rstrip("/")
        place = f"[{place}]" if place.count(":") > 1 and not place.startswith("[") else place
        place = place if re.search(r":\d+(/|$)", place) else f"{place}:{port}"
        scheme = scheme if colon and scheme in ("redis", "rediss") else "redis"
        return f"[redis]\nurl = {_toml(f'{scheme}://{user}@{place}' if user else f'{scheme}://{place}')}"

    def _sources(self) -> list[str]:
        """Who delivered, with the secret by which they are known."""
        tables = []
        for name, source in _SOURCES.items():
            secret = self._take(name)
            if secret:
                self._credentials[f"source-{source}-secret"] = secret
                tables.append(f'[[inbox.source]]\nname = "{source}"\nkind = "{source}"')
        return tables

    def _destinations(self) -> list[str]:
        """Who was told of Vox.ai's calls, at addresses that stay secret, and Vox.ai itself where there is anybody."""
        tables = []
        for variable, (name, use) in _DESTINATIONS.items():
            problem = url_problem(self._values[variable]) if self._values.get(variable) else None
            if problem:
                self._remarks.append(f"{variable}: {problem[0]}; it was kept and not taken over")
                self._set_aside(variable, secret=True)
            elif url := self._take(variable):
                self._credentials[f"destination-{name}-url"] = url
                tables.append(_DESTINATION.format(name=name, use=use))
        if not tables:
            return []
        self._remarks.append(
            "Vox.ai is let in by its address alone; a token, which is the secret source-voxai-secret, is better"
        )
        return [_VOXAI, *tables]

    def _mail(self) -> str:
        """How mail was sent. How it was encrypted the old programs did not say: their ports do."""
        given = {name: self._values.get(name, "") for name in _MAIL}
        if not any(given.values()) and not self._values.get("SEND_PASSWORD"):
            return ""
        scheme, _, place = given["SMTP_URL"].rpartition("://")
        host, port = mail_place(place, given["SMTP_PORT"], default=_IMPLICIT_TLS if scheme == "smtps" else 587)
        rows = ["[mail]", f"host = {_toml(host)}", f"port = {port}"]
        try:
            rows.append(f"sender = {_toml(mail_address(given['SEND_MAIL']))}")
            if given["RECEIVE_MAIL"]:
                rows.append(f"recipient = {_toml(mail_address(given['RECEIVE_MAIL']))}")
        except MailAddressError:
            host = ""
        if not host:
            self._remarks.append(
                "SMTP_URL, SEND_MAIL or RECEIVE_MAIL is missing or wrong; how mail is sent was kept only"
            )
            for name in (*_MAIL, "SEND_PASSWORD"):
                if name in self._values:
                    self._set_aside(name, secret=name == "SEND_PASSWORD")
            return ""
        for name in _MAIL:
            self._take(name)
        if password := self._take("SEND_PASSWORD"):
            self._credentials[MAIL_PASSWORD] = password
        tls = "implicit" if port == _IMPLICIT_TLS else "starttls"
        rows.insert(3, f'tls = "{tls}"')
        self._remarks.append(f"mail is encrypted by {tls}, as its port says; parley mail test tries it")
        return "\n".join(rows)

    def _bot(self) -> str:
        """The bot at Webex, with the source that its webhooks deliver to; Parley makes the secret of both."""
        token, url, name = self._take("WEBEX_BOT_TOKEN"), self._take("WEBHOOK_URL"), self._take("WEBHOOK_NAME")
        rows = [f"{key} = {_toml(value)}" for key, value in self._bot_names().items() if value]
        if token:
            self._credentials[WEBEX_BOT_TOKEN] = token
        problem = url_problem(url) if url else ("it is missing", "")
        if not token or problem:
            if token or url or name or rows:
                what = "WEBEX_BOT_TOKEN is missing" if not token else f"WEBHOOK_URL: {problem[0] if problem else ''}"
                self._remarks.append(f"{what}; without it there is no bot at Webex, and [chatbot.webex] is left out")
            return ""
        if name and not _HOOK_NAME.fullmatch(name):
            self._remarks.append("WEBHOOK_NAME is no name of a webhook; the default was kept in its place")
            name = ""
        parts = urlsplit(url)
        if parts.path not in ("", "/", _HOOK_PATH):
            self._remarks.append(f"WEBHOOK_URL: Webex delivers at {_HOOK_PATH} of that host from now on")
        rows = [f"webhook_url = {_toml(f'{parts.scheme}://{parts.netloc}')}", *rows]
        rows += [f"webhook_name = {_toml(name)}"] if name else []
        return "\n".join([_WEBEX, "", "[chatbot.webex]", *rows])

    def _bot_names(self) -> dict[str, str]:
        return {"bot_name": self._take("WEBEX_BOT_NAME"), "bot_email": self._take("WEBEX_BOT_EMAIL")}

    def _elasticsearch(self) -> str:
        host, port = (self._values.get(f"ELASTICSEARCH_{part}", "") for part in ("HOST", "PORT"))
        try:
            server = search_server(host, port)
        except ValueError:
            for name in ("ELASTICSEARCH_HOST", "ELASTICSEARCH_PORT"):
                if self._values.get(name):
                    self._remarks.append(f"{name}: there is no address of a server; it was kept and not taken over")
                    self._set_aside(name, secret=False)
                self._take(name)
            return ""
        self._take("ELASTICSEARCH_HOST")
        self._take("ELASTICSEARCH_PORT")
        if server.password:
            self._credentials[ELASTICSEARCH_PASSWORD] = server.password
        rows = ["# The directory is searched there; better by https, where the server speaks it."]
        rows += ["[directory.elasticsearch]", f"urls = [{_toml(server.url)}]"]
        return "\n".join([*rows, f"user = {_toml(server.user)}"] if server.user else rows)

    def _from_url(self, address: str) -> str:
        """Without the password, and without the driver that another program's library wanted named."""
        scheme, colon, rest = address.partition("://")
        scheme = scheme.lower().partition("+")[0]
        address = f"{'postgresql' if scheme == 'postgres' else scheme}{colon}{rest}"
        try:
            url = urlsplit(address)
        except ValueError:
            return address
        if url.password is None:
            return address
        self._credentials[DATABASE_PASSWORD] = unquote(url.password)
        user_and_password, _, place = url.netloc.rpartition("@")
        return urlunsplit(url._replace(netloc=f"{user_and_password.partition(':')[0]}@{place}"))

    def _from_parts(self) -> str:
        user, host, port = self._take("DB_USER"), self._take("DB_HOST") or "localhost", self._take("DB_PORT")
        password = self._take("DB_PASSWORD")
        if password:
            self._credentials[DATABASE_PASSWORD] = password
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        place = f"{quote(user, safe='')}@{host}" if user else host
        return f"postgresql://{place}{f':{port}' if port else ''}/{quote(self._take('DB_NAME'), safe='')}"

    def _set_parts_aside(self) -> None:
        for name in ("DB_USER", "DB_HOST", "DB_PORT", "DB_NAME"):
            if name in self._values:
                self._set_aside(name, secret=False)
        if "DB_PASSWORD" in self._values:
            self._set_aside("DB_PASSWORD", secret=True)

    def _keep_for_later(self) -> None:
        for name in _LATER:
            if name in self._values:
                self._set_aside(name, secret=False)

    def _set_aside(self, name: str, *, secret: bool) -> None:
        value = self._values.pop(name)
        if value and (secret or _PASSWORD_IN_URL.search(value)):
            credential = name.lower().replace("_", "-")
            self._credentials[credential] = value
            self._later[name] = f"(in the credential file {credential})"
        else:
            self._later[name] = _toml(value)


def _toml(text: str) -> str:
    """``text`` as a TOML string on one line: JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
