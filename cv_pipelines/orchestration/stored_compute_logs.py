"""What steps print, in the object store: the UI shows it whichever machine the step ran on."""

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from dagster._core.storage.cloud_storage_compute_log_manager import (
    PollingComputeLogSubscriptionManager,
    TruncatingCloudStorageComputeLogManager,
)
from dagster._core.storage.compute_log_manager import CapturedLogSubscription, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager

from cv_pipelines.errors import CvError
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.protocol import ObjectStore

PREFIX = "compute-logs"
UPLOAD_SECONDS = 10
"""How far what the UI shows of a running step lags behind."""


class StoredComputeLogs(TruncatingCloudStorageComputeLogManager[Any]):
    """Captures into local files and sends them to the store: every some seconds, and at the end of the step."""

    def __init__(self, local: LocalComputeLogManager, store_url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._local = local
        self._store_url = store_url
        self._subscriptions = PollingComputeLogSubscriptionManager(self)

    @cached_property
    def _store(self) -> ObjectStore:
        """Opened late: most processes that open the instance never look at logs."""
        return open_store(self._store_url)

    @property
    def local_manager(self) -> LocalComputeLogManager:
        """Where this machine captures."""
        return self._local

    @property
    def upload_interval(self) -> int:
        """Seconds between two uploads of a running step's output."""
        return UPLOAD_SECONDS

    def display_path_for_type(self, log_key: Sequence[str], io_type: ComputeIOType) -> str:
        """Where it is, for people."""
        return f"{self._store_url.rstrip('/')}/{_key(log_key, io_type)}"

    def download_url_for_type(self, log_key: Sequence[str], io_type: ComputeIOType) -> str:
        """Where the UI's server hands it out."""
        return str(self._local.get_captured_log_download_url(log_key, io_type))

    def cloud_storage_has_logs(
        self, log_key: Sequence[str], io_type: ComputeIOType, partial: bool = False
    ) -> bool:
        """Say whether the store has the whole of it, or with `partial` what a running step has printed."""
        return self._store.exists(_key(log_key, io_type, partial))

    def _upload_file_obj(
        self, data: IO[bytes], log_key: Sequence[str], io_type: ComputeIOType, partial: bool = False
    ) -> None:
        self._store.replace(_key(log_key, io_type, partial), data.read())
        if not partial:
            self._store.delete(_key(log_key, io_type, partial=True))

    def download_from_cloud_storage(
        self, log_key: Sequence[str], io_type: ComputeIOType, partial: bool = False
    ) -> None:
        """Fetch it into the local file that the UI's server reads."""
        path = Path(self._local.get_captured_local_path(log_key, IO_TYPE_EXTENSION[io_type], partial))
        LocalStore(path.parent).replace(path.name, self._store.get(_key(log_key, io_type, partial)))

    def delete_logs(self, log_key: Sequence[str] | None = None, prefix: Sequence[str] | None = None) -> None:
        """Delete one log, or all below a prefix, here and in the store."""
        self._local.delete_logs(log_key, prefix)
        start = f"{'/'.join([PREFIX, *log_key])}." if log_key else f"{'/'.join([PREFIX, *(prefix or ())])}/"
        for stored in list(self._store.objects(start)):
            self._store.delete(stored.key)

    def get_log_keys_for_log_key_prefix(
        self, log_key_prefix: Sequence[str], io_type: ComputeIOType
    ) -> Sequence[list[str]]:
        """The logs directly below a prefix."""
        start = f"{'/'.join([PREFIX, *log_key_prefix])}/"
        names = (stored.key.removeprefix(start) for stored in self._store.objects(start))
        ending = f".{IO_TYPE_EXTENSION[io_type]}"
        return [
            [*log_key_prefix, name.removesuffix(ending)]
            for name in names
            if name.endswith(ending) and "/" not in name
        ]

    def on_progress(self, log_key: Sequence[str]) -> None:
        """Send what there is; a store that is away for a moment does not end the sending."""
        try:
            super().on_progress(log_key)  # type: ignore[no-untyped-call]
        except CvError as error:
            logging.getLogger(__name__).warning("Output of a running step is not sent: %s", error.user_message)

    def on_subscribe(self, subscription: CapturedLogSubscription) -> None:
        """Follow a log for somebody who watches it."""
        self._subscriptions.add_subscription(subscription)

    def on_unsubscribe(self, subscription: CapturedLogSubscription) -> None:
        """Follow it no longer."""
        self._subscriptions.remove_subscription(subscription)

    def dispose(self) -> None:
        """Stop following."""
        self._subscriptions.dispose()
        self._local.dispose()


def _key(log_key: Sequence[str], io_type: ComputeIOType, partial: bool = False) -> str:
    return f"{'/'.join([PREFIX, *log_key])}.{IO_TYPE_EXTENSION[io_type]}{'.partial' if partial else ''}"
