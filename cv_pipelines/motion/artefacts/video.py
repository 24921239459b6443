"""What is known of a video before anything is made of it: its facts, and the list of its frames."""

from collections.abc import Sequence
from datetime import datetime

from cv_pipelines.catalog import Catalog, Outcome
from cv_pipelines.errors import InputError
from cv_pipelines.hashing import VERSION_LENGTH, hash_values
from cv_pipelines.storage.bundles import Bundle, Reference, put_bundle, put_part
from cv_pipelines.videos.archive import find_video_of_archive, note_facts, quarantine, release
from cv_pipelines.videos.frame_index import frames_bytes, load_frames, parse_frames
from cv_pipelines.videos.frames import Frames
from cv_pipelines.videos.probe import VideoFacts, probe_video
from cv_pipelines.videos.video import Video, find_video
from cv_pipelines.workers import map_in_workers

VIDEO_VERSION = "1"
"""Of what is noted of a video; a new one has every video looked at again."""


def catalogue_video(catalog: Catalog, key: str, force: bool = False) -> Outcome:
    """Look at a video of the archive; one that cannot be used goes into quarantine, a good one comes out of it.

    Args:
        catalog: where artefacts are, and the archive.
        key: of the video.
        force: look again at one that is known.

    Returns:
        An artefact with the part `frames` (see `frames_of`) and the facts of `VideoFacts.summary`.

    Raises:
        InputError: the archive has no such video, or it cannot be used.
        InfrastructureError: its server does not answer now.
    """
    entry = find_video_of_archive(catalog.database, key)
    stamp = ""
    try:
        video = find_video(entry.address)
        seen = video.look()
        stamp = seen.stamp
        note_facts(catalog.database, key, seen)
        outcome = _looked_at(catalog, video, stamp, force)
    except InputError as error:
        quarantine(catalog.database, key, error.user_message, stamp)
        raise
    release(catalog.database, key)
    return outcome


def video_of(entry: Bundle) -> Video:
    """The video that an artefact is about.

    Raises:
        InputError: it is not there any more, or it has changed since.
        InfrastructureError: its server does not answer now.
    """
    video = find_video(entry.facts["address"])
    if video.look().stamp != entry.facts["stamp"]:
        message = f"'{video.address}' has changed since it was looked at: materialize its video_catalog again."
        raise InputError("changed_video", message)
    return video


def frames_of(entry: Bundle) -> Frames:
    """All frames of the video that an artefact is about."""
    return parse_frames(entry.bytes("frames"))


def _looked_at(catalog: Catalog, video: Video, stamp: str, force: bool) -> Outcome:
    def make(_: str) -> Reference:
        facts, frames = next(map_in_workers(_look, [video], _crashed, workers=1, batch=1))
        summary = {name: _plain(value) for name, value in facts.summary().items()}
        parts = {"frames": put_part(catalog.store, frames_bytes(frames), ".parquet")}
        version = hash_values({"facts": summary, "parts": parts})[:VERSION_LENGTH]
        return put_bundle(catalog.store, "video_catalog", version, summary, parts)

    inputs = {"address": video.address, "stamp": stamp, "code": VIDEO_VERSION}
    # without a stamp nobody knows whether it is still the same
    return catalog.once("video_catalog", inputs, make, settled=lambda _: bool(stamp) and not force)


def _look(videos: Sequence[Video]) -> tuple[VideoFacts, Frames]:
    (video,) = videos
    return probe_video(video), load_frames(video)


def _crashed(video: Video) -> tuple[VideoFacts, Frames]:
    raise InputError("bad_video", f"'{video.address}' kills the decoder. Convert it to H.264, or copy it again.")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
