"""Tables as text: what separates cells, decimal commas, and cells that a spreadsheet would run."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError

_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_QUOTED = re.compile(r"^'+[=+\-@\t\r]")
_MOST_HEADER = 1 << 16
_EVERY = 50_000
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


def take_rows(
    source: Path, exchange: Exchange, needed: Sequence[Sequence[str]], take: Callable[[Row], None]
) -> None:
    """Hand over a table row by row; what is wrong with one goes into the report.

    Args:
        source: the table.
        exchange: with the report; told of rows.
        needed: columns that there must be, each under any one of its names.
        take: takes a row; what it raises as an ItemError is about this row.

    Raises:
        InputError: `not_csv`; `wrong_format`: a column is missing.
    """
    for number, (line, row) in enumerate(rows_of(source)):
        missing = next((names[0] for names in needed if not any(name.lower() in row for name in names)), None)
        if missing and not number:
            message = f"'{source}' has no column '{missing}': its columns are {', '.join(row)[:200]}."
            raise InputError("wrong_format", message)
        if not number % _EVERY:
            exchange.progress("rows", number)
        with exchange.report.item(f"{source.name}:{line}"):
            if UNEVEN in row:
                raise ItemError("bad_row", "as many cells as the header has are expected; quote decimal commas")
            take(row)


def guarded(text: str) -> str:
    """Text for a cell: what a spreadsheet would take for a formula gets an apostrophe before it.

    See https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text of a guarded cell."""
    return text[1:] if _QUOTED.match(text) else text
