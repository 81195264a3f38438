"""Tables as files that people open in a spreadsheet: comma-separated values (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula begins with. The signs of full width are taken for the plain ones where people write in them."""


class RowError(ValueError):
    """The row that begins on ``line`` cannot be read; where the next one begins nobody can tell."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: the row cannot be read ({reason})")
        self.line = line


def csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins on: one in quotes may go over several. Raises :class:`RowError`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RowError(line, str(error)) from error
        yield line, cells


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
