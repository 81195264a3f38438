import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from daemon import secrets
from daemon.config import (
    CallAppConfig,
    Config,
    DestinationConfig,
    PbxHeaderConfig,
    PbxTenantConfig,
    SourceConfig,
    SwitchConfig,
)
from daemon.config_file import load, read
from daemon.errors import ConfigError, Mistake
from daemon.secrets import Secrets, UnreadableSecretError

SHIPPED = Path(__file__).parents[2] / "config" / "parley.toml"
ENVIRONMENT = {"PARLEY_SWITCH_MAIN_PASSWORD": "example"}


def defaults_of(shape: inspect.Type) -> Any:
    """A table of every key and its default; an array of tables holds one table."""
    if isinstance(shape, inspect.ListType) and isinstance(shape.item_type, inspect.StructType):
        return [defaults_of(shape.item_type)]
    assert isinstance(shape, inspect.StructType)
    table = {}
    for field in shape.fields:
        nested = field.type.item_type if isinstance(field.type, inspect.ListType) else field.type
        if isinstance(nested, inspect.StructType):
            table[field.encode_name] = defaults_of(field.type)
        else:
            made = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            table[field.encode_name] = made
    return table


def mistakes_in(document: str, environment: dict[str, str] | None = None) -> list[Mistake]:
    return read(document, Secrets(ENVIRONMENT if environment is None else environment))[1]


def test_shipped_file_has_every_key_with_its_default_and_no_other() -> None:
    assert tomllib.loads(SHIPPED.read_text()) == defaults_of(inspect.type_info(Config))


def test_every_key_of_the_shipped_file_has_a_comment() -> None:
    rows = SHIPPED.read_text().splitlines()
    bare = []
    for number, row in enumerate(rows):
        if "=" not in row or row.startswith("#"):
            continue
        above = number - 1
        while "=" in rows[above] and not rows[above].startswith("#"):  # a group of keys shares the comment above it
            above -= 1
        if not rows[above].startswith("#"):
            bare.append(row)
    assert bare == []


def test_the_shipped_file_names_every_secret() -> None:
    names = {value for key, value in vars(secrets).items() if key.isupper() and isinstance(value, str)}
    names -= {secrets.SECRET_URL}
    names |= {
        secrets.switch_password(SwitchConfig(name="<name>")),
        secrets.source_secret(SourceConfig(name="<name>")),
        secrets.destination_secret(DestinationConfig(name="<name>")),
        secrets.destination_url_secret(DestinationConfig(name="<name>")),
        secrets.callapp_secret(CallAppConfig(name="<name>")),
        secrets.tenant_id(PbxTenantConfig(name="<name>")),
        secrets.tenant_app_key(PbxTenantConfig(name="<name>")),
        secrets.pbx_header(PbxHeaderConfig(name="<name>")),
    }
    rows = SHIPPED.read_text().partition("\n\n")[0]
    assert {name for name in names if f"#   {name} " not in rows} == set()


def test_shipped_file_is_right_and_says_what_the_code_says() -> None:
    config = load(SHIPPED, Secrets(ENVIRONMENT))
    tables = {
        "switch": [{}],
        "pbx": {"header": [{}], "server": [{}], "tenant": [{}]},
        "inbox": {"source": [{}], "handler": [{}], "destination": [{}]},
        "tool": [{}],
        "callapps": {"app": [{}]},
        "schedule": [{}],
        "chatbot": {"service": [{}]},
    }
    assert config == msgspec.convert(tables, Config)


def test_every_mistake_is_reported_at_once_by_key_and_line() -> None:
    document = """\
[servce]
x = 1
[web]
full_numbers = "all"
trusted_proxies = ["192.0.2.1/33", "somewhere"]
session_lifetime = 0
port = 3
listener = [
  { port = 8001 },
  { port = 8001, host = "300.1.2.3" },
  { port = "x", routes = ["public", "secret"] },
]
[[switch]]
name = "Main"
[[switch]]
name = "busan"
connect_timeout = true
reconnect_first = 20.0
[[switch]]
name = "busan"
port = 70000
password = "hidden"
[[switch]]
name = "seoul"
host = "a b"
port = 0
[log]
level = "loud"
[live]
ping_interval = inf
max_clients = 1.5
[database]
url = "mysql://u:topsecret@192.0.2.9/calls"
[service]
state_dir = "var"
"""
    mistakes = mistakes_in(document, {"PARLEY_SWITCH_BUSAN_PASSWORD": "example"})
    assert [(mistake.line, mistake.key) for mistake in mistakes] == [
        (1, "servce"),
        (4, "web.full_numbers"),
        (5, "web.trusted_proxies[0]"),
        (5, "web.trusted_proxies[1]"),
        (6, "web.session_lifetime"),
        (7, "web.port"),
        (10, "web.listener[1].host"),
        (11, "web.listener[2].port"),
        (11, "web.listener[2].routes[1]"),
        (14, "switch[0].name"),
        (17, "switch[1].connect_timeout"),
        (18, "switch[1].reconnect_first"),
        (20, "switch[2].name"),
        (21, "switch[2].port"),
        (22, "switch[2].password"),
        (24, "switch[3].name"),
        (25, "switch[3].host"),
        (26, "switch[3].port"),
        (28, "log.level"),
        (30, "live.ping_interval"),
        (31, "live.max_clients"),
        (33, "database.url"),
        (33, "database.url"),
        (35, "service.state_dir"),
    ]
    text = "\n".join(map(str, mistakes))
    assert 'did you mean "service"?' in text
    assert "it belongs into [[switch]] or [[web.listener]]" in text
    assert "the secret switch-seoul-password is missing" in text
    assert "PARLEY_SWITCH_SEOUL_PASSWORD" in text
    assert all(mistake.remedy for mistake in mistakes)
    assert "hidden" not in text
    assert "topsecret" not in text


def test_tables_of_ones_own_hold_what_they_must_and_are_named_by_key_and_line() -> None:
    document = """\
[[tool]]
name = "a"
extensions = ["1(", '1\\d{3}']
options = { anything = [1, { goes = true }], at = 1979-05-27 }
[[tool]]
name = "a"
deadline = 26
[[tool]]
name = "a b"
[inbound]
deadline = 2.0
[inbound.dynamic_variables]
shop = "한빛"
count = 3
[inbound.metadata]
count = 3
"""
    config, mistakes = read(document, None)
    assert [(mistake.line, mistake.key) for mistake in mistakes] == [
        (3, "tool[0].extensions[0]"),
        (6, "tool[1].name"),
        (7, "tool[1].deadline"),
        (9, "tool[2].name"),
        (11, "inbound.deadline"),
        (14, "inbound.dynamic_variables.count"),
    ]
    assert config.tool[0].options["anything"] == [1, {"goes": True}]
    assert config.inbound.metadata == {"count": 3}


@pytest.mark.parametrize(
    ("table", "key"), [("[[switch]]", "switch"), ("[[tool]]", "tool"), ("[pbx]\n[[pbx.header]]", "pbx.header")]
)
@pytest.mark.parametrize("end", ["\\n", "\\r", " ", "\\u2028"])
def test_nothing_follows_a_name(table: str, key: str, end: str) -> None:
    [mistake] = read(f'{table}\nname = "main{end}"', None)[1]
    assert (mistake.key, mistake.remedy.partition(" like ")[0]) == (f"{key}[0].name", "give text")
    assert mistake.remedy.endswith("}")


def test_unused_key_gets_the_name_that_was_meant() -> None:
    (mistake,) = mistakes_in("[recorder]\nflush-intervall = 1.0\n")
    assert str(mistake) == 'line 2: recorder.flush-intervall: there is no such key; did you mean "flush_interval"?'


def test_lines_that_are_no_toml_hide_no_other_mistake() -> None:
    mistakes = mistakes_in('[log]\nlevel = loud\nformat = "xml"\nformat = "json"\n[calls]\nkeep_ended = "x"\n')
    assert [(mistake.line, mistake.key) for mistake in mistakes] == [
        (2, ""),
        (3, "log.format"),
        (4, ""),
        (6, "calls.keep_ended"),
    ]


def test_header_that_is_no_toml_blames_no_innocent_key() -> None:
    mistakes = mistakes_in('[log\nlevel = "info"\n[calls]\nkeep_ended = = 1\n')
    assert [mistake.line for mistake in mistakes] == [1, 4]


def test_string_that_never_ends_is_reported_once() -> None:
    (mistake,) = mistakes_in('[database]\nurl = """sqlite:///x\n[log]\n')
    assert "this is not TOML" in mistake.problem


@pytest.mark.parametrize(
    "url", ["sqlite:///var/lib/x.db", "sqlite:////x.db", "postgresql://u@h:5432/d", "postgresql:///d?host=/run"]
)
def test_database_url_that_works(url: str) -> None:
    assert mistakes_in(f'[database]\nurl = "{url}"') == []


@pytest.mark.parametrize(
    "url",
    [
        "x",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/x",
        "postgresql://u@h:99999/d",
        "postgresql://u@h",
    ],
)
def test_database_url_that_cannot_work(url: str) -> None:
    assert [mistake.key for mistake in mistakes_in(f'[database]\nurl = "{url}"')] == ["database.url"]


def test_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        load(tmp_path / "none.toml", Secrets({}))
    assert "--config" in missing.value.mistakes[0].remedy
    (tmp_path / "latin.toml").write_bytes(b"[log]\n# \xe9t\xe9\n")
    with pytest.raises(ConfigError) as latin:
        load(tmp_path / "latin.toml", Secrets({}))
    assert latin.value.mistakes[0].line == 2


def test_secret_comes_from_the_credential_file_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "switch-main-password").write_text("from file\n")
    environment = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        **ENVIRONMENT,
        "PARLEY_DATABASE_PASSWORD": "from environment",
    }
    secrets = Secrets(environment)
    assert secrets.get("switch-main-password") == "from file"
    assert secrets.get("database-password") == "from environment"
    assert secrets.get("switch-other-password") is None


@pytest.mark.parametrize("content", [b"two\nlines", b"\xff\xfe", b"nul\0"])
def test_secret_that_cannot_be_sent_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "switch-main-password").write_bytes(content)
    secrets = Secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    with pytest.raises(UnreadableSecretError):
        secrets.get("switch-main-password")
    _, mistakes = read("[[switch]]", secrets)
    assert [(mistake.line, mistake.key) for mistake in mistakes] == [(1, "switch[0].name")]


def test_empty_secret_is_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "switch-main-password").write_text("\n")
    _, mistakes = read("[[switch]]", Secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}))
    assert ["missing" in mistake.problem for mistake in mistakes] == [True]


@pytest.mark.parametrize(
    ("password", "host", "problem"),
    [
        ("REPLACE-ME", "127.0.0.1", "the placeholder"),
        ("ClueCon", "192.0.2.9", "every FreeSWITCH comes with"),
        ("ClueCon", "switch.example", "every FreeSWITCH comes with"),
        ("ClueCon", "127.0.0.1", ""),
        ("ClueCon", "localhost", ""),
        ("ClueCon", "::1", ""),
        ("one of our own", "192.0.2.9", ""),
    ],
)
def test_a_password_that_everybody_has_is_a_mistake(password: str, host: str, problem: str) -> None:
    _, mistakes = read(f'[[switch]]\nhost = "{host}"', Secrets({"PARLEY_SWITCH_MAIN_PASSWORD": password}))
    assert [problem in mistake.problem for mistake in mistakes] == ([True] if problem else [])
    assert all(password not in str(mistake) for mistake in mistakes)


PBX = """
[pbx]
url = "ws://127.0.0.1:8088/"
[[pbx.server]]
name = "pbx1"
id = 1
[[pbx.tenant]]
name = "main"
"""


def test_a_pbx_that_is_right_needs_the_ids_of_its_tenants() -> None:
    _, mistakes = read(PBX, Secrets({}))
    assert ["pbx-tenant-main-id is missing" in mistake.problem for mistake in mistakes] == [True]
    assert not read(PBX, Secrets({"PARLEY_PBX_TENANT_MAIN_ID": "x"}))[1]


@pytest.mark.parametrize(
    ("line", "instead", "key", "problem"),
    [
        ('url = "ws://127.0.0.1:8088/"', 'url = "http://h/"', "pbx.url", "no address of that kind"),
        ('url = "ws://127.0.0.1:8088/"', 'url = "ws://pbx..example/"', "pbx.url", "no URL"),
        ('url = "ws://127.0.0.1:8088/"', 'url = "ws://u:pw@h/"', "pbx.url", "a password stands in it"),
        ("id = 1", 'id = 1\n[[pbx.server]]\nname = "pbx2"\nid = 1', "pbx.server[1].id", "has the id 1 too"),
        ("id = 1", 'id = 1\n[[pbx.server]]\nname = "pbx1"\nid = 2', "pbx.server[1].name", "is taken"),
        ('name = "pbx1"', 'name = "gateway"', "pbx.server[0].name", "is taken"),
        ('name = "main"', 'servers = ["pbx9"]', "pbx.tenant[0].servers[0]", 'no server "pbx9"'),
        ('name = "main"', 'extensions = ["1("]', "pbx.tenant[0].extensions[0]", "no regular expression"),
        ("[[pbx.server]]", 'ca_file = "/none.pem"\n[[pbx.server]]', "pbx.ca_file", "no file"),
        ("[[pbx.server]]", 'ca_file = "/etc/passwd"\n[[pbx.server]]', "pbx.ca_file", "no certificate"),
        (
            "[[pbx.server]]",
            'click_to_call.rest_ca_file = "/etc/passwd"\n[[pbx.server]]',
            "pbx.click_to_call.rest_ca_file",
            "no certificate",
        ),
        ("[[pbx.server]]", 'enable_key = "x"\n[[pbx.server]]', "pbx.enable_key", "{extension} and {kind}"),
        (
            "[[pbx.server]]",
            'click_to_call.allowed = ["["]\n[[pbx.server]]',
            "pbx.click_to_call.allowed[0]",
            "no regular",
        ),
    ],
)
def test_what_is_wrong_with_a_pbx_is_said_by_key(line: str, instead: str, key: str, problem: str) -> None:
    _, mistakes = read(PBX.replace(line, instead, 1), None)
    assert [mistake.key for mistake in mistakes] == [key]
    assert problem in mistakes[0].problem
    assert "pw" not in str(mistakes[0])
