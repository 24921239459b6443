"""How much data sets have got by uploading: counted now and then, not for every file."""

import time
from dataclasses import dataclass, field

from cv_pipelines.web.uploading.uploads import Uploads

COUNT_SECONDS = 60.0
"""What other processes have taken is known after this time: a data set may get too much by so much."""
_MOST = 1000


@dataclass
class Usage:
    """Bytes by data set, as this process knows them."""

    _known: dict[str, tuple[float, int]] = field(default_factory=dict)

    def of(self, uploads: Uploads) -> int:
        """Bytes that the uploads of a data set take."""
        counted, size = self._known.get(uploads.location, (float("-inf"), 0))
        if time.monotonic() - counted > COUNT_SECONDS:
            if len(self._known) >= _MOST:
                self._known.clear()
            size = uploads.used()[1]
            self._known[uploads.location] = (time.monotonic(), size)
        return size

    def add(self, uploads: Uploads, size: int) -> None:
        """Note what has come since it was counted."""
        counted, known = self._known.get(uploads.location, (float("-inf"), 0))
        self._known[uploads.location] = (counted, known + size)

    def forget(self, uploads: Uploads) -> None:
        """Count anew when somebody asks: nobody knows how much has come."""
        self._known.pop(uploads.location, None)
