"""A CSV file that names images, their labels and splits."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cv_pipelines.errors import InputError
from cv_pipelines.images.sources.files import SPLIT_NAMES, read_file, stamp_and_problem
from cv_pipelines.images.sources.protocol import SourceItem


@dataclass(frozen=True)
class CsvSource:
    """Columns `path` (relative to the CSV file), and optionally `label`, `split`, `group`."""

    table: Path

    def items(self) -> Iterator[SourceItem]:
        """See ImageSource."""
        try:
            with self.table.open(newline="", encoding="utf-8-sig") as file:
                rows = csv.DictReader(file)
                if "path" not in (rows.fieldnames or []):
                    found = ", ".join(rows.fieldnames or []) or "none"
                    raise InputError("csv_columns", f"'{self.table}' needs a column 'path'; it has: {found}.")
                for row in rows:
                    yield self._item(row, rows.line_num)
        except OSError as error:
            raise InputError("no_table", f"'{self.table}' cannot be read: {error.strerror}.") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError("bad_csv", f"'{self.table}' is not a CSV file in UTF-8: {error}.") from error

    def read(self, item: SourceItem) -> bytes:
        """See ImageSource."""
        return read_file(item)

    def _item(self, row: dict[str, str | None], line: int) -> SourceItem:
        name = (row.get("path") or "").strip()
        split = (row.get("split") or "").strip().lower()
        path = self.table.parent / name
        if not name:
            stamp, problem = "", f"line {line} has no path"
        elif Path(name).is_absolute() or ".." in Path(name).parts:
            stamp, problem = "", f"line {line} points outside the folder of the CSV file"
        elif split and split not in SPLIT_NAMES:
            stamp, problem = "", f"line {line} has the unknown split '{split}'; use train, validation or test"
        else:
            stamp, problem = stamp_and_problem(path)
        return SourceItem(
            path=name or f"line {line}",
            location=str(path),
            label=(row.get("label") or "").strip() or None,
            split=SPLIT_NAMES.get(split),
            group=(row.get("group") or "").strip(),
            stamp=stamp,
            problem=problem,
        )
