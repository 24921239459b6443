"""Pages from templates: everything in them is escaped unless it is ours."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cv_pipelines.web.static_files import static
from cv_pipelines.web.words import decimals, duration, kappa_word, percent, share

_FOLDER = Path(__file__).parent / "templates"
_environment = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "number": lambda value: f"{value:,}",
    "duration": duration,
    "percent": percent,
    "share": share,
    "decimals": decimals,
    "kappa_word": kappa_word,
}
_environment.globals["static"] = static


def render(
    request: Request, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """Fill in a template; it knows who asks (`identity`, None perhaps) and the `csrf` token of their session."""
    state = request.scope.get("state", {})
    known = {"identity": state.get("identity"), "csrf": state.get("csrf", "")}
    page = _environment.get_template(template).render(**known, **values)
    return HTMLResponse(page, status, headers)
