"""One channel of a simulated Asterisk, and what every event of it carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from daemon.demo.pbx_wire import Fields

DOWN: Final = 0
RING: Final = 4
RINGING: Final = 5
UP: Final = 6
BUSY: Final = 7

_STATES: Final = {DOWN: "Down", RING: "Ring", RINGING: "Ringing", UP: "Up", BUSY: "Busy"}
_UNKNOWN: Final = "<unknown>"

CAUSES: Final = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    34: "Circuit/channel congestion",
}
"""Q.850 causes by the text that Asterisk gives them."""


@dataclass(kw_only=True, eq=False)
class PbxChannel:
    """``linkedid`` is the ``uniqueid`` of the first channel of its call. ``started_at`` is Unix seconds."""

    name: str
    uniqueid: str
    linkedid: str
    context: str
    exten: str
    started_at: float
    state: int = DOWN
    caller_number: str = ""
    caller_name: str = ""
    connected_number: str = ""
    connected_name: str = ""
    language: str = "en"
    account_code: str = ""
    priority: int = 1
    application: str = ""
    application_data: str = ""
    bridge_id: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def headers(self, prefix: str = "") -> Fields:
        """What its events carry, each name behind ``prefix`` (``Dest``, ``LocalOne``)."""
        fields = [
            ("Channel", self.name),
            ("ChannelState", str(self.state)),
            ("ChannelStateDesc", _STATES[self.state]),
            ("CallerIDNum", self.caller_number or _UNKNOWN),
            ("CallerIDName", self.caller_name or _UNKNOWN),
            ("ConnectedLineNum", self.connected_number or _UNKNOWN),
            ("ConnectedLineName", self.connected_name or _UNKNOWN),
            ("Language", self.language),
            ("AccountCode", self.account_code),
            ("Context", self.context),
            ("Exten", self.exten),
            ("Priority", str(self.priority)),
            ("Uniqueid", self.uniqueid),
            ("Linkedid", self.linkedid),
        ]
        return [(prefix + name, value) for name, value in fields]
