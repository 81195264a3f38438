"""What services of the chatbot may ask for beside what the process supplies to all plugins."""

from __future__ import annotations

from typing import Final, Protocol

from daemon.calls.call import Call
from daemon.chatbot.known_people import KnownPeople
from daemon.config import ChatbotConfig


class LiveCalls(Protocol):
    """The calls that Parley follows."""

    def calls(self) -> list[Call]:
        """Every call in memory, live and recently ended. They change: read them before returning to the loop."""


OF_SERVICES: Final = frozenset({LiveCalls, ChatbotConfig, KnownPeople})
"""Their types: each service may ask for them."""
