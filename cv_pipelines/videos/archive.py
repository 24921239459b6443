"""The video archive: which videos there are, and which of them are in quarantine."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, Literal
from unicodedata import normalize

from sqlalchemy import Connection, Engine, Row, Select, func, select

from cv_pipelines.database.engine import transaction
from cv_pipelines.database.locks import take_turns
from cv_pipelines.database.upsert import insert_into
from cv_pipelines.database.video_tables import videos
from cv_pipelines.errors import InputError
from cv_pipelines.remote.facts import FileFacts
from cv_pipelines.videos.listing import ListedVideo
from cv_pipelines.videos.video import Video, find_video

MAX_ADDRESS = 2048
"""Bytes of an address: an index of the database must hold it."""
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,50}~[0-9a-f]{12}")
_NAME, _DIGITS = 51, 12
AT_ONCE = 500
"""Videos of a transaction."""


@dataclass(frozen=True)
class ArchivedVideo:
    """A video of the archive.

    Attributes:
        key: names its partition.
        address: as `Video.address`.
        name: of its file.
        size: in bytes; None: not known yet.
        modified_at: when its file was changed last; None: as size.
        stamp: of the version that was seen last, as `Video.look()` gives it; empty: as size.
        problem: why a version of it cannot be used; empty: nothing is known against it.
        problem_stamp: of that version.
        added_at: when it came into the archive.
    """

    key: str
    address: str
    name: str
    size: int | None
    modified_at: datetime | None
    stamp: str
    problem: str
    problem_stamp: str
    added_at: datetime

    @property
    def is_quarantined(self) -> bool:
        """Whether it is bad, as far as anybody knows: a file that has changed since is worth another try."""
        return bool(self.problem) and self.problem_stamp == self.stamp


@dataclass(frozen=True)
class Registered:
    """A video as it stands in the archive after it was found.

    Attributes:
        video: the video.
        change: what that has changed: it is `new`, its file has another version (`changed`), or nothing (`same`).
    """

    video: ArchivedVideo
    change: Literal["new", "changed", "same"]


def video_key(address: str) -> str:
    """The key of a video: its file name, as far as letters, digits, `.`, `_` and `-` can say it, and a hash.

    Nothing else has such a name: that of a data set has no `~`, and an address has a `/`.

    Args:
        address: as `Video.address`.
    """
    stem = Video(address).name.rpartition(".")[0] or Video(address).name
    plain = normalize("NFKD", stem).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9._-]+|\.{2,}", "-", plain).strip("-.")[:_NAME].rstrip("-.")
    return f"{readable or 'video'}~{sha256(address.encode('utf-8', 'surrogateescape')).hexdigest()[:_DIGITS]}"


def is_video_key(text: str) -> bool:
    """Whether something can be the key of a video, and so is no address."""
    return _KEY.fullmatch(text) is not None


def require_archivable(address: str) -> None:
    """Make sure that an address can be kept.

    Raises:
        InputError: code `bad_address`: it cannot.
    """
    shown = address.encode("utf-8", "replace").decode()
    if shown != address or "\0" in address:
        message = f"'{shown[:200]}' is no valid unicode: rename the file or its folder."
        raise InputError("bad_address", message)
    if len(address.encode()) > MAX_ADDRESS:
        message = f"'{shown[:200]}…' is longer than {MAX_ADDRESS:,} bytes: move the file, or shorten its address."
        raise InputError("bad_address", message)


def register_videos(
    database: Engine, found: Iterable[ListedVideo], pretend: bool = False
) -> Iterator[list[Registered]]:
    """Enter videos into the archive, some hundred in a transaction; those that are there get what is new of them.

    What a listing does not tell (size, time, version) stays as it was. Two at once, and one that is killed and
    repeated, come to the same.

    Args:
        database: where the archive is.
        found: with addresses as `find_video` gives them; read on as batches are taken.
        pretend: change nothing, and answer as if it were done.

    Yields:
        Each batch after its transaction; of those that were found twice in it, one.

    Raises:
        InputError: see require_archivable; nothing of its batch is entered.
    """
    left = iter(found)
    while batch := list(islice(left, AT_ONCE)):
        yield _register(database, {video_key(one.address): one for one in batch}, pretend)


def find_video_of_archive(database: Engine, name: str) -> ArchivedVideo:
    """Look a video up.

    Args:
        database: where the archive is.
        name: its key, or its address as `find_video` gives it.

    Raises:
        InputError: code `no_video`: it is not in the archive.
    """
    column = videos.c.key if is_video_key(name) else videos.c.address
    with database.connect() as connection:
        row = connection.execute(select(videos).where(column == name)).first()
    if row is None:
        message = f"The archive has no video '{name}': 'cv-pipelines motion inject SOURCE' takes videos in."
        raise InputError("no_video", message)
    return _video(row)


def named_video(database: Engine, name: str) -> ArchivedVideo:
    """The video of a key, or of an address as people write it.

    Raises:
        InputError: the archive has none of this name.
    """
    return find_video_of_archive(database, name if is_video_key(name) else find_video(name).address)


def list_archive(database: Engine, quarantined: bool = False) -> Iterator[ArchivedVideo]:
    """The videos of the archive by key, read as they are taken, some hundred at a time.

    Args:
        database: where the archive is.
        quarantined: only those in quarantine.
    """
    query = select(videos).order_by(videos.c.key).limit(AT_ONCE)
    if quarantined:
        query = query.where(videos.c.problem != "", videos.c.problem_stamp == videos.c.stamp)
    last = ""
    while rows := _read(database, query.where(videos.c.key > last)):
        yield from map(_video, rows)
        last = rows[-1].key


def count_archive(database: Engine) -> int:
    """How many videos there are."""
    with database.connect() as connection:
        return connection.execute(select(func.count()).select_from(videos)).scalar_one()


def note_facts(database: Engine, key: str, facts: FileFacts) -> None:
    """Remember what the disk or the server says of a video now; what it does not say stays as it was."""
    with database.begin() as connection:
        connection.execute(videos.update().where(videos.c.key == key).values(_told(facts)))


def quarantine(database: Engine, key: str, problem: str, stamp: str) -> None:
    """Set a video aside until another version of it is seen, or somebody releases it.

    Args:
        database: where the archive is.
        key: of the video.
        problem: why, for people.
        stamp: of the version that is bad; empty: none could be seen, and the first that is counts as another one.
    """
    bad = {"problem": problem, "problem_stamp": stamp, "stamp": stamp}
    with database.begin() as connection:
        connection.execute(videos.update().where(videos.c.key == key).values(bad))


def release(database: Engine, key: str) -> None:
    """Take a video out of quarantine; one that is not in it stays as it is."""
    with database.begin() as connection:
        connection.execute(videos.update().where(videos.c.key == key).values(problem="", problem_stamp=""))


def remove_video(database: Engine, key: str) -> None:
    """Let the archive forget a video; its file stays, and what was made of it is garbage from now on."""
    with database.begin() as connection:
        connection.execute(videos.delete().where(videos.c.key == key))


def _register(database: Engine, found: dict[str, ListedVideo], pretend: bool) -> list[Registered]:
    for one in found.values():
        require_archivable(one.address)
    with transaction(database, pretend) as connection:
        take_turns(connection, "videos")
        before = _present(connection, found)
        rows = [_row(key, one) for key, one in found.items() if key not in before or _tells_news(one, before[key])]
        if rows:
            connection.execute(_upsert(connection), rows)
        after = before | _present(connection, [row["key"] for row in rows])
    return [Registered(after[key], _change(before.get(key), after[key])) for key in found]


def _row(key: str, one: ListedVideo) -> dict[str, Any]:
    told = {"size": one.size, "modified_at": one.modified, "stamp": one.stamp}
    return {"key": key, "address": one.address, "name": Video(one.address).name, **told}


def _tells_news(one: ListedVideo, known: ArchivedVideo) -> bool:
    """Whether a row would change: of ten thousand that are looked at every minute hardly one does."""
    told = ((one.size, known.size), (one.modified, known.modified_at), (one.stamp or None, known.stamp))
    return any(new is not None and new != old for new, old in told)


def _upsert(connection: Connection) -> Any:
    insert = insert_into(connection, videos)
    told = {name: func.coalesce(insert.excluded[name], videos.c[name]) for name in ("size", "modified_at")}
    told["stamp"] = func.coalesce(func.nullif(insert.excluded.stamp, ""), videos.c.stamp)
    return insert.on_conflict_do_update(index_elements=["address"], set_=told)


def _told(facts: FileFacts) -> dict[str, Any]:
    """The columns of what is known."""
    told = {"size": facts.size, "modified_at": facts.modified, "stamp": facts.stamp}
    return {name: value for name, value in told.items() if value not in (None, "")}


def _change(before: ArchivedVideo | None, after: ArchivedVideo) -> Literal["new", "changed", "same"]:
    if before is None:
        return "new"
    return "same" if before.stamp == after.stamp else "changed"


def _present(connection: Connection, keys: Iterable[str]) -> dict[str, ArchivedVideo]:
    rows = connection.execute(select(videos).where(videos.c.key.in_(list(keys))))
    return {row.key: _video(row) for row in rows}


def _read(database: Engine, query: Select[Any]) -> list[Row[Any]]:
    with database.connect() as connection:
        return list(connection.execute(query))


def _video(row: Row[Any]) -> ArchivedVideo:
    return ArchivedVideo(**row._mapping)
