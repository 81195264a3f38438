"""The typed configuration: every key, its type, its default and its bounds. Durations are float seconds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Positive = Annotated[float, Meta(gt=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Role = Literal["viewer", "operator", "admin"]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
Vendor = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}\Z")]
ToolName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}\Z")]


class ServiceConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[service]``: where the process keeps things and how it stops."""

    state_dir: str = "/var/lib/parley"
    stop_timeout: Positive = 15.0


class LogConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[log]``: reloaded on SIGHUP."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class SwitchConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[switch]]``: one FreeSWITCH. Its password is the secret ``switch-<name>-password``."""

    name: Name = "main"
    host: str = "127.0.0.1"
    port: Port = 8021
    connect_timeout: Positive = 5.0
    command_timeout: Positive = 10.0
    silence_timeout: Positive = 45.0
    """A link that says nothing for so long (HEARTBEAT comes every 20 s) is dropped and made anew."""
    reconnect_first: Positive = 0.25
    reconnect_cap: Positive = 15.0
    refused_retry: Positive = 60.0
    reconcile_interval: Positive = 60.0
    max_frame: Count = 16_777_216
    """The largest body of one frame, in bytes."""
    speak_engine: str = ""
    speak_voice: str = ""
    dial: dict[str, str] = msgspec.field(default_factory=dict)
    """Endpoints that ``{number}`` is dialled at, by regular expressions of the numbers, matched whole. The first that
    fits counts; a number that none fits is not dialled here."""


class RecogniserConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[speech.recogniser]]``: how Parley starts and stops a vendor's module; ``{leg_id}`` is the leg.

    A command of the switch, or ``app NAME ARGUMENT`` for an application that is run on the leg.
    """

    vendor: Vendor = "brain_stt"
    start: str = "uuid_brain_stt {leg_id} start"
    stop: str = "uuid_brain_stt {leg_id} stop"


class SpeechConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[speech]``: what speech-to-text modules do not say themselves."""

    brain_sample_rate: Count = 8000
    """Samples per second in which ``brain_stt`` counts ``start`` and ``end``."""
    recogniser: list[RecogniserConfig] = msgspec.field(default_factory=lambda: [RecogniserConfig()])


class CallsConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[calls]``"""

    keep_ended: Positive = 300.0
    """How long an ended call stays in memory (and in the live list)."""


class DatabaseConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[database]``. A password does not stand in the URL: it is the secret ``database-password``."""

    url: str = ""
    """``postgresql://user@host:5432/name`` or ``sqlite:///path``; empty: ``parley.db`` in the state directory."""
    pool_size: Count = 5


class RecorderConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[recorder]``: the way of calls and utterances into the database."""

    flush_interval: Positive = 0.02
    """At most this much of what was said can be lost when the process is killed."""
    batch_rows: Count = 500
    spool_dir: str = ""
    """Empty: ``spool`` in the state directory."""
    memory_rows: Count = 50_000
    """How many rows may wait in memory when the spool's disk refuses them; past it, rows are lost and counted."""


class ListenerConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[web.listener]]``: an address and the groups of routes served on it."""

    host: str = "127.0.0.1"
    port: Port = 8000
    routes: list[Literal["public", "private"]] = msgspec.field(default_factory=lambda: ["public", "private"])


class WebConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[web]``"""

    listener: list[ListenerConfig] = msgspec.field(default_factory=lambda: [ListenerConfig()])
    trusted_proxies: list[str] = msgspec.field(default_factory=list)
    metrics_networks: list[str] = msgspec.field(default_factory=list)
    """Networks, beside loopback, that may read ``/metrics`` without a token."""
    open_docs: bool = True
    full_numbers: Literal["viewer", "operator", "admin", "nobody"] = "operator"
    """The least role that sees whole phone numbers; everybody else sees ``010****5678``."""
    session_lifetime: Positive = 43_200.0
    login_attempts: Count = 5
    login_window: Positive = 300.0
    secure_cookie: bool = False
    """Send the session cookie over https only (set it where a proxy ends TLS)."""


class LiveConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[live]``: bounds of one browser's connection. Reloaded on SIGHUP."""

    max_clients: Count = 2000
    queue_packets: Count = 2000
    queue_bytes: Count = 4_194_304
    ping_interval: Positive = 10.0
    ping_timeout: Positive = 5.0


class PbxHeaderConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[pbx.header]]``: a header of the WebSocket handshake; ``value`` empty: the secret ``pbx-header-<name>``."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")] = "X-Example"
    value: str = ""


class PbxServerConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[pbx.server]]``: one Asterisk behind the gateway. ``id`` is its ``AMIServerID``; ids need not be 1..n."""

    name: Name = "pbx1"
    id: Count = 1


class PbxTenantConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[pbx.tenant]]``: one customer of the PBX, by an alias for people.

    Its id at the vendor is the secret ``pbx-tenant-<name>-id``, the key of its REST click-to-call the secret
    ``pbx-tenant-<name>-app-key``.
    """

    name: Name = "main"
    servers: list[str] = msgspec.field(default_factory=list)
    """Names of the servers that serve it; empty: all. Each has its own database."""
    extensions: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of its extensions, matched whole; empty: every extension."""
    context: str = ""
    account_code: str = ""
    language: str = "ko"
    cos_id: str = ""
    """Class of service of its click-to-calls, as the vendor numbers them."""
    caller_name: str = ""
    caller_number: str = ""
    ring_time: Positive = 30.0


class ClickToCallConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[pbx.click_to_call]``"""

    ways: list[Literal["rest", "websocket"]] = msgspec.field(default_factory=lambda: ["rest", "websocket"])
    """Tried in this order; the next only where nothing of a request was sent. REST needs ``rest_url``."""
    rest_url: str = ""
    rest_ca_file: str = ""
    rest_timeout: Positive = 10.0
    tie_timeout: Positive = 10.0
    """A call whose events cannot be tied to its request for so long has an unknown outcome."""
    per_user_per_hour: Count = 30
    per_hour: Count = 300
    allowed: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may be called, matched whole; empty: all."""
    refused: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may not, whatever ``allowed`` says."""


class PbxConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[pbx]``: the link to a DIPCAST DCMIWS gateway; none without a ``url``."""

    url: str = ""
    """``ws://host:port/path`` or ``wss://…``."""
    ca_file: str = ""
    """Authorities to trust for ``wss`` beside the system's (PEM)."""
    connect_timeout: Positive = 10.0
    request_timeout: Positive = 12.0
    """While one server is down the gateway answers for the others after four seconds and more."""
    attempts: Count = 2
    """How often a ping, a read or a put is asked before it fails; nothing else is ever repeated."""
    ping_interval: Positive = 15.0
    slow_after: Positive = 2.0
    """A ping that takes longer shows its server as slow."""
    reconnect_first: Positive = 0.25
    reconnect_cap: Positive = 15.0
    enable_key: str = "diversions/{extension}/{kind}/enable"
    destination_key: str = "diversions/{extension}/{kind}/destination"
    destination_value: str = "sub-custom-numbers,{number},1"
    header: list[PbxHeaderConfig] = msgspec.field(default_factory=list)
    server: list[PbxServerConfig] = msgspec.field(default_factory=list)
    tenant: list[PbxTenantConfig] = msgspec.field(default_factory=list)
    click_to_call: ClickToCallConfig = msgspec.field(default_factory=ClickToCallConfig)


class SourceConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[inbox.source]]``: who may deliver at ``/webhooks/<name>``, and how one knows that it is them.

    Its secret is ``source-<name>-secret``; while it is changed a second and third stand in ``…-secret-2`` and
    ``…-secret-3``.
    """

    name: Name = "github"
    kind: Literal["off", "github", "stripe", "webex", "standard", "voxai", "generic"] = "off"
    """Whose way of signing and naming things it has; ``off``: as if it did not stand there."""
    check: Literal["signature", "bearer", "url-token", "address"] = "signature"
    """What proves it: the signature of its kind, a token, a token in the address, or where it comes from alone."""
    addresses: list[str] = msgspec.field(default_factory=list)
    """Networks it may come from, beside what ``check`` asks; empty: anywhere."""
    header: str = "X-Signature"
    algorithm: Literal["", "sha1", "sha256", "sha384", "sha512"] = ""
    """Empty: the one of its kind, SHA-256 where it has none."""
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    signed: str = "{body}"
    """What is signed: ``{body}`` and, where there is a ``timestamp_header``, ``{timestamp}``."""
    tolerance: Positive = 300.0
    event: str = ""
    """Where it says its event: ``header:<name>`` or ``json:<path>``; ``other_id`` and ``key`` also ``body-hash``."""
    other_id: str = ""
    key: str = ""
    per_second: Positive = 1000.0
    """Deliveries a second at most, counted once they are verified; ten seconds' worth may come at once."""


class HandlerConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[inbox.handler]]``: what is done with deliveries. ``source`` and ``event`` are patterns."""

    name: Name = "keep"
    source: str = "*"
    event: str = "*"
    use: str = ""
    """``store``, ``forward``, ``make-com``, or a function of your own, ``package.module:name``; empty: nothing."""
    destination: str = ""
    """Where ``forward`` and ``make-com`` send to."""
    deadline: Positive = 30.0
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    """Handed to a function of your own that takes ``options``."""


class DestinationConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[inbox.destination]]``: where webhooks are sent to, signed with the secret ``destination-<name>-secret``."""

    name: Name = "crm"
    url: str = ""
    """``https://…``; ``secret``: it is the secret ``destination-<name>-url``; empty: as if it did not stand there."""
    events: list[str] = msgspec.field(default_factory=list)
    """Parley's own events that go there, as patterns: ``call.started``, ``call.ended``, ``utterance.final``."""
    signed: bool = True
    deadline: Positive = 15.0
    private_networks: list[str] = msgspec.field(default_factory=list)
    """Networks and addresses that are not public and may be reached all the same."""


class InboxConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[inbox]``: work that is stored before it is acknowledged, and done until it is done."""

    concurrency: Count = 256
    """Deliveries that are worked on at the same time."""
    retries: list[Positive] = msgspec.field(
        default_factory=lambda: [5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18_000.0, 36_000.0]
    )
    """Seconds after the first failure, the second, and so on; after the last one a delivery is dead."""
    order_wait: Positive = 60.0
    """How long a delivery may wait for the retries of an earlier one with its key."""
    lease: Positive = 60.0
    """What a process that died was working on is taken up by others after so long."""
    keep_done: Positive = 2_592_000.0
    keep_dead: Positive = 7_776_000.0
    max_body: Count = 1_048_576
    backed_up_after: Positive = 300.0
    """Health degrades when a delivery that is due waits longer than this."""
    source: list[SourceConfig] = msgspec.field(default_factory=list)
    handler: list[HandlerConfig] = msgspec.field(default_factory=list)
    destination: list[DestinationConfig] = msgspec.field(default_factory=list)


class PluginsConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[plugins]``: where functions of others are imported from, beside what is installed."""

    path: list[str] = msgspec.field(default_factory=list)


class ToolConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[tool]]``: a function that a voice agent may call while it talks."""

    name: ToolName = "call_history"
    use: str = ""
    """``package.module:name`` or a built-in's name; empty: the built-in of the tool's name."""
    deadline: Annotated[float, Meta(gt=0, le=25)] = 10.0
    """The agent gives up after thirty seconds."""
    at_once: Count = 10
    extensions: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of the extensions it may touch, matched whole; empty: none."""
    numbers: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of the numbers it may call and forward to, matched whole; empty: none."""
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class InboundConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[inbound]``: what a voice agent is told of a caller before it speaks."""

    use: str = "contacts"
    """``package.module:name`` or a built-in's name."""
    deadline: Annotated[float, Meta(gt=0, lt=2)] = 1.5
    """The caller hears nothing meanwhile, and the agent waits two seconds."""
    dynamic_variables: dict[str, str] = msgspec.field(default_factory=dict)
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class ElasticsearchConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[directory.elasticsearch]``: an Elasticsearch of version 8 or newer that looks for entries. Its secrets are
    ``elasticsearch-password`` where a ``user`` is named, else ``elasticsearch-api-key`` where there is one."""

    urls: list[str] = msgspec.field(default_factory=list)
    """Addresses of nodes of one cluster; empty: Parley's own engine is all there is."""
    index: Name = "parley-directory"
    """The alias of the index, whose own name begins like this."""
    user: str = ""
    ca_file: str = ""
    """A PEM file of authorities that are trusted beside the system's; empty: none."""
    timeout: Positive = 1.0
    """A search that takes longer is answered by Parley's own engine."""
    write_timeout: Positive = 30.0


class DirectoryConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[directory]``: services, people and teams, found by what somebody says."""

    synonyms: str = ""
    """A file of synonyms in Solr's syntax; empty: none."""
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """What scores less counts as not found, unless who searches says otherwise."""
    refresh_interval: Positive = 5.0
    """How often the store is asked whether entries have changed."""
    elasticsearch: ElasticsearchConfig = msgspec.field(default_factory=ElasticsearchConfig)


class MailConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[mail]``: how mail is sent, unless an admin has said otherwise.

    The password is the secret ``mail-password``.
    """

    host: str = ""
    """Empty: as an admin says, else not at all."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    sender: str = ""
    recipient: str = ""
    """Who gets what has no other recipient; empty: nobody."""
    ca_file: str = ""
    """Certificates that are trusted beside the system's."""
    timeout: Positive = 30.0
    """How long each answer of the mail server may take."""
    at_once: Count = 4
    """Letters that are handed over at the same time."""


class RedisConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[redis]``: what several Parleys remember together. The password is the secret ``redis-password``."""

    url: str = ""
    """``redis://user@host:6379/0``, or ``rediss://…`` over TLS; empty: the database remembers."""
    ca_file: str = ""
    """Authorities to trust for ``rediss`` beside the system's (PEM)."""
    prefix: str = "parley:"
    """What every key begins with."""
    timeout: Positive = 2.0
    """How long a connection or an answer may take; then Redis counts as away."""


class ChatbotServiceConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[chatbot.service]]``: something that people may ask the bot for."""

    name: ToolName = "tgday"
    """What people may always write for it."""
    use: str = ""
    """``package.module:name`` of a function or class, or a built-in's name; empty: the built-in of that name."""
    title: str = ""
    """What people read; empty: the built-in's, else the name."""
    words: list[str] = msgspec.field(default_factory=list)
    """What people may write for it beside name and title, so or nearly so."""
    code: str = ""
    """The code of the directory's services that stand for it; empty: its name."""
    role: Literal["", "viewer", "operator", "admin"] = ""
    """The least role that is offered it; empty: the built-in's, else viewer."""
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class WebexConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[chatbot.webex]``: the bot whose token is the secret ``webex-bot-token``; none without a ``webhook_url``."""

    webhook_url: str = ""
    """Where Webex reaches this Parley, ``https://host``: it delivers at ``/webhooks/<source>`` below that."""
    webhook_name: Annotated[str, Meta(pattern=r"^\S(?:.{0,98}\S)?\Z")] = "parley"
    """What our webhooks are called at Webex. Those of this name are ours, so no two installations share one."""
    source: Name = "webex"
    bot_name: str = ""
    bot_email: str = ""
    api_url: str = "https://webexapis.com/v1"
    timeout: Positive = 15.0
    reconcile_interval: Positive = 300.0
    read_back_age: Positive = 3600.0
    """What was said earlier than so long ago, and not heard then, is not answered any more."""
    read_back_messages: Count = 500


class ChatbotConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[chatbot]``: conversations."""

    silence: Positive = 180.0
    """Who writes nothing for so long begins anew."""
    deadline: Annotated[float, Meta(gt=0, le=60)] = 20.0
    """How long a service may take for one answer."""
    time_zone: str = "Asia/Seoul"
    """By whose clocks people say today and tomorrow."""
    console_url: str = ""
    """Where people open the console, for links to it; empty: none are given."""
    built_in: list[str] = msgspec.field(
        default_factory=lambda: ["people", "tgday", "mail", "forwarding", "dial", "on_the_phone", "todays_calls"]
    )
    """The built-in services that are offered, as far as what they need is there."""
    service: list[ChatbotServiceConfig] = msgspec.field(default_factory=list)
    webex: WebexConfig = msgspec.field(default_factory=WebexConfig)


class FallbackConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.fallback]``: what becomes of a caller whose app failed, hung or was lost, or whom none could take."""

    announcement: str = ""
    """Said to them first; empty: nothing."""
    file: str = ""
    """A recording of it, by its path as the switch sees it."""
    extension: str = ""
    """Where they are sent then; empty, or where that fails: the call is hung up."""
    patience: Positive = 20.0
    """The announcement is cut off after so long."""


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, Meta(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z")]


class OutgoingConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.outgoing]``: calls that Parley places into an app. None while nothing is ``allowed``."""

    allowed: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may be called, matched whole; empty: none."""
    refused: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of numbers that may not, whatever ``allowed`` says."""
    caller: str = ""
    """The number that people are shown."""
    ring_time: Positive = 30.0
    days: list[Day] = msgspec.field(default_factory=lambda: ["mon", "tue", "wed", "thu", "fri"])
    opens: TimeOfDay = "09:00"
    closes: TimeOfDay = "20:00"
    time_zone: str = "Asia/Seoul"
    per_user_per_hour: Count = 60
    per_hour: Count = 300
    at_once: Count = 20
    """Calls of this Parley that are not over at the same time, those included that were handed on to a person."""


class TakeoverConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.takeover]``: where operators may send the callers of live calls.

    To their own extension, as ``parley user extension`` has it, they always may, unless it is ``refused``.
    """

    allowed: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of extensions, matched whole; empty: none but their own."""
    refused: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of extensions to which nobody may send callers, whatever ``allowed`` says."""


class RenderingConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps.rendering]``: a program that makes sound files of what apps say; none without a ``command``."""

    command: list[str] = msgspec.field(default_factory=list)
    """The program and its arguments; ``{output}`` is the WAV file that it writes, ``{voice}`` the voice."""
    voice: str = ""
    folder: str = "/var/cache/parley/voice"
    switch_folder: str = ""
    """The same folder as the switch sees it; empty: by the same path."""
    max_bytes: Count = 1_073_741_824
    deadline: Positive = 5.0
    at_once: Count = 4
    """Programs that run at the same time."""
    otherwise: Literal["speak", "fail"] = "speak"
    """What becomes of a text that cannot be rendered: the switch speaks it, or the app is told."""


class CallAppConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[callapps.app]]``: an app, and the calls that are its own."""

    name: Name = "echo"
    use: str = ""
    """A built-in's name, or ``package.module:name`` of a function or class; empty: as if it did not stand there."""
    codes: list[str] = msgspec.field(default_factory=list)
    """The codes that a dialplan parks its calls with."""
    dids: list[str] = msgspec.field(default_factory=list)
    """Numbers dialled from outside, as the switch writes them."""
    did_patterns: list[str] = msgspec.field(default_factory=list)
    """Regular expressions of such numbers, matched whole; a number that stands in ``dids`` of another app is that's."""
    deadline: Positive = 900.0
    """How long it may take in all."""
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class CallAppsConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[callapps]``: programs that lead parked calls."""

    default: str = ""
    """The app of every parked call that is no other app's; empty: such calls are never touched."""
    at_once: Count = 500
    """Calls with an app at the same time; one more gets the fall-back."""
    recogniser: str = "brain_stt"
    """The vendor in ``[[speech.recogniser]]`` that is started on a call that is answered; empty: none."""
    barge_in_after: Positive = 0.5
    end_silence: Positive = 1.0
    no_input: Positive = 7.0
    too_long: Positive = 30.0
    between_digits: Positive = 3.0
    cleanup: Positive = 5.0
    """How long an app may take to end when its call has."""
    vanished_after: Positive = 30.0
    """How often the switch is asked whether the caller is still there."""
    recordings: dict[str, str] = msgspec.field(default_factory=dict)
    """Paths of sound files by the text that is said in them."""
    hold_music: str = ""
    """What a caller hears while a person is rung for them, by its path as the switch sees it; empty: nothing."""
    rendering: RenderingConfig = msgspec.field(default_factory=RenderingConfig)
    fallback: FallbackConfig = msgspec.field(default_factory=FallbackConfig)
    outgoing: OutgoingConfig = msgspec.field(default_factory=OutgoingConfig)
    takeover: TakeoverConfig = msgspec.field(default_factory=TakeoverConfig)
    app: list[CallAppConfig] = msgspec.field(default_factory=list)


class ScheduleConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``[[schedule]]``: something that is done whenever the clocks say so."""

    name: Name = "ask-tgday"
    cron: str = "0 9 1 * *"
    """Minute, hour, day of the month, month and day of the week, as crontab(5) has them."""
    time_zone: str = "Asia/Seoul"
    use: str = ""
    """A built-in's name or ``package.module:name``; empty: as if it did not stand there."""
    enabled: bool = True
    catch_up: Literal["skip", "latest", "all"] = "latest"
    """What becomes of firings that nobody was there for: none, the latest, or all are made up for."""
    catch_up_within: Annotated[float, Meta(gt=0, le=2_678_400)] = 86_400.0
    """Those that are older than that are not."""
    deadline: Positive = 60.0
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class Config(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    service: ServiceConfig = msgspec.field(default_factory=ServiceConfig)
    log: LogConfig = msgspec.field(default_factory=LogConfig)
    switch: list[SwitchConfig] = msgspec.field(default_factory=list)
    speech: SpeechConfig = msgspec.field(default_factory=SpeechConfig)
    calls: CallsConfig = msgspec.field(default_factory=CallsConfig)
    database: DatabaseConfig = msgspec.field(default_factory=DatabaseConfig)
    recorder: RecorderConfig = msgspec.field(default_factory=RecorderConfig)
    web: WebConfig = msgspec.field(default_factory=WebConfig)
    live: LiveConfig = msgspec.field(default_factory=LiveConfig)
    pbx: PbxConfig = msgspec.field(default_factory=PbxConfig)
    inbox: InboxConfig = msgspec.field(default_factory=InboxConfig)
    plugins: PluginsConfig = msgspec.field(default_factory=PluginsConfig)
    tool: list[ToolConfig] = msgspec.field(default_factory=list)
    inbound: InboundConfig = msgspec.field(default_factory=InboundConfig)
    directory: DirectoryConfig = msgspec.field(default_factory=DirectoryConfig)
    mail: MailConfig = msgspec.field(default_factory=MailConfig)
    callapps: CallAppsConfig = msgspec.field(default_factory=CallAppsConfig)
    schedule: list[ScheduleConfig] = msgspec.field(default_factory=list)
    redis: RedisConfig = msgspec.field(default_factory=RedisConfig)
    chatbot: ChatbotConfig = msgspec.field(default_factory=ChatbotConfig)
