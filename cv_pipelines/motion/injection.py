"""Taking videos that were found into the archive, and telling which of them have to be analysed."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import CvError, InputError
from cv_pipelines.motion.results import DUE, State, states_of
from cv_pipelines.progress import Progress, silent
from cv_pipelines.settings import load_settings
from cv_pipelines.videos.archive import AT_ONCE, Registered, register_videos, require_archivable, video_key
from cv_pipelines.videos.listing import ListedVideo
from cv_pipelines.videos.video import find_video

_REQUESTS = 32
"""Servers asked at once."""


@dataclass
class Found:
    """What came of a listing.

    Attributes:
        videos: how many were looked at.
        new: how many the archive did not know.
        changed: how many have another version than before.
        current: how many have a result that stands.
        quarantined: how many were bad and have not changed.
        failed: of how many too little motion is known.
        under_way: how many are being analysed, or about to be.
        due: keys of those that have to be analysed, in the order in which they were found.
        refused: addresses that cannot be taken in, and why.
    """

    videos: int = 0
    new: int = 0
    changed: int = 0
    current: int = 0
    quarantined: int = 0
    failed: int = 0
    under_way: int = 0
    due: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def count(self, one: Registered, state: State, is_wanted: bool, is_busy: bool) -> None:
        """Add a video; whether it is wanted, somebody knows who has looked at more than its state."""
        self.videos += 1
        self.new += one.change == "new"
        self.changed += one.change == "changed"
        self.current += state == "current"
        self.quarantined += state == "quarantined"
        self.failed += state == "failed"
        self.under_way += is_wanted and is_busy
        if is_wanted and not is_busy:
            self.due.append(one.video.key)


def take_in(
    catalog: Catalog,
    listing: Iterable[ListedVideo],
    entered: Callable[[list[str]], None],
    *,
    busy: Container[str] = (),
    count: int | None = None,
    force: bool = False,
    settled: bool = False,
    pretend: bool = False,
    progress: Progress = silent,
) -> Found:
    """Enter the videos of a listing into the archive; killed and repeated, it comes to the same.

    Args:
        catalog: where results are, and the archive.
        listing: read on as videos are taken.
        entered: told the keys of videos that are in the archive now, some hundred at a time.
        busy: keys of those that are being analysed, or about to be.
        count: the listing is read until so many have to be analysed; None: to its end.
        force: all have to be analysed, whatever is known of them.
        settled: of a version that the archive has not seen before, nothing is analysed yet.
        pretend: change nothing, and answer as if it were done.
        progress: told of videos.
    """
    found = Found()
    left = _usable(listing, found.refused)
    while (count is None or len(found.due) < count) and (batch := list(islice(left, AT_ONCE))):
        taken = []
        for listed, registered, state in _judged(catalog, batch):
            if len(found.due) == count:
                break
            taken.append(listed)
            wanted = force or (state in DUE and not (settled and registered.change != "same"))
            found.count(registered, state, wanted, not force and registered.video.key in busy)
        if not pretend:
            entered([one.video.key for one in _registered(catalog, taken, pretend=False)])
        progress("looking at videos", found.videos)
    return found


def _usable(listing: Iterable[ListedVideo], refused: list[tuple[str, str]]) -> Iterator[ListedVideo]:
    """Each video once, with its address as the archive has it."""
    settings, seen = load_settings(), set()
    for listed in listing:
        try:
            address = find_video(listed.address, settings).address
            require_archivable(address)
        except InputError as error:
            refused.append((listed.address, error.user_message))
            continue
        if (key := video_key(address)) not in seen:
            seen.add(key)
            yield replace(listed, address=address)


def _judged(catalog: Catalog, batch: Sequence[ListedVideo]) -> list[tuple[ListedVideo, Registered, State]]:
    """How things stand with videos; where that depends on a version that the listing does not tell, ask for it."""
    judged = _as_listed(catalog, batch)
    unknown = [one for one, _, state in judged if not one.stamp and state not in DUE]
    if not unknown:
        return judged
    with ThreadPoolExecutor(_REQUESTS) as pool:
        told = dict(zip(unknown, pool.map(_looked_at, unknown), strict=True))
    return _as_listed(catalog, [told.get(one, one) for one in batch])


def _as_listed(catalog: Catalog, batch: Sequence[ListedVideo]) -> list[tuple[ListedVideo, Registered, State]]:
    registered = _registered(catalog, batch, pretend=True)
    states = states_of(catalog, [one.video for one in registered])
    return [(listed, one, states[one.video.key]) for listed, one in zip(batch, registered, strict=True)]


def _registered(catalog: Catalog, batch: Sequence[ListedVideo], pretend: bool) -> list[Registered]:
    return [one for some in register_videos(catalog.database, batch, pretend) for one in some]


def _looked_at(listed: ListedVideo) -> ListedVideo:
    """A video with what the disk or its server says now; nothing changes where that cannot be asked."""
    try:
        facts = find_video(listed.address).look()
    except CvError:  # whoever analyses it is told
        return listed
    return replace(listed, size=facts.size, modified=facts.modified, stamp=facts.stamp)
