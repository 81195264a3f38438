"""Tables as files that people open in a spreadsheet: comma-separated values (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A file with a header line. Whoever makes the rows sees to it that texts in them are :func:`harmless`.

    It begins with a byte order mark: without one, Excel takes Korean text for the system's code page.
    """
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """``cell`` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell
