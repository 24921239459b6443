"""Pages from templates: everything in them is escaped unless it is ours."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined


def duration(seconds: float) -> str:
    """A length of time as people say it: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


_FOLDER = Path(__file__).parent / "templates"
_environment = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["number"] = lambda value: f"{value:,}"
_environment.filters["percent"] = lambda share: f"{share:.1%}"
_environment.filters["duration"] = duration


def render(
    request: Request, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """Fill in a template; it knows who asks (`identity`, None perhaps) and the `csrf` token of their session."""
    state = request.scope.get("state", {})
    known = {"identity": state.get("identity"), "csrf": state.get("csrf", "")}
    page = _environment.get_template(template).render(**known, **values)
    return HTMLResponse(page, status, headers)
