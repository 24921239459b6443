"""From a URL to the object store that it names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from cv_pipelines.errors import InputError
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.protocol import ObjectStore


def open_store(url: str) -> ObjectStore:
    """Open the store at `url` (`file:///folder`).

    Raises:
        InputError: the scheme is not one that we have.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return LocalStore(Path(unquote(parts.path)))
    raise InputError("store_url", f"CV_STORE_URL: '{url}' is not a store we know; use file:///absolute/folder.")
