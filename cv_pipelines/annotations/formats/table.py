"""Tables as text: what separates cells, decimal commas, and cells that a spreadsheet would run."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cv_pipelines.errors import InputError

_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_QUOTED = re.compile(r"^'+[=+\-@\t\r]")
_MOST_HEADER = 1 << 16
Row = Mapping[str, str]
UNEVEN = "\0uneven"
"""The column of rows that have more or fewer cells than the header."""


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows below the header, as the line each ends in and its cells by lower-case column.

    Cells are separated by what the header has most of: comma, semicolon or tab. A row of another length has
    the cell UNEVEN; the caller decides.

    Raises:
        InputError: `not_csv`.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(_MOST_HEADER)
        delimiter = max(",;\t", key=first.count)
        columns = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
        if not columns or "\0" in first:
            raise InputError("not_csv", f"'{path}' has no header: it is no CSV.")
        reader = csv.reader(file, delimiter=delimiter)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                line = reader.line_num + 1
                raise InputError("not_csv", f"'{path}' line {line}: not CSV: {error}.") from error
            if cells is None:
                return
            row = dict(zip(columns, cells, strict=False))
            if len(cells) != len(columns):
                row[UNEVEN] = "1"
            if cells:
                yield reader.line_num + 1, row


def guarded(text: str) -> str:
    """Text for a cell: what a spreadsheet would take for a formula gets an apostrophe before it.

    See https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text of a guarded cell."""
    return text[1:] if _QUOTED.match(text) else text
