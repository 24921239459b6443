"""The videos that tasks name."""

from sqlalchemy import Engine

from cv_pipelines.errors import InputError
from cv_pipelines.tasks.work.open_folders import open_folder
from cv_pipelines.videos.archive import (
    find_video_of_archive,
    is_video_key,
    register_videos,
    require_archivable,
)
from cv_pipelines.videos.listing import ListedVideo
from cv_pipelines.videos.video import find_video


def enter_video(database: Engine, name: str, folders: tuple[str, ...]) -> str:
    """The key of a video that a task names, which is in the archive from now on; nothing is opened or asked.

    One that is there already may be named whatever its place. Whether a web server may be asked is decided when it
    is, as of any address.

    Args:
        database: where the archive is.
        name: an address, or a key of the archive.
        folders: real paths of folders below which files may be named.

    Raises:
        InputError: code `no_video`, `bad_address` or `forbidden_file`.
    """
    if is_video_key(name):
        return find_video_of_archive(database, name).key
    video = find_video(name)
    require_archivable(video.address)
    if not video.is_remote:
        try:
            return find_video_of_archive(database, video.address).key
        except InputError:  # not there yet
            video = find_video(str(open_folder(video.address, folders)[0]))
    ((entered,),) = register_videos(database, [ListedVideo(video.address, video.name)])
    return entered.video.key
