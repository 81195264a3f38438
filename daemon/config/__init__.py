"""The typed configuration: every key, its type, its default and its bounds. Durations are float seconds.

The tables of each room stand in a file of its name.
"""

from __future__ import annotations

import msgspec

from daemon.config.callapps import (
    CallAppConfig,
    CallAppsConfig,
    Day,
    FallbackConfig,
    OutgoingConfig,
    RenderingConfig,
    TakeoverConfig,
)
from daemon.config.chatbot import ChatbotConfig, ChatbotServiceConfig, WebexConfig
from daemon.config.directory import DirectoryConfig, ElasticsearchConfig
from daemon.config.inbox import DestinationConfig, HandlerConfig, InboxConfig, SourceConfig
from daemon.config.mail import MailConfig
from daemon.config.pbx import ClickToCallConfig, PbxConfig, PbxHeaderConfig, PbxServerConfig, PbxTenantConfig
from daemon.config.schedules import ScheduleConfig
from daemon.config.service import LogConfig, PluginsConfig, ServiceConfig
from daemon.config.stores import DatabaseConfig, RecorderConfig, RedisConfig
from daemon.config.switch import CallsConfig, RecogniserConfig, SpeechConfig, SwitchConfig
from daemon.config.tools import InboundConfig, ToolConfig
from daemon.config.values import Role
from daemon.config.web import ListenerConfig, LiveConfig, WebConfig

__all__ = [
    "CallAppConfig",
    "CallAppsConfig",
    "ChatbotConfig",
    "ChatbotServiceConfig",
    "ClickToCallConfig",
    "Config",
    "DatabaseConfig",
    "Day",
    "DestinationConfig",
    "DirectoryConfig",
    "ElasticsearchConfig",
    "FallbackConfig",
    "HandlerConfig",
    "InboundConfig",
    "InboxConfig",
    "ListenerConfig",
    "LiveConfig",
    "LogConfig",
    "MailConfig",
    "OutgoingConfig",
    "PbxConfig",
    "PbxHeaderConfig",
    "PbxServerConfig",
    "PbxTenantConfig",
    "RecogniserConfig",
    "RecorderConfig",
    "RedisConfig",
    "RenderingConfig",
    "Role",
    "ScheduleConfig",
    "ServiceConfig",
    "SourceConfig",
    "SpeechConfig",
    "SwitchConfig",
    "TakeoverConfig",
    "ToolConfig",
    "WebConfig",
    "WebexConfig",
]


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
