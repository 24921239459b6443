"""What commands print: tables for people, JSON for programs, one line for a mistake."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cv_pipelines.errors import CvError

Command = TypeVar("Command", bound=Callable[..., Any])

# in a pipe or a file nothing is gained by breaking lines
console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)


class ErrorGroup(click.Group):
    """A group whose commands end in one line and exit status 1 when something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors never show a traceback."""
        try:
            return super().invoke(ctx)
        except CvError as error:
            fail(error.user_message)
        except SQLAlchemyError as error:
            fail(f"The database: {str(error).splitlines()[0]}")
        except OSError as error:
            if error.filename is None:
                raise
            fail(f"'{error.filename}': {error.strerror}.")


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1."""
    errors.print(f"[bold red]Error:[/] {escape(printable(message))}", soft_wrap=True)
    sys.exit(1)


def json_option(command: Command) -> Command:
    """Give a command `--json`, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def print_json(value: Any) -> None:
    """Print a value as JSON; times as messages have them: 2030-01-31T12:00:00Z."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: object) -> str:
    """What JSON has no type for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows; a column whose name ends in `#` is numbers."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        numeric = column.endswith("#")
        table.add_column(column.rstrip("#"), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(show(value)) for value in row))
    console.print(table)


def show(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    if value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return printable(str(value))


def printable(text: str) -> str:
    """Text without what a terminal would obey: names of files come from strangers."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
