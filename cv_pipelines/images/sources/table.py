"""A CSV file that names images, their labels and splits."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.ahead import map_ahead
from cv_pipelines.images.sources.files import MAX_BYTES, local_location, look_at, read_file
from cv_pipelines.images.sources.layout import SPLIT_NAMES
from cv_pipelines.images.sources.protocol import SourceItem
from cv_pipelines.remote.files import REMOTE, read_remote, remote_problem, remote_stamp
from cv_pipelines.remote.locations import scheme_of

_REMOTE_THREADS = 16
_Row = tuple[int, dict[str, str | None]]


@dataclass(frozen=True)
class CsvSource:
    """Columns `path` or `uri`, and optionally `label`, `split`, `group`.

    Attributes:
        table: the file; relative paths start in its folder, and stay there.
        url_allow: hosts and networks that URLs may lead to though they are not public.
        threads: see ImageSource.
    """

    table: Path
    url_allow: tuple[str, ...] = ()
    threads: int = 1

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        yield from map_ahead(self._item, self._rows(), self.threads)

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        if scheme_of(item.location) in REMOTE:
            return read_remote(item.location, item.stamp, self.url_allow, MAX_BYTES)
        return read_file(item)

    def _rows(self) -> Iterator[_Row]:
        """Number of the last line, and fields, of each row."""
        try:
            with self.table.open(newline="", encoding="utf-8-sig") as file:
                rows = csv.DictReader(file)
                if not {"path", "uri"} & set(rows.fieldnames or []):
                    found = ", ".join(rows.fieldnames or []) or "none"
                    message = f"'{self.table}' needs a column 'path' or 'uri'; it has: {found}."
                    raise InputError("csv_columns", message)
                for row in rows:
                    yield rows.line_num, row
        except OSError as error:
            raise InputError("no_table", f"'{self.table}' cannot be read: {error.strerror}.") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError("bad_csv", f"'{self.table}' is not a CSV file in UTF-8: {error}.") from error

    def _item(self, numbered: _Row) -> SourceItem:
        line, row = numbered
        name, split = _field(row, "uri") or _field(row, "path"), _field(row, "split").lower()
        is_remote = scheme_of(name) in REMOTE
        problem = _problem(name, split)
        item = SourceItem(
            name or f"line {line}",
            name if is_remote else local_location(str(self.table.parent / name)),
            _field(row, "label") or None,
            SPLIT_NAMES.get(split),
            _field(row, "group"),
            problem=problem and f"line {line} {problem}",
        )
        if problem:
            return item
        if is_remote:
            return item._replace(stamp=remote_stamp(name, self.url_allow))
        stamp, problem, size = look_at((self.table.parent / name).stat, name)
        return item._replace(stamp=stamp, problem=problem, size=size)


def csv_source(table: Path, url_allow: tuple[str, ...] = ()) -> CsvSource:
    """The source of a table; one with a column `uri` is read with several threads."""
    with suppress(OSError, UnicodeDecodeError, csv.Error), table.open(newline="", encoding="utf-8-sig") as file:
        if "uri" in next(csv.reader(file), []):
            return CsvSource(table, url_allow, _REMOTE_THREADS)
    return CsvSource(table, url_allow)


def _field(row: dict[str, str | None], name: str) -> str:
    return (row.get(name) or "").strip()


def _problem(name: str, split: str) -> str:
    """What is wrong with a row, as the end of a sentence; empty where nothing is."""
    if not name:
        return "has no path"
    if split and split not in SPLIT_NAMES:
        return f"has the unknown split '{split}'; use train, validation or test"
    if scheme_of(name):
        return remote_problem(name)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return "points outside the folder of the CSV file"
    return ""
