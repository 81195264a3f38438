"""``show channels``: the switch's own list of its channels, in its three formats."""

from __future__ import annotations

import json
from collections.abc import Sequence

Row = dict[str, str]


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
