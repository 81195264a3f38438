"""What must hold between and behind the keys of a configuration, beyond each key's own type and bounds."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from daemon.authorities import authority_rule
from daemon.broken_rule import BrokenRule, network_rule
from daemon.callapp_rules import callapp_rules
from daemon.chatbot_rules import chatbot_rules
from daemon.config import Config, ListenerConfig, PbxConfig, SwitchConfig, ToolConfig
from daemon.directory_rules import directory_rules
from daemon.inbox_rules import inbox_rules
from daemon.mail_rules import mail_rules
from daemon.outgoing_rules import outgoing_rules
from daemon.places import service_user, writing_obstacle
from daemon.schedule_rules import schedule_rules
from daemon.secrets import (
    DATABASE_PASSWORD,
    REDIS_PASSWORD,
    Secrets,
    UnreadableSecretError,
    environment_name,
    pbx_header,
    switch_password,
    tenant_id,
)
from daemon.toml_lines import KeyPath
from daemon.webex_rules import webex_rules
from protocols.dcmiws.diversions import DiversionKeys
from protocols.errors import LocalError

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")


PLACEHOLDER = "REPLACE-ME"
FACTORY_PASSWORD = "ClueCon"  # noqa: S105 - the one in FreeSWITCH's own configuration


def broken_rules(config: Config, secrets: Secrets | None) -> Iterator[BrokenRule]:
    """Every rule that ``config`` breaks; a missing secret is one, unless ``secrets`` is ``None``."""
    yield from _switches(config.switch)
    yield from _database_url(config.database.url)
    yield from _pbx(config.pbx)
    yield from inbox_rules(config.inbox, secrets)
    yield from _tools(config.tool)
    yield from mail_rules(config.mail, secrets)
    yield from directory_rules(config.directory, secrets)
    yield from callapp_rules(config.callapps, config.speech, secrets)
    yield from outgoing_rules(config.callapps, config.switch)
    yield from schedule_rules(config.schedule)
    yield from chatbot_rules(config.chatbot, config.redis)
    yield from webex_rules(config, secrets)
    if secrets is not None:
        yield from _missing_secrets(config, secrets)
        yield from _guessable_passwords(config, secrets)
    yield from _listeners(config.web.listener)
    for key in ("trusted_proxies", "metrics_networks"):
        for index, network in enumerate(getattr(config.web, key)):
            yield from network_rule(network, ("web", key, index))
    if not config.service.state_dir.startswith("/"):
        path = ("service", "state_dir")
        yield BrokenRule(path, f'"{config.service.state_dir}" is not a whole path', "begin it with a slash")
    if config.recorder.spool_dir and not config.recorder.spool_dir.startswith("/"):
        path = ("recorder", "spool_dir")
        yield BrokenRule(path, f'"{config.recorder.spool_dir}" is not a whole path', "begin it with a slash")


def unwritable(config: Config) -> Iterator[BrokenRule]:
    """The folders in which the service could not write. None is made."""
    places: dict[KeyPath, Path] = {("service", "state_dir"): Path(config.service.state_dir)}
    if config.recorder.spool_dir:
        places["recorder", "spool_dir"] = Path(config.recorder.spool_dir)
    if config.callapps.rendering.command:
        places["callapps", "rendering", "folder"] = Path(config.callapps.rendering.folder)
    user = service_user(config)
    for path, folder in places.items():
        problem = writing_obstacle(folder, user) if folder.is_absolute() else None
        if problem is not None:
            remedy = "give it to the user that Parley runs as, or name another"
            yield BrokenRule(path, f"nothing can be written in {folder} ({problem})", remedy)


def _pbx(pbx: PbxConfig) -> Iterator[BrokenRule]:
    """What must hold for a PBX that is configured: without a ``url`` nothing of it counts."""
    if not pbx.url:
        return
    yield from _pbx_address(pbx.url, ("pbx", "url"), ("ws", "wss"))
    yield from _pbx_servers(pbx)
    yield from _pbx_tenants(pbx)
    yield from authority_rule(pbx.ca_file, ("pbx", "ca_file"))
    yield from authority_rule(pbx.click_to_call.rest_ca_file, ("pbx", "click_to_call", "rest_ca_file"))
    try:
        DiversionKeys(pbx.enable_key, pbx.destination_key, pbx.destination_value)
    except LocalError as error:
        yield BrokenRule(("pbx", "enable_key"), str(error), "leave the patterns of keys and value as they come")
    if pbx.reconnect_first > pbx.reconnect_cap:
        problem = f"{pbx.reconnect_first:g} is more than reconnect_cap, {pbx.reconnect_cap:g}"
        yield BrokenRule(("pbx", "reconnect_first"), problem, "give at most reconnect_cap")
    if pbx.click_to_call.rest_url:
        yield from _pbx_address(pbx.click_to_call.rest_url, ("pbx", "click_to_call", "rest_url"), ("http", "https"))
    for key in ("allowed", "refused"):
        for index, pattern in enumerate(getattr(pbx.click_to_call, key)):
            yield from _pattern(pattern, ("pbx", "click_to_call", key, index))


def _pbx_address(address: str, path: KeyPath, schemes: tuple[str, str]) -> Iterator[BrokenRule]:
    forms = f"give {schemes[0]}://host:port/path or {schemes[1]}://…"
    try:
        url = urlsplit(address)
        _ = url.port, (url.hostname or "").encode("idna")
    except ValueError:  # of which UnicodeError is one
        yield BrokenRule(path, "this is no URL", forms)
        return
    if url.scheme not in schemes or not url.hostname:
        yield BrokenRule(path, "this is no address of that kind", forms)
    elif url.password:
        yield BrokenRule(path, "a password stands in it", "take it out and give it as a [[pbx.header]]")


def _pbx_servers(pbx: PbxConfig) -> Iterator[BrokenRule]:
    if not pbx.server:
        yield BrokenRule(("pbx", "url"), "the gateway has no server", "add a [[pbx.server]] for each of its servers")
    names: dict[str, int] = {"gateway": -1}
    ids: dict[int, int] = {}
    for index, server in enumerate(pbx.server):
        here: KeyPath = ("pbx", "server", index)
        if names.setdefault(server.name, index) != index:
            yield BrokenRule((*here, "name"), f'"{server.name}" is taken', "give each its own name, and none gateway")
        if ids.setdefault(server.id, index) != index:
            problem = f"pbx.server[{ids[server.id]}] has the id {server.id} too"
            yield BrokenRule((*here, "id"), problem, "give each server its own AMIServerID")


def _pbx_tenants(pbx: PbxConfig) -> Iterator[BrokenRule]:
    servers = {server.name for server in pbx.server}
    names: dict[str, int] = {}
    for index, tenant in enumerate(pbx.tenant):
        here: KeyPath = ("pbx", "tenant", index)
        if names.setdefault(tenant.name, index) != index:
            yield BrokenRule((*here, "name"), f'"{tenant.name}" is taken', "give each tenant its own alias")
        for number, name in enumerate(tenant.servers):
            if name not in servers:
                remedy = f"name one of {', '.join(sorted(servers)) or 'the [[pbx.server]] there are'}"
                yield BrokenRule((*here, "servers", number), f'there is no server "{name}"', remedy)
        for number, pattern in enumerate(tenant.extensions):
            yield from _pattern(pattern, (*here, "extensions", number))


def _tools(tools: list[ToolConfig]) -> Iterator[BrokenRule]:
    first_of: dict[str, int] = {}
    for index, tool in enumerate(tools):
        here: KeyPath = ("tool", index)
        first = first_of.setdefault(tool.name, index)
        if first != index:
            problem = f'tool[{first}] is "{tool.name}" too'
            yield BrokenRule((*here, "name"), problem, "give each tool its own name", ("tool", first, "name"))
        for key in ("extensions", "numbers"):
            for number, pattern in enumerate(getattr(tool, key)):
                yield from _pattern(pattern, (*here, key, number))


def _pattern(pattern: str, path: KeyPath) -> Iterator[BrokenRule]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield BrokenRule(path, f"this is no regular expression: {error}", "write it as Python's re does")


def _switches(switches: list[SwitchConfig]) -> Iterator[BrokenRule]:
    first_of: dict[str, int] = {}
    for index, switch in enumerate(switches):
        here: KeyPath = ("switch", index)
        first = first_of.setdefault(switch.name, index)
        if first != index:
            problem = f'switch[{first}] is "{switch.name}" too'
            yield BrokenRule((*here, "name"), problem, "give each switch its own name", ("switch", first, "name"))
        if not _is_host(switch.host):
            yield BrokenRule((*here, "host"), f'"{switch.host}" is no host', "give a host name or an address, no port")
        if switch.port == 0:
            yield BrokenRule((*here, "port"), "0 is no port to connect to", "give the event socket's port, mostly 8021")
        if switch.reconnect_first > switch.reconnect_cap:
            problem = f"{switch.reconnect_first:g} is more than reconnect_cap, {switch.reconnect_cap:g}"
            yield BrokenRule((*here, "reconnect_first"), problem, "give at most reconnect_cap")


def _guessable_passwords(config: Config, secrets: Secrets) -> Iterator[BrokenRule]:
    """What stands in a file that everybody has is no password."""
    for index, switch in enumerate(config.switch):
        path: KeyPath = ("switch", index, "name")
        name = switch_password(switch)
        try:
            password = secrets.get(name)
        except UnreadableSecretError:
            continue
        if password == PLACEHOLDER:
            problem = f"the secret {name} is the placeholder of config/freeswitch"
            yield BrokenRule(path, problem, "make a password, and give it to event_socket.conf.xml and here")
        elif password == FACTORY_PASSWORD and not _is_loopback(switch.host):
            problem = f"the secret {name} is the one every FreeSWITCH comes with, and {switch.host} is another host"
            yield BrokenRule(path, problem, "make one of your own, and give it to event_socket.conf.xml and here")


def _missing_secrets(config: Config, secrets: Secrets) -> Iterator[BrokenRule]:
    """A database or a Redis may do without a password; a switch may not."""
    needed: dict[str, KeyPath] = {}
    for index, switch in enumerate(config.switch):
        needed.setdefault(switch_password(switch), ("switch", index, "name"))
    for index, tenant in enumerate(config.pbx.tenant if config.pbx.url else ()):
        needed.setdefault(tenant_id(tenant), ("pbx", "tenant", index, "name"))
    for index, header in enumerate(config.pbx.header if config.pbx.url else ()):
        if not header.value:
            needed.setdefault(pbx_header(header), ("pbx", "header", index, "name"))
    others: list[tuple[str, KeyPath]] = [(DATABASE_PASSWORD, ("database", "url")), (REDIS_PASSWORD, ("redis", "url"))]
    for name, path in [*needed.items(), *others]:
        places = f"the credential file {name} or the environment variable {environment_name(name)}"
        try:
            if secrets.get(name) is None and name in needed:
                yield BrokenRule(path, f"the secret {name} is missing", f"put it into {places}")
        except UnreadableSecretError as error:
            yield BrokenRule(path, f"the secret {name} cannot be used: {error}", f"mend {places}")


def _database_url(address: str) -> Iterator[BrokenRule]:
    if not address:
        return
    path = ("database", "url")
    forms = "give postgresql://user@host:5432/name, sqlite:///path or nothing"
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        yield BrokenRule(path, "this is no URL", forms)
        return
    if url.password:
        remedy = f"take it out and put it into the secret {DATABASE_PASSWORD}"
        yield BrokenRule(path, "a password stands in it", remedy)
    if url.scheme == "sqlite":
        if url.netloc or url.path in ("", "/", "/:memory:"):
            yield BrokenRule(path, "it names no file", "write sqlite:///path, with a fourth slash for a whole path")
    elif url.scheme != "postgresql":
        yield BrokenRule(path, f'"{url.scheme}" is not a database that Parley knows', forms)
    elif not url.path.strip("/"):
        yield BrokenRule(path, "it names no database", forms)


def _listeners(listeners: list[ListenerConfig]) -> Iterator[BrokenRule]:
    if not listeners:
        path: KeyPath = ("web", "listener")
        yield BrokenRule(path, "there is no listener", "give one, or leave the key out for the default")
    first_of: dict[tuple[str, int], int] = {}
    for index, listener in enumerate(listeners):
        here: KeyPath = ("web", "listener", index)
        if not _is_host(listener.host):
            remedy = "give an address or host name, 0.0.0.0 or :: for all"
            yield BrokenRule((*here, "host"), f'"{listener.host}" is no host', remedy)
        if not listener.routes:
            remedy = 'give "public", "private" or both'
            yield BrokenRule((*here, "routes"), "it serves nothing", remedy)
        elif len(set(listener.routes)) != len(listener.routes):
            yield BrokenRule((*here, "routes"), "a group of routes stands there twice", "name each once")
        first = first_of.setdefault((listener.host, listener.port), index)
        if first != index and listener.port:
            problem = f"web.listener[{first}] has this address and port too"
            remedy = "give it another port, or its routes to the other"
            yield BrokenRule((*here, "port"), problem, remedy, ("web", "listener", first))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _HOST_NAME.fullmatch(host) is not None and not re.fullmatch(r"[\d.]+", host)
    return True
