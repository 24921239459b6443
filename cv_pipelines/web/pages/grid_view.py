"""What the templates of a grid need beside its page: addresses of other pages, sizes, words."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from cv_pipelines.web.labelling.queue_page import QueuePage
from cv_pipelines.web.labelling.queues import Choice
from cv_pipelines.web.pages.classes import classes_json
from cv_pipelines.web.pages.labels import counts_json
from cv_pipelines.web.templating import render
from cv_pipelines.web.tokens import Identity, Role

SIDES = (64, 96, 128, 160, 192, 224, 256)
"""Of pictures as they are shown, in pixels."""
_USUAL = 160
_COOKIE = "cv_side"
"""Where a browser keeps the size that was chosen last: the page comes in it, and nothing jumps."""
_PICTURES = (96, 160, 256)
"""Pixels of the thumbnails behind them."""
QUEUES = {
    "all": "all",
    "unlabelled": "unlabelled",
    "unsure": "unsure",
    "asked": "asked for",
    "disagreement": "in dispute",
    "mine": "mine",
    "quarantined": "quarantined",
}
SORTS = {
    "": "usual",
    "id": "mixed",
    "name": "name",
    "unsure": "least sure first",
    "newest": "newest label",
}


def render_grid(
    request: Request, who: Identity, name: str, page: QueuePage, choice: Choice, fragment: bool, **more: Any
) -> Response:
    """A page of a grid, or of it the part that paging replaces."""
    side = _side(request.cookies.get(_COOKIE, ""))
    values = {
        "name": name,
        "page": page,
        "choice": choice,
        "classes": classes_json(page.classes),
        "counts": counts_json(page.counts),
        "query": query_of,
        "queues": QUEUES.items(),
        "sorts": SORTS.items(),
        "sides": SIDES,
        "side": side,
        "pixels": next(pixels for pixels in _PICTURES if pixels >= side),
        "may_label": who.role >= Role.ANNOTATOR,
    }
    headers = {"Vary": "X-Fragment"}
    return render(request, "tiles.html" if fragment else "images.html", headers=headers, **values, **more)


def query_of(choice: Choice, after: str = "", before: str = "", plain: bool = False) -> str:
    """The query of an address that leads to a page of a queue; without what is usual.

    Args:
        choice: of the queue.
        after: cursor of what comes before the page.
        before: cursor of what comes after it.
        plain: without search and filters.
    """
    given = {
        "queue": "" if choice.queue == "all" else choice.queue,
        "sort": choice.sort,
        "q": "" if plain else choice.search,
        "label": "" if plain or choice.label is None else choice.label,
        "hide": "labelled" if choice.hide_labelled and not plain else "",
        "after": after,
        "before": before,
    }
    return "?" + urlencode({key: value for key, value in given.items() if value != ""})


def _side(kept: str) -> int:
    return int(kept) if kept in map(str, SIDES) else _USUAL
