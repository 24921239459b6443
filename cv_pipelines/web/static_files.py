"""Styles and modules of the pages, at addresses that change with what is in them: a browser asks for each once."""

import mimetypes
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_FOLDER = Path(__file__).parent / "static"
_KEPT = "public, max-age=31536000, immutable"


class KeptFiles:
    """Answers with the files of this release: they are few and small, and so held in memory."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        path = scope["path"].removeprefix(f"{prefix()}/")
        data = _files().get(path)
        if data is None:
            raise HTTPException(404)
        kind = mimetypes.guess_type(path)[0]
        await Response(data, 200, {"Cache-Control": _KEPT}, media_type=kind)(scope, receive, send)


@cache
def _files() -> dict[str, bytes]:
    """What all files hold, by their paths."""
    found = sorted(path for path in _FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}


@cache
def prefix() -> str:
    """What the address of every file begins with, without a slash at the end."""
    content = sha256()
    for path, data in _files().items():
        content.update(f"{path} {len(data)}\n".encode() + data)
    return f"/static/{content.hexdigest()[:16]}"


def static(path: str) -> str:
    """The address of a file."""
    return f"{prefix()}/{path}"
