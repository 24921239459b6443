"""Labels of many images on disk, so that their number does not matter to memory."""

import os
import tempfile
from collections.abc import Iterator


class Spool:
    """What is said of each image, in the form of store/content.py: found by image, or one after another."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __len__(self) -> int:
        return len(self._places)

    def put(self, image_id: str, content: str) -> None:
        """Keep what is said of an image that has not been put before.

        Raises:
            UnicodeEncodeError: it holds half of a pair of UTF-16, which no text file can.
        """
        data = content.encode()
        self._file.write(data)
        self._places[image_id] = self._end, len(data)
        self._end += len(data)

    def get(self, image_id: str) -> str | None:
        """What is said of an image, None where nothing is."""
        place = self._places.get(image_id)
        if place is None:
            return None
        self._file.flush()
        return os.pread(self._file.fileno(), place[1], place[0]).decode()

    def items(self) -> Iterator[tuple[str, str]]:
        """Images and what is said of them, in the order in which they were put."""
        self._file.flush()
        with os.fdopen(os.dup(self._file.fileno()), "rb") as file:
            file.seek(0)
            for image_id, (_, length) in self._places.items():
                yield image_id, file.read(length).decode()
