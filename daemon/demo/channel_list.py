"""``show channels``: the switch's own list of its channels, in its three formats."""

from __future__ import annotations

import json
from collections.abc import Sequence

from daemon.demo.channel import Channel
from daemon.demo.core import SWITCHNAME, local_stamp

Row = dict[str, str]

# fmt: off
COLUMNS = (
    "uuid", "direction", "created", "created_epoch", "name", "state", "cid_name", "cid_num", "ip_addr", "dest",
    "application", "application_data", "dialplan", "context", "read_codec", "read_rate", "read_bit_rate",
    "write_codec", "write_rate", "write_bit_rate", "secure", "hostname", "presence_id", "presence_data", "accountcode",
    "callstate", "callee_name", "callee_num", "callee_direction", "call_uuid", "sent_callee_name", "sent_callee_num",
    "initial_cid_name", "initial_cid_num", "initial_ip_addr", "initial_dest", "initial_dialplan", "initial_context",
)
# fmt: on
"""Every column, in order; those that a row has nothing for are empty."""


def row_of(channel: Channel) -> Row:
    """A channel's row."""
    profile = channel.profile
    pcmu = {"codec": "PCMU", "rate": "8000", "bit_rate": "64000"} if channel.has_media else {}
    codec = {f"{way}_{name}": value for way in ("read", "write") for name, value in pcmu.items()}
    sent = channel.other.profile if channel.other is not None and not channel.outbound else None
    known = {
        "uuid": channel.uuid,
        "direction": profile.direction,
        "created": local_stamp(channel.times.created),
        "created_epoch": str(int(channel.times.created)),
        "name": profile.channel_name,
        "state": channel.state,
        "cid_name": profile.name,
        "cid_num": profile.number,
        "ip_addr": profile.network_address,
        "dest": profile.destination,
        "application": str(channel.variables.get("current_application", "")),
        "application_data": str(channel.variables.get("current_application_data", "")),
        "dialplan": profile.dialplan,
        "context": profile.context,
        **codec,
        "hostname": SWITCHNAME,
        "callstate": channel.call_state,
        "callee_name": profile.callee_name,
        "callee_num": profile.callee_number,
        "callee_direction": "SEND" if sent else "",
        "call_uuid": channel.call_uuid if channel.other is not None or channel.originator is not None else "",
        "sent_callee_name": sent.callee_name if sent else "",
        "sent_callee_num": sent.callee_number if sent else "",
        "initial_cid_name": profile.name,
        "initial_cid_num": profile.number,
        "initial_ip_addr": profile.network_address,
        "initial_dest": channel.first_destination,
        "initial_dialplan": profile.dialplan,
        "initial_context": profile.context,
    }
    return {column: known.get(column, "") for column in COLUMNS}


def as_json(rows: Sequence[Row]) -> str:
    """``show channels as json``. Without any channel there is no ``rows``, and a line feed."""
    if not rows:
        return '{"row_count": 0}\n'
    return json.dumps({"row_count": len(rows), "rows": rows}, ensure_ascii=False, separators=(",", ":"))


def as_csv(rows: Sequence[Row]) -> str:
    """``show channels``: commas are not escaped, as on the switch."""
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)] if rows else []
    return "".join(f"{line}\n" for line in lines) + f"\n{len(rows)} total.\n"


def as_xml(rows: Sequence[Row]) -> str:
    """``show channels as xml``: characters past ASCII as numbers."""
    lines = [f'<result row_count="{len(rows)}">']
    for number, row in enumerate(rows, start=1):
        lines.append(f'  <row row_id="{number}">')
        lines += [f"    <{name}>{_escaped(value)}</{name}>" for name, value in row.items()]
        lines.append("  </row>")
    return "\n".join([*lines, "</result>", ""])


def shown(rows: Sequence[Row], words: Sequence[str]) -> str:
    """The output of ``show channels`` with the words that follow: ``as json``, ``as xml``, ``count``."""
    if "count" in words:
        return f"\n{len(rows)} total.\n"
    if "json" in words:
        return as_json(rows)
    return as_xml(rows) if "xml" in words else as_csv(rows)


def _escaped(value: str) -> str:
    for raw, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        value = value.replace(raw, safe)
    return "".join(char if char.isascii() else f"&#x{ord(char):X};" for char in value)
