"""From a URL to the object store that it names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from cv_pipelines.errors import InputError
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.protocol import ObjectStore
from cv_pipelines.storage.s3 import open_s3


def open_store(url: str) -> ObjectStore:
    """Open the store at `url`: `file:///folder` or `s3://bucket/prefix`.

    Raises:
        InputError: the URL names no store that we know, or a bucket that is not there or not for us.
        InfrastructureError: the server of the bucket does not answer.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc and not (parts.query or parts.fragment):
        folders = [folder for folder in parts.path.split("/") if folder]
        return open_s3(parts.netloc, "".join(f"{folder}/" for folder in folders))
    message = f"CV_STORE_URL: '{url}' is not a store we know; use file:///absolute/folder or s3://bucket/prefix."
    raise InputError("store_url", message)
