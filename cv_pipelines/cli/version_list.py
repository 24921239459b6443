"""The versions of something, newest first, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from cv_pipelines.cli.output import console, print_json, print_table

_KNOWN = ("version", "current", "restored", "made_at")


def print_versions(rows: Sequence[Mapping[str, Any]], as_json: bool, none_yet: str) -> None:
    """Print versions.

    Args:
        rows: of each `version`, `current`, `made_at`, and perhaps `restored`; then numbers by their names.
        as_json: for programs.
        none_yet: what to say where there are none.
    """
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print(none_yet)
        return
    numbers = [name for name in rows[0] if name not in _KNOWN]
    columns = ["version", "", "made", *(f"{name}#" for name in numbers)]
    shown = [[row["version"], _mark(row), row["made_at"], *(row[name] for name in numbers)] for row in rows]
    print_table(columns, shown)


def _mark(row: Mapping[str, Any]) -> str:
    if not row["current"]:
        return ""
    return "current, restored" if row.get("restored") else "current"
