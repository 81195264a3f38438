"""What must hold between and behind the keys of ``[inbox]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from daemon.broken_rule import BrokenRule, network_rule
from daemon.config import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from daemon.secrets import (
    SECRET_URL,
    WEBEX_BOT_TOKEN,
    Secrets,
    UnreadableSecretError,
    destination_secret,
    destination_url,
    destination_url_secret,
    environment_name,
    source_secret,
    source_secrets,
)
from daemon.toml_lines import KeyPath
from daemon.verifiers import identify_of, verifier_of
from protocols.errors import LocalError
from protocols.webhooks.standard import sign
from protocols.webhooks.tokens import TokenVerifier

_BUILT_IN = ("store", "forward", "make-com")
_OWN = "parley"
_EVENTS = ("call.started", "call.ended", "utterance.final")
_PLACES = ("event", "other_id", "key")
_CALLS_OWN = ("other_id", "key")
"""By these the deliveries of one call are found again, for example to take out what its people said."""
_SCHEME = ("header", "algorithm", "encoding", "prefix", "timestamp_header", "signed", "tolerance")
_COUNTING: Mapping[str, Sequence[str]] = {
    "github": (),
    "stripe": ("tolerance",),
    "webex": ("algorithm",),
    "standard": ("tolerance",),
    "voxai": _SCHEME,
    "generic": _SCHEME,
}
"""Which of these are heeded where a signature of that kind is checked."""
_NOTHING_SAID = SourceConfig()


def inbox_rules(inbox: InboxConfig, secrets: Secrets | None) -> Iterator[BrokenRule]:
    """Every rule that is broken; a missing or useless secret is one, unless ``secrets`` is ``None``."""
    yield from _twice([one.name for one in inbox.source], "source")
    yield from _twice([one.name for one in inbox.handler], "handler")
    yield from _twice([one.name for one in inbox.destination], "destination")
    for index, source in enumerate(inbox.source):
        if source.kind != "off":
            yield from _source(source, ("inbox", "source", index), secrets)
    destinations = {one.name for one in inbox.destination if one.url}
    for index, handler in enumerate(inbox.handler):
        if handler.use:
            yield from _handler(handler, ("inbox", "handler", index), destinations)
            yield from _handler_meets(handler, ("inbox", "handler", index), inbox)
    for index, destination in enumerate(inbox.destination):
        if destination.url:
            yield from _destination(destination, ("inbox", "destination", index), secrets)


def _twice(names: list[str], table: str) -> Iterator[BrokenRule]:
    for index, name in enumerate(names):
        first = names.index(name)
        if first != index:
            rival: KeyPath = ("inbox", table, first, "name")
            yield BrokenRule(
                ("inbox", table, index, "name"), f'"{name}" is taken', f"give each {table} its own name", rival
            )


def _source(source: SourceConfig, here: KeyPath, secrets: Secrets | None) -> Iterator[BrokenRule]:
    if source.name == _OWN:
        yield BrokenRule((*here, "name"), '"parley" is the source of Parley\'s own events', "give it another name")
    for number, network in enumerate(source.addresses):
        yield from network_rule(network, (*here, "addresses", number))
    for name in _PLACES:
        try:
            identify_of(SourceConfig(kind=source.kind, **{name: getattr(source, name)}))
        except LocalError as error:
            yield BrokenRule((*here, name), str(error), "write header:<name> or json:<path>")
    for name in _CALLS_OWN if source.kind == "voxai" else ():
        if getattr(source, name):
            yield BrokenRule((*here, name), f"Vox.ai says the {name} of its calls itself", "leave it out")
    for name in _SCHEME:
        if getattr(source, name) != getattr(_NOTHING_SAID, name) and not _counts(source, name):
            problem = f"it changes nothing for {source.kind} with the check {source.check}"
            yield BrokenRule((*here, name), problem, "leave it out")
    if source.check == "address":
        if not source.addresses:
            remedy = "give its addresses, or another check"
            yield BrokenRule((*here, "check"), "a source known by its address alone has none", remedy)
        return
    if secrets is not None:
        yield from _source_secret(source, here, secrets)
    else:
        yield from _usable(source, ["d2hhdGV2ZXI="], here)


def _counts(source: SourceConfig, name: str) -> bool:
    """Whether that key of the way it signs is heeded, or says only what is so anyway."""
    if source.check != "signature":
        return False
    if name == "tolerance" and source.kind in ("voxai", "generic"):
        return source.timestamp_header != ""
    return name in _COUNTING[source.kind] or (name, source.algorithm) == ("algorithm", "sha256")


def _source_secret(source: SourceConfig, here: KeyPath, secrets: Secrets) -> Iterator[BrokenRule]:
    name = source_secret(source)
    try:
        given = source_secrets(source, secrets)
    except UnreadableSecretError as error:
        yield BrokenRule((*here, "name"), f"the secret {name} cannot be used: {error}", _mend(name))
        return
    if not given:
        yield BrokenRule((*here, "name"), f"the secret {name} is missing", _put_source(source, name))
    else:
        yield from _usable(source, given, here)


def _usable(source: SourceConfig, given: list[str], here: KeyPath) -> Iterator[BrokenRule]:
    try:
        if source.check == "url-token":
            TokenVerifier(given)
        else:
            verifier_of(source, given)
    except LocalError as error:
        yield BrokenRule((*here, "check"), str(error), "see the comments of [[inbox.source]]")


def _handler(handler: HandlerConfig, here: KeyPath, destinations: set[str]) -> Iterator[BrokenRule]:
    if handler.use not in _BUILT_IN and ":" not in handler.use:
        remedy = f"give {', '.join(_BUILT_IN)} or package.module:name"
        yield BrokenRule((*here, "use"), f'"{handler.use}" is no handler', remedy)
    sends = handler.use in ("forward", "make-com")
    if sends and handler.destination not in destinations:
        remedy = (
            f"name one of {', '.join(sorted(destinations)) or 'the [[inbox.destination]] with a url that there are'}"
        )
        yield BrokenRule((*here, "destination"), f'there is no destination "{handler.destination}"', remedy)
    if not sends and handler.destination:
        remedy = "leave it out, or use forward or make-com"
        yield BrokenRule((*here, "destination"), f"{handler.use} sends nothing anywhere", remedy)


def _handler_meets(handler: HandlerConfig, here: KeyPath, inbox: InboxConfig) -> Iterator[BrokenRule]:
    """Its name beside those that Parley gives, and its source among those that there are."""
    sources = [one for one in inbox.source if one.kind != "off"]
    destinations = [one.name for one in inbox.destination if one.url]
    taken = {f"{one.name}-calls" for one in sources if one.kind == "voxai"} | {f"send-{one}" for one in destinations}
    if handler.name in taken:
        yield BrokenRule((*here, "name"), f'"{handler.name}" is the name of a handler of Parley\'s own', "give another")
    own = {_OWN, *(f"to:{one}" for one in destinations)}
    # The pattern that stands there by itself is right before there is any source.
    if handler.source in own or handler.source == "*" or any(fnmatchcase(one.name, handler.source) for one in sources):
        return
    there_are = ", ".join(sorted({one.name for one in sources} | own))
    problem = f'no source is called "{handler.source}"'
    yield BrokenRule((*here, "source"), problem, f"write a pattern of one of {there_are}; Parley's own in full")


def _destination(destination: DestinationConfig, here: KeyPath, secrets: Secrets | None) -> Iterator[BrokenRule]:
    for number, pattern in enumerate(destination.events):
        if not any(fnmatchcase(event, pattern) for event in _EVENTS):
            remedy = f"write a pattern of one of {', '.join(_EVENTS)}"
            yield BrokenRule((*here, "events", number), f'no event is called "{pattern}"', remedy)
    for number, network in enumerate(destination.private_networks):
        yield from network_rule(network, (*here, "private_networks", number))
    yield from _destination_url(destination, here, secrets)
    if not destination.signed or secrets is None:
        return
    name = destination_secret(destination)
    try:
        secret = secrets.get(name)
        if secret is None:
            problem, remedy = f"the secret {name} is missing", f"{_put(name)}, or set signed to false"
            yield BrokenRule((*here, "name"), problem, remedy)
        else:
            sign(secret, "probe", 0, b"")
    except (UnreadableSecretError, LocalError) as error:
        yield BrokenRule((*here, "name"), f"the secret {name} cannot be used: {error}", _mend(name))


def _destination_url(destination: DestinationConfig, here: KeyPath, secrets: Secrets | None) -> Iterator[BrokenRule]:
    is_secret = destination.url == SECRET_URL
    if is_secret and secrets is None:
        return
    name = destination_url_secret(destination)
    try:
        url = destination.url if secrets is None else destination_url(destination, secrets)
    except UnreadableSecretError as error:
        yield BrokenRule((*here, "url"), f"the secret {name} cannot be used: {error}", _mend(name))
        return
    if url is None:
        yield BrokenRule((*here, "url"), f"the secret {name} is missing", _put(name))
    elif problem := url_problem(url):
        what, remedy = problem
        yield BrokenRule((*here, "url"), f"the secret {name}: {what}" if is_secret else what, remedy)


def url_problem(url: str) -> tuple[str, str] | None:
    """Why nothing can be sent to ``url``, without any of it, and the remedy; ``None`` where it looks right."""
    try:
        parts = urlsplit(url)
        _ = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:  # of which UnicodeError is one
        return "this is no URL", "give https://host/path"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "this is no address of that kind", "give https://host/path or http://…"
    if parts.username or parts.password:
        return "a password stands in it", "take it out: what is sent is signed"
    return None


def _put(name: str) -> str:
    return f"put it into the credential file {name} or the environment variable {environment_name(name)}"


def _put_source(source: SourceConfig, name: str) -> str:
    """As :func:`_put`; that of a bot at Webex is made of its token, and hardly anybody needs another."""
    if source.kind != "webex":
        return _put(name)
    return f"where it is a bot's give the secret {WEBEX_BOT_TOKEN}, of which it is made; else {_put(name)}"


def _mend(name: str) -> str:
    return f"mend the credential file {name} or the environment variable {environment_name(name)}"
