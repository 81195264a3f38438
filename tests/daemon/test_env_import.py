import stat
from pathlib import Path

import pytest

from daemon.config import Config, MailConfig, WebexConfig
from daemon.config_file import load, read
from daemon.env_file import read_env
from daemon.env_import import import_env, write
from daemon.errors import OperatorError
from daemon.secrets import Secrets

EVERY_NAME = """\
MAKE_COM_WEBHOOK_URL=https://hook.example/abc
CUSTOM_SERVER_WEBHOOK_URL=https://custom.example/in
DATABASE_URL=postgresql://webhooks:p%40ss@db.example:5433/hooks
GITHUB_WEBHOOK_SECRET=github-secret-value
STRIPE_WEBHOOK_SECRET=whsec_value
SERVER_HOST=0.0.0.0
SERVER_PORT=9000
SERVER_WORKER=4
REDIS_HOST=redis.example
REDIS_PORT=6379
ELASTCSEARCH_HOST=search.example
ELASTCSEARCH_PORT=9200
WEBEX_BOT_TOKEN=webex-token-value
WEBEX_BOT_NAME=Parley
WEBEX_BOT_EMAIL=bot@webex.example
WEBHOOK_URL=https://parley.example/webhooks/webex
WEBHOOK_NAME=parley
DB_USER=chatbot
DB_PASSWROD=chatbot-password-value
DB_HOST=db2.example
DB_PORT=5432
DB_NAME=chatbot
SEND_MAIL=from@mail.example
SEND_PASSWORD=mail-password-value
SMTP_URL=smtp.mail.example
SMTP_PORT=587
RECEIVE_MAIL=to@mail.example
SOMETHING_ELSE=unknown-value
"""


def config_of(document: str) -> Config:
    config, mistakes = read(document, Secrets({}))
    assert mistakes == []
    return config


def test_every_name_in_use_ends_up_somewhere() -> None:
    imported = import_env(EVERY_NAME, "old.env")
    config, mistakes = read(imported.document, None)
    assert mistakes == []
    assert [(source.name, source.kind) for source in config.inbox.source] == [
        ("github", "github"),
        ("stripe", "stripe"),
        ("voxai", "voxai"),
        ("webex", "webex"),
    ]
    assert config.chatbot.webex == WebexConfig(
        webhook_url="https://parley.example",
        webhook_name="parley",
        bot_name="Parley",
        bot_email="bot@webex.example",
    )
    sent = [(one.source, one.use, one.destination) for one in config.inbox.handler]
    assert sent == [("voxai", "forward", "custom-server"), ("voxai", "make-com", "make-com")]
    assert [(one.name, one.url, one.signed) for one in config.inbox.destination] == [
        ("custom-server", "secret", False),
        ("make-com", "secret", False),
    ]
    assert (config.web.listener[0].host, config.web.listener[0].port) == ("0.0.0.0", 9000)
    assert config.directory.elasticsearch.urls == ["http://search.example:9200"]
    assert config.database.url == "postgresql://webhooks@db.example:5433/hooks"
    assert imported.credentials == {
        "database-password": "p@ss",
        "destination-make-com-url": "https://hook.example/abc",
        "destination-custom-server-url": "https://custom.example/in",
        "source-github-secret": "github-secret-value",
        "source-stripe-secret": "whsec_value",
        "webex-bot-token": "webex-token-value",
        "mail-password": "mail-password-value",
        "db-password": "chatbot-password-value",
    }
    assert config.mail == MailConfig(
        host="smtp.mail.example", port=587, tls="starttls", sender="from@mail.example", recipient="to@mail.example"
    )
    said = imported.document + "\n".join(imported.remarks)
    taken = {"DATABASE_URL", "SERVER_HOST", "SERVER_PORT", "GITHUB_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"}
    taken |= {"SEND_MAIL", "SEND_PASSWORD", "SMTP_URL", "SMTP_PORT", "RECEIVE_MAIL"}
    taken |= {"MAKE_COM_WEBHOOK_URL", "CUSTOM_SERVER_WEBHOOK_URL", "REDIS_HOST", "REDIS_PORT"}
    taken |= {"WEBEX_BOT_TOKEN", "WEBEX_BOT_NAME", "WEBEX_BOT_EMAIL", "WEBHOOK_URL", "WEBHOOK_NAME"}
    taken |= {"ELASTCSEARCH_HOST", "ELASTCSEARCH_PORT"}
    names = {row.partition("=")[0] for row in EVERY_NAME.splitlines()} - taken
    for name in names:
        spelled = name.replace("PASSWROD", "PASSWORD")
        assert spelled in said
    for secret in imported.credentials.values():
        assert secret not in said
    assert "unknown-value" not in said
    assert config.redis.url == "redis://redis.example:6379"


@pytest.mark.parametrize("url", ["your_make_webhook_url", "ftp://hook.example/abc", "https://u:pw@hook.example/abc"])
def test_an_address_that_nothing_can_be_sent_to_is_kept_and_said(url: str) -> None:
    imported = import_env(f"MAKE_COM_WEBHOOK_URL={url}\nCUSTOM_SERVER_WEBHOOK_URL=\n", "x")
    config = config_of(imported.document)
    assert (config.inbox.source, config.inbox.handler, config.inbox.destination) == ([], [], [])
    assert imported.credentials == {"make-com-webhook-url": url}
    assert "MAKE_COM_WEBHOOK_URL" in imported.remarks[0]
    assert all(url not in said for said in [imported.document, *imported.remarks])


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("SMTP_URL=mail.example\n", ("mail.example", 587, "starttls")),
        ("SMTP_URL=mail.example\nSMTP_PORT=465\n", ("mail.example", 465, "implicit")),
        ("SMTP_URL=smtp://mail.example:2525/\n", ("mail.example", 2525, "starttls")),
        ("SMTP_URL=smtps://mail.example\n", ("mail.example", 465, "implicit")),
        ("SMTP_URL=mail.example:25\nSMTP_PORT=26\n", ("mail.example", 26, "starttls")),
        ("SMTP_URL=2001:db8::25\nSMTP_PORT=25\n", ("2001:db8::25", 25, "starttls")),
    ],
)
def test_how_mail_was_sent_is_how_it_is_sent(given: str, place: tuple[str, int, str]) -> None:
    imported = import_env(f"{given}SEND_MAIL=a@mail.example\nSEND_PASSWORD=pw\n", "x")
    mail = config_of(imported.document).mail
    assert (mail.host, mail.port, mail.tls) == place
    assert (mail.sender, imported.credentials) == ("a@mail.example", {"mail-password": "pw"})
    assert imported.remarks == [f"mail is encrypted by {place[2]}, as its port says; parley mail test tries it"]


@pytest.mark.parametrize(
    "given",
    [
        "SMTP_URL=mail.example\n",
        "SEND_MAIL=a@mail.example\n",
        "SMTP_URL=mail.example\nSEND_MAIL=a\n",
        "SMTP_URL=mail.example\nSEND_MAIL=a@mail.example\nRECEIVE_MAIL=a;b\n",
        "SMTP_URL=mail.example\nSEND_MAIL=a@mail.example\nSMTP_PORT=x\n",
        "SMTP_URL=mail.example\nSEND_MAIL=a@mail.example\nSMTP_PORT=70000\n",
        "SMTP_URL=mail example\nSEND_MAIL=a@mail.example\n",
    ],
)
def test_mail_that_cannot_be_sent_is_kept_and_said(given: str) -> None:
    imported = import_env(f"{given}SEND_PASSWORD=pw\n", "x")
    assert config_of(imported.document).mail == MailConfig()
    assert imported.credentials == {"send-password": "pw"}
    assert "how mail is sent was kept only" in imported.remarks[0]
    for name in [row.partition("=")[0] for row in given.splitlines()]:
        assert f"#   {name} = " in imported.document


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://bot.example/webhooks/webex", "https://bot.example"),
        ("https://bot.example:8443", "https://bot.example:8443"),
        ("http://bot.example/", "http://bot.example"),
    ],
)
def test_a_bot_is_delivered_to_at_the_host_it_had(url: str, taken: str) -> None:
    imported = import_env(f"WEBEX_BOT_TOKEN=token\nWEBHOOK_URL={url}\n", "x")
    config, mistakes = read(imported.document, Secrets({"PARLEY_WEBEX_BOT_TOKEN": "token"}))
    assert mistakes == []
    assert config.chatbot.webex == WebexConfig(webhook_url=taken)
    assert imported.credentials == {"webex-bot-token": "token"}
    assert imported.remarks == []


def test_a_bot_that_was_delivered_to_elsewhere_and_whose_webhook_has_no_name() -> None:
    imported = import_env(
        f"WEBEX_BOT_TOKEN=token\nWEBHOOK_URL=https://bot.example/hook?x=1\nWEBHOOK_NAME={'n' * 101}\n", "x"
    )
    config, mistakes = read(imported.document, None)
    assert mistakes == []
    assert config.chatbot.webex == WebexConfig(webhook_url="https://bot.example")
    assert ["WEBHOOK_NAME" in imported.remarks[0], "/webhooks/webex" in imported.remarks[1]] == [True, True]


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ("WEBEX_BOT_TOKEN=token\nWEBEX_BOT_NAME=Parley\n", "WEBHOOK_URL"),
        ("WEBEX_BOT_TOKEN=token\nWEBHOOK_URL=your-url\n", "WEBHOOK_URL"),
        ("WEBHOOK_URL=https://bot.example\n", "WEBEX_BOT_TOKEN"),
    ],
)
def test_a_bot_of_which_something_is_missing_is_none(env: str, missing: str) -> None:
    imported = import_env(env, "x")
    assert config_of(imported.document).chatbot.webex.webhook_url == ""
    assert missing in imported.remarks[0]
    assert "token" not in imported.document


def test_parts_of_a_database_become_its_url() -> None:
    imported = import_env("DB_USER=a b\nDB_PASSWROD=x:y@z\nDB_HOST=::1\nDB_PORT=5432\nDB_NAME=chat\n", "x")
    assert config_of(imported.document).database.url == "postgresql://a%20b@[::1]:5432/chat"
    assert imported.credentials == {"database-password": "x:y@z"}
    assert imported.remarks == []


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("sqlite:///./test.db", "sqlite:///./test.db"),
        ("sqlite+aiosqlite:////srv/test.db", "sqlite:////srv/test.db"),
        ("postgres://h/d", "postgresql://h/d"),
        ("postgresql+asyncpg://u@h:5432/d?x=1", "postgresql://u@h:5432/d?x=1"),
    ],
)
def test_database_url_loses_its_driver_and_nothing_else(given: str, url: str) -> None:
    imported = import_env(f'DATABASE_URL="{given}"', "x")
    assert config_of(imported.document).database.url == url
    assert imported.credentials == {}


def test_both_spellings_of_a_name_and_which_was_taken() -> None:
    imported = import_env("DB_NAME=d\nDB_PASSWORD=right\nDB_PASSWROD=read-today\n", "x")
    assert imported.credentials == {"database-password": "read-today"}
    assert ["DB_PASSWROD and DB_PASSWORD differ" in remark for remark in imported.remarks] == [True]


def test_database_without_a_name_is_kept_and_said() -> None:
    imported = import_env("DB_USER=u\nDB_PASSWROD=pw\n", "x")
    assert config_of(imported.document).database.url == ""
    assert imported.credentials == {"db-password": "pw"}
    assert "DB_NAME is missing" in imported.remarks[0]


def test_port_that_is_none_and_password_in_a_plain_value() -> None:
    imported = import_env("SERVER_PORT=80a\nSMTP_URL=smtp://:pw@mail.example\n", "x")
    assert config_of(imported.document).web.listener[0].port == 8000
    assert "SERVER_PORT is no port" in imported.remarks[0]
    assert imported.credentials == {"smtp-url": "smtp://:pw@mail.example"}
    assert "pw@" not in imported.document


@pytest.mark.parametrize(
    ("given", "url", "password"),
    [
        ("REDIS_HOST=redis.example", "redis://redis.example:6379", None),
        ("REDIS_HOST=192.0.2.7\nREDIS_PORT=6380", "redis://192.0.2.7:6380", None),
        ("REDIS_HOST=::1\nREDIS_PORT=0", "redis://[::1]:6379", None),
        ("REDIS_HOST=redis://:p%40w@redis.example\nREDIS_PORT=", "redis://redis.example:6379", "p@w"),
        ("REDIS_HOST=rediss://u:pw@redis.example:6390/2", "rediss://u@redis.example:6390/2", "pw"),
        ("REDIS_PORT=6379", "", None),
    ],
)
def test_a_redis_becomes_its_url(given: str, url: str, password: str | None) -> None:
    imported = import_env(given, "x")
    assert config_of(imported.document).redis.url == url
    assert imported.credentials == ({"redis-password": password} if password else {})


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("search.example", "", "http://search.example:9200"),
        ("https://search.example", "443", "https://search.example:443"),
        ("https://search.example:9243/es/", "9200", "https://search.example:9243/es"),
        ("search.example:9201", "", "http://search.example:9201"),
        ("::1", "9200", "http://[::1]:9200"),
        ("[::1]:9201", "", "http://[::1]:9201"),
    ],
)
def test_where_elasticsearch_is(host: str, port: str, url: str) -> None:
    imported = import_env(f"ELASTCSEARCH_HOST={host}\nELASTICSEARCH_PORT={port}\n", "x")
    assert config_of(imported.document).directory.elasticsearch.urls == [url]
    assert (imported.credentials, imported.remarks) == ({}, [])


def test_who_elasticsearch_was_told_we_are() -> None:
    imported = import_env("ELASTCSEARCH_HOST=https://elastic:p%40ss@search.example\n", "x")
    config, mistakes = read(imported.document, Secrets({"PARLEY_ELASTICSEARCH_PASSWORD": "p@ss"}))
    assert mistakes == []
    assert config.directory.elasticsearch.user == "elastic"
    assert config.directory.elasticsearch.urls == ["https://search.example:9200"]
    assert imported.credentials == {"elasticsearch-password": "p@ss"}
    assert "p@ss" not in imported.document


@pytest.mark.parametrize("given", ["HOST=h\nELASTCSEARCH_PORT=x", "HOST=ftp://h", "PORT=9200", "HOST=http://"])
def test_no_address_of_elasticsearch_is_kept_and_said(given: str) -> None:
    imported = import_env(f"ELASTCSEARCH_{given}\n", "x")
    assert config_of(imported.document).directory.elasticsearch.urls == []
    assert "#   ELASTICSEARCH_" in imported.document
    assert any("no address of a server" in remark for remark in imported.remarks)


def test_value_cannot_leave_its_comment() -> None:
    imported = import_env('RECEIVE_MAIL="a\\n[log]\\nlevel=1"\nSERVER_HOST="h\\" x"', "x")
    _, mistakes = read(imported.document, Secrets({}))
    assert [mistake.key for mistake in mistakes] == ["web.listener[0].host"]


def test_files_are_written_for_their_owner_alone_and_never_over_others(tmp_path: Path) -> None:
    imported = import_env(EVERY_NAME, "old.env")
    written = write(imported, tmp_path / "out")
    secrets = tmp_path / "out" / "credentials"
    config = load(tmp_path / "out" / "parley.toml", Secrets({"CREDENTIALS_DIRECTORY": str(secrets)}))
    assert config.web.listener[0].port == 9000
    assert len(config.inbox.destination) == 2, "their secrets were found"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o600}
    assert Secrets({"CREDENTIALS_DIRECTORY": str(secrets)}).get("database-password") == "p@ss"
    assert len(written) == 9
    (tmp_path / "out" / "parley.toml").unlink()
    with pytest.raises(OperatorError, match="database-password"):
        write(imported, tmp_path / "out")
    assert not (tmp_path / "out" / "parley.toml").exists()


def test_env_files_are_read_as_usual() -> None:
    env = read_env(
        "\ufeff# comment\r\n"
        "PLAIN = value with blanks   # comment\r\n"
        "export EXPORTED=yes\n"
        "HASH=a#b\n"
        "EMPTY=\n"
        "ONLY_COMMENT= # nothing\n"
        "SINGLE='it\\'s ${PLAIN} \\n # in'  # comment\n"
        'DOUBLE="tab\\t \\"q\\" $5 ${EXPORTED} \\x"\n'
        'LINES="one\ntwo"\n'
        "  INDENTED=1\n"
        "DEFAULT=${NOWHERE:-fallback}/${NOWHERE}\n"
        "PLAIN=last\n"
        'OPEN="never\n'
        "TRAILING='x' y\n"
        "not an assignment\n"
        "URL=postgresql://u:p@h/d?a=b#c"
    )
    assert {name: value.text for name, value in env.values.items()} == {
        "PLAIN": "last",
        "EXPORTED": "yes",
        "HASH": "a#b",
        "EMPTY": "",
        "ONLY_COMMENT": "",
        "SINGLE": "it's ${PLAIN} \\n # in",
        "DOUBLE": 'tab\t "q" $5 yes \\x',
        "LINES": "one\ntwo",
        "INDENTED": "1",
        "DEFAULT": "fallback/${NOWHERE}",
        "OPEN": '"never',
        "TRAILING": "x",
        "URL": "postgresql://u:p@h/d?a=b#c",
    }
    assert env.values["URL"].line == 17
    assert env.remarks == [
        "line 12, DEFAULT: ${NOWHERE} is given nowhere above and was left as it is",
        "PLAIN stands on line 2 and on line 13; the latter was taken",
        "line 14, OPEN: the quote is never closed",
        "line 15, TRAILING: what follows the closing quote was passed over",
        "line 16 is not NAME=value and was passed over",
    ]
