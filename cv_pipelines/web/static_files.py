"""Styles and modules of the pages, at addresses that change with what is in them: a browser asks for each once."""

import os
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOLDER = Path(__file__).parent / "static"
_KEPT = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r'^(?:import .*|\} )?from "(\.[^"]+)";$', re.MULTILINE)


class KeptFiles(StaticFiles):
    """The files of this release, for browsers to keep."""

    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """See StaticFiles."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = _KEPT
        return response


@cache
def prefix() -> str:
    """What the address of every file begins with, without a slash at the end."""
    content = sha256()
    for file in sorted(path for path in _FOLDER.rglob("*") if path.is_file()):
        data = file.read_bytes()
        content.update(f"{file.relative_to(_FOLDER)} {len(data)}\n".encode() + data)
    return f"/static/{content.hexdigest()[:16]}"


def static(path: str) -> str:
    """The address of a file."""
    return f"{prefix()}/{path}"


@cache
def modules(path: str) -> tuple[str, ...]:
    """The addresses of a module and of all that it imports: a browser that is told fetches them at once."""
    found, new = dict[Path, None](), [_FOLDER / path]
    while new:
        file = new.pop()
        if file not in found:
            found[file] = None
            new += [(file.parent / other).resolve() for other in _IMPORT.findall(file.read_text())]
    return tuple(static(file.relative_to(_FOLDER).as_posix()) for file in found)
