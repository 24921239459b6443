"""Requests that change something come from our own pages, or from programs with a token of their own.

Two walls, either of which would do (OWASP, Cross-Site Request Forgery Prevention): what the browser says of the
page that a request comes from, and a token in each form that only our pages know.
"""

import hashlib
import hmac

from fastapi import Request
from starlette.datastructures import UploadFile

from cv_pipelines.web.problems import Refused

SAFE = ("GET", "HEAD", "OPTIONS")
HEADER = "X-CSRF-Token"
FIELD = "csrf"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(session: str) -> str:
    """What the forms of a session carry: it follows from the cookie, and the cookie does not follow from it."""
    return hmac.digest(session.encode(), b"csrf", hashlib.sha256).hex()


async def require_csrf_token(request: Request, session: str) -> None:
    """Make sure that a request with the cookie of a session comes from a page of it.

    Forms are sent by POST: the body of anything else may be a large file, and is left alone.

    Raises:
        Refused: 403, code `csrf`.
    """
    if request.method in SAFE:
        return
    given: str | UploadFile | None = request.headers.get(HEADER)
    if (
        given is None
        and request.method == "POST"
        and request.headers.get("content-type", "").partition(";")[0].strip().lower() in _FORMS
    ):
        given = (await request.form()).get(FIELD)
    expected = csrf_token(session)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused(403, "csrf", "This form is of an earlier session. Go back, reload the page, and try again.")


def foreign_origin(method: str, headers: dict[bytes, bytes], scheme: str) -> bool:
    """Whether a browser says that a request that changes something comes from a page of another site."""
    if method in SAFE:
        return False
    if headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
        return True
    origin = headers.get(b"origin")
    return origin is not None and origin.lower() != scheme.encode() + b"://" + headers.get(b"host", b"").lower()
