"""What must hold between and behind the keys of a configuration, beyond each key's own type and bounds."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from daemon.config import Config, ListenerConfig, SwitchConfig
from daemon.places import service_user, writing_obstacle
from daemon.secrets import DATABASE_PASSWORD, Secrets, UnreadableSecretError, environment_name, switch_password
from daemon.toml_lines import KeyPath

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")


PLACEHOLDER = "REPLACE-ME"
FACTORY_PASSWORD = "ClueCon"  # noqa: S105 - the one in FreeSWITCH's own configuration


class BrokenRule(msgspec.Struct, frozen=True):
    """A rule that the value at ``path`` breaks."""

    path: KeyPath
    problem: str
    remedy: str
    rival: KeyPath | None = None
    """The other key that takes part, where it takes two."""


def broken_rules(config: Config, secrets: Secrets | None) -> Iterator[BrokenRule]:
    """Every rule that ``config`` breaks; a missing secret is one, unless ``secrets`` is ``None``."""
    yield from _switches(config.switch)
    yield from _database_url(config.database.url)
    if secrets is not None:
        yield from _missing_secrets(config, secrets)
        yield from _guessable_passwords(config, secrets)
    yield from _listeners(config.web.listener)
    for key in ("trusted_proxies", "metrics_networks"):
        for index, network in enumerate(getattr(config.web, key)):
            yield from _network(network, ("web", key, index))
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
    user = service_user(config)
    for path, folder in places.items():
        problem = writing_obstacle(folder, user) if folder.is_absolute() else None
        if problem is not None:
            remedy = "give it to the user that Parley runs as, or name another"
            yield BrokenRule(path, f"nothing can be written in {folder} ({problem})", remedy)


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
    """A database may do without a password; a switch may not."""
    needed: dict[str, KeyPath] = {}
    for index, switch in enumerate(config.switch):
        needed.setdefault(switch_password(switch), ("switch", index, "name"))
    for name, path in [*needed.items(), (DATABASE_PASSWORD, ("database", "url"))]:
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


def _network(network: str, path: KeyPath) -> Iterator[BrokenRule]:
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        yield BrokenRule(path, str(error), 'write it like "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"')


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
