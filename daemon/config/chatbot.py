"""The chatbot and its services."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from daemon.config.values import Count, Name, Positive, ToolName


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
