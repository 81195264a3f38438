"""What Vox.ai asks not to keep of a call: a body without it, every other byte as it came.

A call with ``opt_out_sensitive_data_storage`` keeps no transcript, tool calls included, no analysis, no dynamic
variables and no recording. The flag and what it is about are looked for at any depth, because versions 1 and 2 and
events that nobody has described have them in different places. ``metadata`` is the customer's own and stays as it is.
"""

from __future__ import annotations

import re

from protocols.webhooks.json_members import Member, cut_members, find_members, read_text

_OPT_OUT = "opt_out_sensitive_data_storage"
_YES = frozenset({"true", "1", "1.0", "yes"})
_SENSITIVE = re.compile(
    r"(.*_)?transcripts?(_.*)?|(.*_)?recordings?(_.*)?_(ur[il]s?|links?|files?)|(.*_)?recordings?|(.*_)?dynamic_variables"
    r"|(.*_)?analysis(_.*)?|tool_calls?(_.*)?|(call_)?summary|(user_)?sentiment",
    re.IGNORECASE | re.DOTALL,
)
_OWN = "metadata"
# The flag with anything but a no behind it. Only escapes of its letters could write it otherwise.
_FLAG = re.compile(rb'opt_out_sensitive_data_storage(?!"[ \t\r\n]*:[ \t\r\n]*(?:false|null|0)\b)')
_ESCAPE = re.compile(rb"\\u00([2-7][0-9a-fA-F])")


def redact(body: bytes, *, opted_out: bool = False) -> tuple[bytes, bool]:
    """``body`` as it may be kept, and whether its call is one that opted out: by its own word, or as is known.

    A body of one that did not comes back as it is. Of one that did, or that names the flag, nothing is kept where it is
    no JSON object: nobody can say what stands in it.
    """
    if not opted_out and _FLAG.search(body) is None and _FLAG.search(_unescaped(body)) is None:
        return body, False
    members = find_members(body)
    if not members:
        return b"", True
    if not (opted_out or any(_opts_out(body, member) for member in members)):
        return body, False
    owned = _owned(members)
    doomed = [
        member for member, own in zip(members, owned, strict=True) if not own and _SENSITIVE.fullmatch(member.key)
    ]
    return cut_members(body, members, doomed), True


def _unescaped(body: bytes) -> bytes:
    """``body`` with its ASCII letters written plainly, to look something up in."""
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), body)


def _opts_out(body: bytes, member: Member) -> bool:
    if member.key != _OPT_OUT:
        return False
    value = body[member.value : member.end]
    said = read_text(value) if value.startswith(b'"') else value.decode(errors="replace")
    return said.strip().lower() in _YES


def _owned(members: list[Member]) -> list[bool]:
    """Of each member whether it is inside metadata. An owner comes before what it owns."""
    owned: list[bool] = []
    for member in members:
        owner = member.owner
        owned.append(owner >= 0 and (owned[owner] or members[owner].key == _OWN))
    return owned
