"""What ingest asks of a place that holds images."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class SourceItem(NamedTuple):
    """One file of a source, before anybody has read it.

    Attributes:
        path: its name inside the source, for people: valid unicode with `/` between the parts.
        location: how the source finds it again.
        label: the class that the source gives it, None without one.
        split: `train`, `validation` or `test` where the source has its own split.
        group: where it comes from inside the source (a camera, a site); a slice of the evaluation.
        stamp: changes when the file does, without reading it (size and time, or an ETag); empty where
            nothing tells, so that the file has to be read each time.
        problem: why it cannot be read, where the listing shows that already.
        size: in bytes, where the listing knows.
    """

    path: str
    location: str
    label: str | None = None
    split: str | None = None
    group: str = ""
    stamp: str = ""
    problem: str = ""
    size: int | None = None


class ImageSource(Protocol):
    """A place that holds images. Sources cross process borders, so they must pickle."""

    @property
    def threads(self) -> int:
        """How many reads at once pay off: 1 on a local disk, more over a network."""

    def items(self) -> Iterator[SourceItem]:
        """List everything in it, in a stable order.

        Raises:
            InputError: the place is not there or cannot be listed.
        """

    def read(self, item: SourceItem) -> bytes:
        """Read one file; threads may do so at once.

        Raises:
            OSError: it cannot be read, or is not the one that was listed any more.
        """
